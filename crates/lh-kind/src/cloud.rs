//! The ports to a cloud: reading, which anything may do, and changing, which only an apply may.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use lh_model::{CloudId, Diagnostic, Map, Plaintext, SecretRef};

use crate::{AnyRules, CloudError, FieldDiff, Op, Seen, Target};

/// The rules of all kinds.
pub trait RuleBook: Send + Sync {
    /// The rules of the kind of this name.
    fn rules(&self, kind: &str) -> Option<&dyn AnyRules>;
    /// The names of all kinds.
    fn kinds(&self) -> Vec<&'static str>;
}

/// A lookup to answer.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Which lookup.
    pub lookup: lh_model::Lookup,
    /// The answer that state holds for it: kept as long as it still holds.
    pub pinned: Option<Map>,
}

/// A copy of a resource's data from which it can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its id.
    pub id: CloudId,
    /// Whether it is whole: what is still being copied, or failed, is no backup.
    pub complete: bool,
    /// When it was begun, in seconds since 1970.
    pub at: i64,
}

/// Reading a cloud. Holds no way to change anything.
#[async_trait]
pub trait Observe: Send + Sync {
    /// The rules of its kinds.
    fn book(&self) -> &dyn RuleBook;
    /// Answers each target of one kind, in order.
    async fn observe(&self, kind: &str, targets: &[Target]) -> Vec<Seen>;
    /// Answers each lookup, in order; a finding says what is missing and what to do.
    async fn look_up(&self, probes: &[Probe]) -> Vec<Result<Map, Diagnostic>>;
    /// The operations that answering the lookup of this name may call.
    fn lookup_calls(&self, name: &str) -> &'static [&'static str];
    /// The backups of one resource that the cloud shows, whoever made them. Kinds whose backups
    /// cannot be told have none.
    async fn backups(&self, _kind: &str, _id: &CloudId) -> Result<Vec<Backup>, CloudError> {
        Ok(Vec::new())
    }
    /// The operations that telling them may call.
    fn backup_calls(&self, _kind: &str) -> &'static [&'static str] {
        &[]
    }
    /// Why nothing runs on the instances that this cloud shows, if nothing does: an emulator's are
    /// entries in its memory.
    fn runs_nothing(&self) -> Option<String> {
        None
    }
    /// Fetches a secret, for an output that was asked for.
    async fn reveal(&self, secret: &SecretRef) -> Result<Plaintext, CloudError>;
}

/// Changing a cloud.
#[async_trait]
pub trait Mutate: Observe {
    /// From now on calls nothing but these operations, named as in IAM; with `None`, anything.
    /// What a plan does not list is not sent, whoever asks for it.
    fn hold_to(&self, _calls: Option<BTreeSet<String>>) {}
    /// Creates a resource of `kind`.
    async fn create(&self, kind: &str, op: &Op, props: &Map) -> Result<CloudId, CloudError>;
    /// Changes one in place.
    async fn update(
        &self,
        kind: &str,
        op: &Op,
        id: &CloudId,
        want: &Map,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError>;
    /// Deletes one.
    async fn delete(&self, kind: &str, op: &Op, id: &CloudId, facts: &Map) -> Result<(), CloudError>;
}

/// How time passes between two looks at something that takes time. The simulated AWS moves
/// its own clock instead of waiting.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Returns when `duration` has passed.
    async fn pause(&self, duration: Duration);
}
