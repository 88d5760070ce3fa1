//! State in S3 with its lock in DynamoDB.
//!
//! | what | where |
//! |---|---|
//! | the snapshot | object `<key>`, written only with `If-Match` or `If-None-Match` |
//! | the journal | objects `<key>.journal/…`, each created once and never written again |
//! | the former snapshots | versions of that object, which the bucket keeps |
//! | the history of runs | objects `<key>.runs/…` |
//! | the lease | item `LockID = "<bucket>/<key>"` of the lock table |
//!
//! [`RemoteStore`] is all ports of `lh-state` on one place; [`bootstrap`](fn@bootstrap)
//! makes the bucket and the table. Nothing here knows what a state means.

mod bootstrap;
mod clients;
mod journal;
mod lease;
mod record;
mod runs;
mod snapshot;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use lh_kind::{CloudError, Pace};
use lh_state::{Holder, StoreError};

pub use bootstrap::{Done, Outcome, bootstrap};
pub use clients::StoreClients;

use crate::pace::RealTime;

/// How long a lease lasts that nobody renews.
pub const LEASE: Duration = Duration::from_secs(30);

/// The operations that keeping a state calls, named as in IAM.
pub const CALLS: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
];

/// Where one stack's state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlace {
    /// The bucket.
    pub bucket: String,
    /// The snapshot's key; the journal's keys begin with it.
    pub key: String,
    /// The lock table.
    pub table: String,
}

impl StatePlace {
    fn object(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    fn lock_id(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    fn lock(&self) -> String {
        format!("the lock {} in the DynamoDB table {}", self.lock_id(), self.table)
    }

    /// The prefix of all journal keys.
    fn journal(&self) -> String {
        format!("{}.journal/", self.key)
    }

    /// The prefix of the keys of all runs.
    fn runs(&self) -> String {
        format!("{}.runs/", self.key)
    }
}

/// Is told that a lock is held: by whom, and how long it is watched at most.
pub type Watch = Arc<dyn Fn(&Holder, Duration) + Send + Sync>;

/// The terms on which leases are taken.
#[derive(Clone)]
pub struct LeaseTerms {
    /// How long a lease lasts that nobody renews; its owner renews it every third of that.
    pub length: Duration,
    /// The clock of waiting and of heartbeats. It must really wait: with a clock that jumps, a
    /// waiter's would run ahead of the owner's, and a living owner would look dead.
    pub pace: Arc<dyn Pace>,
    /// Who is told of a wait.
    pub watch: Option<Watch>,
    /// Whether a wait is to be given up.
    pub stop: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { length: LEASE, pace: Arc::new(RealTime), watch: None, stop: None }
    }
}

/// State in one place in S3 and DynamoDB; cheap to clone. Clones share the lease's number.
#[derive(Clone)]
pub struct RemoteStore(Arc<Inner>);

struct Inner {
    clients: StoreClients,
    place: StatePlace,
    terms: LeaseTerms,
    /// The fencing number of the lease last taken; journal keys carry it.
    fencing: AtomicU64,
    /// How many batches were appended under it.
    batches: AtomicU64,
}

impl RemoteStore {
    /// The state at `place`. Nothing is sent yet.
    pub fn new(clients: StoreClients, place: StatePlace, terms: LeaseTerms) -> Self {
        let (fencing, batches) = Default::default();
        Self(Arc::new(Inner { clients, place, terms, fencing, batches }))
    }
}

/// The error of a call about `place`, with what to do.
fn failed(place: String, error: &CloudError) -> StoreError {
    let fix = match error.code.as_str() {
        "NoSuchBucket" | "ResourceNotFoundException" => {
            "Run `lhctl bootstrap STACK`, which makes the state bucket and the lock table; or correct `state:` in the stack file."
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => {
            "The bucket is in another region: name it with `state.region` in the stack file."
        }
        _ => error.advice().unwrap_or(
            "Look at AWS's message; when it is mended, run the command again: it goes on where it stopped.",
        ),
    };
    StoreError::Remote { place, reason: error.to_string(), fix: fix.to_owned() }
}
