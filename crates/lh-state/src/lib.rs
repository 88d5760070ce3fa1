//! The state of a stack: records, journal, fold, snapshot format and the ports it is kept behind.
//!
//! Pure: the ports are traits; files and buckets implement them elsewhere. State holds names,
//! ids and observed attributes, never a secret nor a hash of one.

pub mod history;
pub mod journal;
pub mod ports;
pub mod record;
pub mod snapshot;

pub use history::{Run, RunCall, RunResult};
pub use journal::{Entry, Event, Fold, Intent, OpenIntent, Verb, fold};
pub use ports::{
    Held, History, Holder, Journal, Lease, LeaseGuard, Liveness, Past, Receipt, Snapshots, StoreError,
    Version,
};
pub use record::{Pin, Record, State};
pub use snapshot::{SnapshotError, decode, encode};
