//! The ports behind which state is kept: snapshots, journal and lease.
//!
//! A local file, memory, and S3 with DynamoDB implement them; one contract suite runs on all.

use async_trait::async_trait;

use crate::{Entry, Run, SnapshotError};

/// The version of a stored snapshot: an ETag in S3, the content's digest in a file. `None`
/// stands for a place where no snapshot is.
pub type Version = Option<String>;

/// Proof that entries are durable: the number of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt(pub u64);

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// User and host.
    pub who: String,
    /// Process id on that host.
    pub pid: u32,
    /// The command, `apply`.
    pub operation: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// What a store can end with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another run holds the lease.
    #[error("the state is locked{}", held_by(.0))]
    Locked(Option<Holder>),
    /// The lease was lost: another run took it over.
    #[error("this run lost its lock: another run has taken it over, so nothing more is changed")]
    Fenced,
    /// The wait for a lease was given up because stopping was asked for.
    #[error("stopped while waiting for the lock")]
    Stopped,
    /// The snapshot is not the one that was read.
    #[error("the state was written by another run since it was read; nothing was overwritten")]
    Moved,
    /// The text is no usable snapshot.
    #[error("{place}: {problem}")]
    Unusable {
        /// Where it is kept.
        place: String,
        /// What is wrong with it.
        problem: SnapshotError,
    },
    /// The store could not be read or written.
    #[error("{place}: {reason}")]
    Failed {
        /// Which file or object.
        place: String,
        /// Why.
        reason: String,
    },
    /// A store in AWS could not be read or written.
    #[error("{place}: {reason}")]
    Remote {
        /// Which bucket, object, table or lock.
        place: String,
        /// Why.
        reason: String,
        /// What to do about it, a sentence.
        fix: String,
    },
}

fn held_by(holder: &Option<Holder>) -> String {
    match holder {
        Some(h) => format!(" by {} (process {}, `{}`, since {})", h.who, h.pid, h.operation, h.since),
        None => " by another run".to_owned(),
    }
}

/// A snapshot that was written once, the current one included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its name in the store: a version id in S3, a file's name beside a local file.
    pub name: String,
    /// When it was written, in seconds since 1970, where the store knows.
    pub at: Option<i64>,
    /// Whether it is the one that [`Snapshots::load`] reads.
    pub current: bool,
}

/// Where snapshots are.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// The current text and its version; no text where none was ever written.
    async fn load(&self) -> Result<(Option<String>, Version), StoreError>;
    /// Writes `text` if the current version is still `expected`; returns the new one.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when it is not.
    async fn swap(&self, expected: &Version, text: &str) -> Result<Version, StoreError>;
    /// The snapshots that the store still has, the newest first, at most `most`.
    async fn past(&self, most: usize) -> Result<Vec<Past>, StoreError>;
    /// The text of one of them; nothing where the store has it no more.
    async fn recall(&self, name: &str) -> Result<Option<String>, StoreError>;
    /// Where this is, for messages.
    fn place(&self) -> String;
}

/// Where the history of runs is.
#[async_trait]
pub trait History: Send + Sync {
    /// Keeps `run`; one that was kept under its name before is replaced. The oldest beyond
    /// [`RUNS_KEPT`](crate::history::RUNS_KEPT) go.
    async fn keep(&self, run: &Run) -> Result<(), StoreError>;
    /// The newest runs first, at most `most`.
    async fn runs(&self, most: usize) -> Result<Vec<Run>, StoreError>;
}

/// Where journals are.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Makes the entries durable, in order, before it returns.
    async fn append(&self, entries: &[Entry]) -> Result<Receipt, StoreError>;
    /// All entries that are there, in order: those that follow the current snapshot, and any of
    /// older ones that were not trimmed. Needs no snapshot, so that both are read at the same
    /// time. An entry cut off by a crash is not one.
    async fn entries(&self) -> Result<Vec<Entry>, StoreError>;
    /// The entries that follow snapshot `serial`.
    async fn since(&self, serial: u64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.entries().await?.into_iter().filter(|entry| entry.after == serial).collect())
    }
    /// Drops the entries that snapshot `serial` has made history.
    async fn trim(&self, serial: u64) -> Result<(), StoreError>;
}

/// The right to change a stack; released when dropped at the latest.
#[async_trait]
pub trait LeaseGuard: Send + Sync {
    /// Says that the owner lives, and that the lease is still its own.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another run has taken it over.
    async fn renew(&self) -> Result<(), StoreError>;
    /// The fencing number: grows with each owner.
    fn fencing(&self) -> u64;
    /// Gives it back.
    async fn release(self: Box<Self>) -> Result<(), StoreError>;
}

/// What is known of the process that holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// The operating system says that it lives, on this host.
    Alive,
    /// It can be told only by waiting for so many milliseconds whether it renews its lease.
    Unknown {
        /// The lease's length.
        milliseconds: u64,
    },
}

/// A lease that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub holder: Holder,
    /// Its fencing number.
    pub fencing: u64,
    /// Whether its owner lives.
    pub liveness: Liveness,
}

/// Where leases are.
#[async_trait]
pub trait Lease: Send + Sync {
    /// Who has the lease, without taking it.
    async fn held(&self) -> Result<Option<Held>, StoreError>;
    /// Takes the lease from `held` and leaves it free, with a greater fencing number: its owner
    /// finds itself fenced at its next change.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when its owner surely lives, or another has it by now.
    async fn break_up(&self, held: &Held) -> Result<(), StoreError>;
    /// Takes the lease.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder when another run has it.
    async fn acquire(&self, holder: &Holder) -> Result<Box<dyn LeaseGuard>, StoreError>;
}
