//! The port to a host's shell: a script goes in, its output comes out while it runs, and its exit
//! status ends it. How it gets there (Run Command, SSH) is not known here.

use std::time::Duration;

use async_trait::async_trait;

/// A script for bash, run as root on the stack's instance.
///
/// It must not hold a secret: what is sent is kept in AWS's records and shows in process lists. A
/// script that needs one reads it on the host, with the host's own role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What it does, in a few words for its user: `back up lighthouse`.
    pub title: String,
    /// Its text.
    pub text: String,
    /// How long it may run.
    pub deadline: Duration,
}

/// Where a piece of output was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Takes pieces of output in the order in which they come; a piece need not be a whole line.
pub type Tell<'t> = dyn FnMut(Stream, &str) + Send + 't;

/// Why a script has no exit status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShellError {
    /// The host cannot be reached this way, and the script was not begun.
    #[error("the host cannot be reached by {way}: {reason}")]
    Unreachable {
        /// Which way: [`Shell::way`].
        way: String,
        /// Why, in the words of AWS or SSH.
        reason: String,
    },
    /// It ran longer than [`Script::deadline`] and was ended.
    #[error("it was ended after {} s", .0.as_secs())]
    Deadline(Duration),
    /// It was ended, because the run that began it was asked to stop.
    #[error("it was ended, as asked")]
    Stopped,
    /// It was begun, and the way to the host was lost; it may still run.
    #[error("the way to the host was lost while it ran: {0}; it may still run there")]
    Lost(String),
}

/// A way to run scripts on one host.
#[async_trait]
pub trait Shell: Send + Sync {
    /// The way, for messages: `SSM Run Command on i-0123456789abcdef0`.
    fn way(&self) -> String;

    /// Runs `script` to its end and returns its exit status; all its output has been told then.
    ///
    /// # Errors
    /// When there is no exit status; one that is not 0 is no error here.
    async fn run(&self, script: &Script, tell: &mut Tell<'_>) -> Result<i32, ShellError>;
}
