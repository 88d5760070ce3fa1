//! Cloud-init and the scripts that run on the instance: pure text in, text out.
//!
//! A [`Host`] says what the instance must become. [`user_data`] turns it into
//! cloud-init user data whose one late value is the data volume's id;
//! [`scripts`] holds the programs that it installs. Nothing here reaches an
//! instance, reads a clock or knows a secret: a password is only ever named, and
//! the instance fetches it with its own role.
//!
//! ```
//! use lh_host::{Host, PasswordSource, user_data};
//!
//! let host = Host {
//!     stack: "lighthouse-dev".into(),
//!     region: "us-east-1".into(),
//!     memory_gib: 1.0,
//!     vcpus: 2,
//!     database: "lighthouse_dev".into(),
//!     image: "timescale/timescaledb:2.17.2-pg16".into(),
//!     password: PasswordSource::Parameter("/lighthouse/dev/db/password".into()),
//!     dump: None,
//!     log_group: None,
//!     metrics: false,
//!     spot: true,
//! };
//! let text = user_data(&host).render("vol-0123456789abcdef0");
//! assert!(text.starts_with("#cloud-config\n"));
//! ```

pub mod day2;
mod files;
pub mod install;
mod job;
pub mod scripts;
mod settings;
mod shell;
mod status;
mod template;
mod user_data;

pub use files::{File, files};
pub use job::{Garbled, Job, Offsets, Reader, Standing};
pub use settings::{container_user, memory_settings};
pub use shell::{Script, Shell, ShellError, Stream, Tell};
pub use status::{DiskUse, HostStatus, Versions};
pub use user_data::{MAX_USER_DATA, Part, UserData, user_data};

/// Where the data volume is mounted.
pub const MOUNT_POINT: &str = "/mnt/timescaledb-data";

/// The log of everything that these scripts do, on the instance.
pub const LOG_FILE: &str = "/var/log/lhctl-host.log";

/// What the host must become.
///
/// Its values were checked where the stack file was read. Control characters
/// are dropped from them here, and all else is quoted for where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// `<name>-<environment>`: names the certificate and the dumps' folder in the bucket.
    pub stack: String,
    /// The AWS region, as the AWS CLI on the host must know it.
    pub region: String,
    /// Memory of the instance type in GiB, as AWS states it.
    pub memory_gib: f64,
    /// Virtual CPUs of the instance type.
    pub vcpus: u32,
    /// The database that is made, and given its extensions.
    pub database: String,
    /// The container image, pinned: `timescale/timescaledb:2.17.2-pg16`.
    pub image: String,
    /// Where the host reads the superuser's password.
    pub password: PasswordSource,
    /// Where and when dumps go beyond the data volume. Without one the host
    /// still dumps daily onto the volume, and keeps seven days.
    pub dump: Option<DumpTarget>,
    /// The log group that receives the logs of host and database, if any.
    pub log_group: Option<String>,
    /// Whether the CloudWatch agent reports memory and disk use, as
    /// `mem_used_percent` and `disk_used_percent` in the namespace `CWAgent`
    /// with the one dimension `InstanceId`.
    pub metrics: bool,
    /// Whether the instance may be interrupted, and so watches for the notice.
    pub spot: bool,
}

/// Where the superuser's password is kept: a name, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// A `SecureString` in SSM Parameter Store, by its name.
    Parameter(String),
    /// A secret in Secrets Manager, by its name or ARN; all of it is the password, or the member
    /// `password` of a JSON object.
    Secret(String),
}

/// Where logical dumps go, when, and for how long they stay on the volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpTarget {
    /// The S3 bucket; dumps lie under the stack's name in it.
    pub bucket: String,
    /// A systemd calendar expression, such as `daily` or `*-*-* 05:00:00`.
    pub on_calendar: String,
    /// Days that a dump stays on the data volume; the bucket has rules of its own.
    pub keep_days: u32,
}

#[cfg(test)]
pub(crate) mod tests;
