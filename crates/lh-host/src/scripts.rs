//! The programs that run on the instance, as text.
//!
//! They are bash for Ubuntu 22.04 and 24.04 on arm64, run as root, and can be
//! run again at any time. What differs between hosts is in [`CONF`], so that the
//! programs themselves are the same everywhere.

use crate::files::{AGENT, File, files, keep_days};
use crate::template::{fill, plain_id, shell_word};
use crate::user_data::pack;
use crate::{Host, PasswordSource, container_user};

/// What the host must become, as shell assignments; the one file with the volume's id.
pub const CONF: &str = "/etc/lhctl/host.conf";
/// What the programs share.
pub const LIB: &str = "/usr/local/lib/lhctl-host.sh";
/// Writes all files but [`CONF`].
pub const INSTALL: &str = "/usr/local/sbin/lhctl-host-install";
/// Makes the host what [`CONF`] says; with the name of a stage, that stage only.
pub const SETUP: &str = "/usr/local/sbin/lhctl-host-setup";
/// Finds, formats if blank, mounts and grows the data volume. Exit status 5: refused.
pub const DISK: &str = "/usr/local/sbin/lhctl-host-disk";
/// Prints one JSON line: `stack`, `volume`, `ready`, `stages`, `container`,
/// `tcp`, `versions`, `disk`, `last_backup`.
pub const STATUS: &str = "/usr/local/sbin/lhctl-host-status";
/// Dumps the database; prints the dump's description as one JSON line.
pub const BACKUP: &str = "/usr/local/bin/backup-timescaledb.sh";
/// Waits for a spot interruption.
pub const SPOT: &str = "/usr/local/sbin/lhctl-host-spot";
/// The compose file of the container `timescaledb`.
pub const COMPOSE: &str = "/opt/docker-compose.yml";

/// The stages that [`SETUP`] goes through and [`STATUS`] reports, in order.
pub const STAGES: [&str; 7] = ["swap", "packages", "disk", "password", "database", "services", "agent"];

/// Ends each file in [`install`]; no file has such a line.
const END: &str = "LHCTL_END_OF_FILE";

/// The text of [`LIB`].
#[must_use]
pub fn lib() -> String {
    include_str!("host/lib.sh").to_owned()
}

/// The text of [`DISK`].
#[must_use]
pub fn disk() -> String {
    include_str!("host/disk.sh").to_owned()
}

/// The text of [`SETUP`].
#[must_use]
pub fn setup() -> String {
    include_str!("host/setup.sh").to_owned()
}

/// The text of [`STATUS`].
#[must_use]
pub fn status() -> String {
    include_str!("host/status.sh").to_owned()
}

/// The text of [`BACKUP`].
#[must_use]
pub fn backup() -> String {
    include_str!("host/backup.sh").to_owned()
}

/// The text of [`SPOT`].
#[must_use]
pub fn spot() -> String {
    include_str!("host/spot.sh").to_owned()
}

/// The text of [`INSTALL`]: every file of `host` but [`CONF`].
#[must_use]
pub fn install(host: &Host) -> String {
    installer(&files(host))
}

/// Writes `files`.
fn installer(files: &[File]) -> String {
    let mut all = String::new();
    for file in files {
        all.push_str(&put(file.mode, file.path, &file.text));
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
        [("KEYS", ONLINE.join("|")), ("SETTINGS", settings.join("\n")), ("PACKED", pack(&installer(&files)))];
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
    format!("{}{conf}{SETUP}\n", install(host))
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
