//! The programs that run on the instance, as text.
//!
//! They are bash for Ubuntu 22.04 and 24.04 on arm64, run as root, and can be
//! run again at any time. What differs between hosts is in [`CONF`], so that the
//! programs themselves are the same everywhere.

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
