//! What surrounds the database on a running host: brought to other settings by one command of
//! Systems Manager, and then noted in a tag, so that a run that dies in between does it again.

use std::time::Duration;

use lh_kind::{CloudError, ErrorKind, change::digested};
use lh_model::{CloudId, value::text_of};

use super::{HOST_TAG, IMAGE_TAG};
use crate::{
    clients::Clients,
    kinds::ec2::tags,
    remote::{Answer, CHECK, Commands},
};

/// An agent that was never there is installed, which loads some 100 MB.
const PATIENCE: Duration = Duration::from_secs(600);
/// The exit status of a script that came too early (sysexits.h, EX_TEMPFAIL).
const TOO_EARLY: &str = "exit status 75:";

/// The value of [`HOST_TAG`] for this script.
pub(super) fn digest(text: &str) -> String {
    text_of(&digested(&text.into()))
}

/// Runs the script on the host, and notes that it was.
pub(super) async fn renew(clients: &Clients, id: &str, text: &str) -> Result<(), CloudError> {
    // Where instances run nothing there is nothing to be told.
    if clients.idle.is_none() {
        run(clients, id, text).await?;
    }
    tags::write(clients, id, [(HOST_TAG.to_owned(), digest(text))]).await
}

/// Notes what the host of `instance` has by another way than [`renew`]: this image of the database
/// server, and, where that is known, all that `script` would bring it to.
///
/// # Errors
/// When EC2 does not take the tags.
pub async fn note_host(
    clients: &Clients,
    instance: &CloudId,
    image: &str,
    script: Option<&str>,
) -> Result<(), CloudError> {
    let image = (IMAGE_TAG.to_owned(), image.to_owned());
    let host = script.map(|text| (HOST_TAG.to_owned(), digest(text)));
    tags::write(clients, &instance.0, [image].into_iter().chain(host)).await
}

async fn run(clients: &Clients, id: &str, text: &str) -> Result<(), CloudError> {
    let operation = "ssm:SendCommand";
    let early = |why: String| CloudError::new(ErrorKind::NotYet, operation, why);
    let pace = clients.host_pace.clone();
    let commands = Commands { ssm: clients.ssm.clone(), instance: id.to_owned(), pace };
    let sent = commands.send("the host's settings", text, PATIENCE).await.map_err(|error| {
        let is_offline = error.code == "InvalidInstanceId";
        if is_offline { early(format!("no SSM agent on {id} takes commands: {CHECK}")) } else { error }
    })?;
    match commands.wait(&sent, PATIENCE).await? {
        Answer::Said(_) => Ok(()),
        Answer::NotTaken => Err(early(format!("the SSM agent on {id} did not take the command"))),
        Answer::Ended(why) if why.contains(TOO_EARLY) => Err(early(why)),
        Answer::Ended(why) => {
            let why = format!(
                "the host could not be brought to its new settings: {why}. The database was left alone"
            );
            Err(CloudError::new(ErrorKind::Other, operation, why))
        }
    }
}
