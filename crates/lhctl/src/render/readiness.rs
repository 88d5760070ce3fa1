//! What came of waiting for the database, after an apply.

use lh::{Ready, ReadyPath, Stuck, Waited};

use crate::{
    failure::{Code, Failure},
    render::style,
};

/// Prints that the database serves, or why it was not waited for; a database that does not serve,
/// or that was not waited out, is a failure to report.
pub(crate) fn show(waited: &Waited) -> Option<Failure> {
    match waited {
        Waited::Ready(ready) => {
            crate::say::outln!("\n{}", style::good(&serving(ready)));
            None
        }
        Waited::Nothing(why) => {
            crate::say::outln!("\n  {} The database was not waited for: {why}.", style::keep("="));
            None
        }
        Waited::Stuck(stuck) => Some(failure(stuck)),
        Waited::Stopped => Some(
            Failure::plain(
                "Interrupted while the database was waited for. Everything in AWS is made and recorded.",
            )
            .code(Code::Interrupted)
            .fix("Apply again to wait on; `lhctl status` shows how far it is."),
        ),
    }
}

fn serving(ready: &Ready) -> String {
    let seen = match &ready.path {
        ReadyPath::Direct => "answers this machine over TCP with its password".to_owned(),
        ReadyPath::Tunnel(way) => format!("answers this machine over TCP with its password, by {way}"),
        ReadyPath::Host(why) => {
            format!("answers over TCP with its password, as its host sees it; from this machine: {why}")
        }
    };
    let grown = ready.grown.map(|bytes| format!(" The file system has {} now.", gib(bytes)));
    format!("The database is ready: TimescaleDB {} {seen}.{}", ready.extension, grown.unwrap_or_default())
}

/// Bytes as GiB, rounded to tenths as `df -h` does.
fn gib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 30;
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

fn failure(stuck: &Stuck) -> Failure {
    let minutes = stuck.patience.as_secs() / 60;
    let mut message = format!(
        "The database does not serve: after {minutes} minutes it is still at the stage `{}`: {}. Everything in AWS is made and recorded.",
        stuck.stage, stuck.state
    );
    if !stuck.log.is_empty() {
        message.push_str("\nThe host's log ends so:\n");
        message.extend(stuck.log.iter().map(|line| format!("  | {line}\n")));
    }
    Failure::plain(message.trim_end()).fix(advice(stuck.stage))
}

fn advice(stage: lh::ReadyStage) -> &'static str {
    use lh::ReadyStage as Stage;
    match stage {
        Stage::Instance | Stage::StatusChecks => {
            "Look at the instance in EC2: `aws ec2 get-console-output` shows its boot. Then apply again to wait on."
        }
        Stage::CloudInit => {
            "The host needs a way out (to Ubuntu's packages, to SSM and to the secret) and its role: check the route table of its subnet. It tries again every minute; apply again to wait on."
        }
        Stage::Container => {
            "The host pulls the image from its registry: check `database.image` and the way out of its subnet. It tries again every minute; apply again to wait on."
        }
        Stage::Tcp | Stage::Extension => "Look at the database's log, then apply again to wait on.",
        Stage::Authentication => {
            "The secret of the stack and the password of the database differ: the host brings them together at its next start, or by `sudo lhctl-host-setup` on it."
        }
        Stage::FileSystem => "Run `sudo lhctl-host-disk` on the host to see why, then apply again.",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_serves_is_told_with_the_way_it_was_seen() {
        let ready = |path, grown| Ready { path, extension: "2.17.2".to_owned(), grown };
        assert_eq!(
            serving(&ready(ReadyPath::Direct, Some(42_000_000_000))),
            "The database is ready: TimescaleDB 2.17.2 answers this machine over TCP with its password. The file system has 39.1 GiB now."
        );
        let seen = serving(&ready(ReadyPath::Tunnel("SSH to 10.0.0.5 through me@bastion".to_owned()), None));
        assert!(seen.ends_with("with its password, by SSH to 10.0.0.5 through me@bastion."), "{seen}");
        let seen = serving(&ready(ReadyPath::Host("there was no answer within 5 s".to_owned()), None));
        assert!(
            seen.ends_with("as its host sees it; from this machine: there was no answer within 5 s."),
            "{seen}"
        );
    }

    #[test]
    fn a_database_that_is_stuck_shows_the_end_of_its_log() {
        let stuck = Stuck {
            stage: lh::ReadyStage::Container,
            state: "absent; database: failed: no such image".to_owned(),
            patience: Duration::from_secs(900),
            log: vec!["pull access denied".to_owned()],
        };
        let text = format!("{:?}", failure(&stuck));
        assert!(text.contains("after 15 minutes") && text.contains("  | pull access denied"), "{text}");
        assert!(show(&Waited::Nothing("nothing runs".to_owned())).is_none());
        assert!(show(&Waited::Stopped).is_some());
    }
}
