//! What runs on the simulated instances: a port, so that the world itself starts no process. The
//! sandbox of `--local` is one such; without one, no instance has an agent that takes commands.

use std::fmt::Debug;

/// An instance, as far as what runs on it must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// Its id.
    pub instance: String,
    /// Its region.
    pub region: String,
    /// Its user data, decoded from base64 and, where it was compressed, unpacked by nobody.
    pub user_data: Vec<u8>,
    /// Data volumes attached to it: id and size in GiB.
    pub volumes: Vec<(String, i32)>,
}

/// How a command on a host stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostRun {
    /// It runs.
    Running,
    /// It ended.
    Ended {
        /// Its exit status.
        status: i32,
        /// All that it wrote to standard output.
        out: String,
        /// All that it wrote to standard error.
        err: String,
    },
    /// Nothing is known of it.
    Unknown,
}

/// An object that a host has put into a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its content, where that is short: the world is one file, and no place for dumps.
    pub content: Option<Vec<u8>>,
    /// Changes when the content does.
    pub mark: String,
}

/// Runs commands on the simulated instances. It is asked while the world is not locked, answers at once, and outlives the process that began
/// a command where its world does.
pub trait Hosts: Debug + Send + Sync {
    /// Whether the instance has an agent that takes commands.
    fn is_online(&self, host: &HostFacts) -> bool;

    /// Begins `script` for bash, under the id of the command; does not wait for its end. A command
    /// that was begun already, by whatever process, is not begun again.
    ///
    /// # Errors
    /// Why it cannot be begun, a sentence.
    fn begin(&self, host: &HostFacts, command: &str, script: &str) -> Result<(), String>;

    /// How a command stands.
    fn look(&self, host: &HostFacts, command: &str) -> HostRun;

    /// Ends a command that runs.
    fn cancel(&self, host: &HostFacts, command: &str);

    /// What hosts have put into buckets, by themselves, as it is now.
    fn uploads(&self) -> Vec<Upload> {
        Vec::new()
    }

    /// Whether there are hosts at all.
    fn are_there(&self) -> bool {
        true
    }

    /// The program, with its arguments, that gives a person a terminal on the instance.
    fn terminal(&self, _: &HostFacts) -> Option<(String, Vec<String>)> {
        None
    }
}

/// Instances on which nothing runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHosts;

impl Hosts for NoHosts {
    fn are_there(&self) -> bool {
        false
    }

    fn is_online(&self, _: &HostFacts) -> bool {
        false
    }

    fn begin(&self, _: &HostFacts, _: &str, _: &str) -> Result<(), String> {
        Err("Nothing runs on the simulated instance.".to_owned())
    }

    fn look(&self, _: &HostFacts, _: &str) -> HostRun {
        HostRun::Unknown
    }

    fn cancel(&self, _: &HostFacts, _: &str) {}
}
