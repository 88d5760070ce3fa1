//! What brings a host to what its stack wants: all files and the one with the volume's id, at the
//! first boot, while the database serves, or with a restart.

use crate::files::{AGENT, File, files, keep_days};
use crate::scripts::{COMPOSE, CONF, SETUP};
use crate::template::{fill, pack, plain_id, shell_word, without_comments};
use crate::{Host, PasswordSource, container_user};

/// Ends each file in an installer; no file has such a line.
const END: &str = "LHCTL_END_OF_FILE";

/// The text of [`INSTALL`](crate::scripts::INSTALL): every file of `host` but [`CONF`].
#[must_use]
pub fn installer(host: &Host) -> String {
    writing(&files(host))
}

/// Writes `files`.
fn writing(files: &[File]) -> String {
    let mut all = String::new();
    for file in files {
        all.push_str(&put(file.mode, file.path, &without_comments(&file.text)));
    }
    // A stack may cease to watch its host; the setup then stops the agent.
    if files.iter().all(|file| file.path != AGENT) {
        all.push_str(&format!("rm -f {AGENT}\n"));
    }
    let all = all.trim_end();
    fill(include_str!("host/install.sh"), &[("FILES", all)])
}

/// The text of [`CONF`] for a volume that is known.
#[must_use]
pub fn conf(host: &Host, volume_id: &str) -> String {
    let (before, after) = conf_around(host);
    format!("{before}{}{after}", plain_id(volume_id))
}

/// Brings what surrounds a database to `host` while it serves: dumps, agent, source of the
/// password, and these programs. As a command for SSM: user data is read once in an instance's life.
///
/// What would restart the database stays as it is, for [`refresh`]: the compose file with its image
/// and settings. The text does not depend on them, nor on the instance or its volume: equal texts
/// ask for the same.
#[must_use]
pub fn renew(host: &Host) -> String {
    let mut files = files(host);
    files.retain(|file| file.path != COMPOSE);
    let conf = conf(host, "");
    let online =
        |line: &&str| ONLINE.iter().any(|key| line.split_once('=').is_some_and(|(name, _)| name == *key));
    let settings: Vec<&str> = conf.lines().filter(online).collect();
    let values =
        [("KEYS", ONLINE.join("|")), ("SETTINGS", settings.join("\n")), ("PACKED", pack(&writing(&files)))];
    let values = values.each_ref().map(|(key, text)| (*key, text.as_str()));
    let text = fill(include_str!("host/renew.sh"), &values);
    // What takes the command need not be bash.
    format!("# shellcheck shell=sh\nbash <<'LHCTL_END_OF_RENEWAL'\n{text}LHCTL_END_OF_RENEWAL\n")
}

/// The assignments of [`CONF`] that are changed while the database serves.
const ONLINE: [&str; 4] = ["PASSWORD_FROM", "PASSWORD_NAME", "BUCKET", "KEEP_DAYS"];

/// Brings a running host to `host`, its database included, as a command for SSM or SSH: what
/// [`renew`] leaves alone reaches the host this way, and restarts the database where it differs.
#[must_use]
pub fn refresh(host: &Host, volume_id: &str) -> String {
    let conf = put("0644", CONF, &conf(host, volume_id));
    format!("{}{conf}{SETUP}\n", installer(host))
}

/// [`conf`] before and after the volume's id.
pub(crate) fn conf_around(host: &Host) -> (String, String) {
    let (uid, gid) = container_user(&host.image);
    let (from, name) = match &host.password {
        PasswordSource::Parameter(name) => ("parameter", name),
        PasswordSource::Secret(id) => ("secret", id),
    };
    let bucket = host.dump.as_ref().map_or("", |dump| dump.bucket.as_str());
    let template = include_str!("host/host.conf");
    let (before, after) = template.split_once("@VOLUME_ID@").unwrap_or((template, ""));
    let values = [
        ("STACK", shell_word(&host.stack)),
        ("REGION", shell_word(&host.region)),
        ("DATABASE", shell_word(&host.database)),
        ("IMAGE", shell_word(&host.image)),
        ("DB_UID", uid.to_string()),
        ("DB_GID", gid.to_string()),
        ("PASSWORD_FROM", from.to_owned()),
        ("PASSWORD_NAME", shell_word(name)),
        ("BUCKET", shell_word(bucket)),
        ("KEEP_DAYS", keep_days(host).to_string()),
        ("SPOT", if host.spot { "1" } else { "" }.to_owned()),
    ];
    let values = values.each_ref().map(|(key, text)| (*key, text.as_str()));
    (fill(before, &values), fill(after, &values))
}

fn put(mode: &str, path: &str, text: &str) -> String {
    format!("put {mode} {path} <<'{END}'\n{text}{END}\n")
}
