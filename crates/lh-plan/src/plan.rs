//! The plan: an immutable value that leaves nothing to decide.
//!
//! It names its parent, every step with reason, effect and the AWS operations it may call,
//! and what was not planned and why. The executor makes no choices.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use lh_kind::{Effect, FieldDiff};
use lh_model::{Address, CloudId, Diagnostic, Identity, Map, Origin, Output, StackId, identity::sha256};
use lh_state::Pin;
use serde::{Deserialize, Serialize};

use crate::{Drift, Estimate};

/// The layout's version of saved plans.
pub const FORMAT: u32 = 1;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To make the stack as its file says.
    Apply,
    /// To remove the stack.
    Destroy {
        /// Whether what holds data stays.
        retain_data: bool,
    },
    /// To record what AWS shows, and change nothing in it.
    Refresh,
    /// To give up one resource.
    Release {
        /// Whether it is deleted; otherwise it stays, and belongs to nobody.
        delete: bool,
    },
}

/// The state that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its lineage; a new one where there was no state.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Makes a new resource.
    Create,
    /// Changes one in place.
    Update,
    /// Deletes one.
    Delete,
    /// Waits until one that exists is ready.
    Await,
    /// Records one that this stack made and the state had lost; calls nothing.
    Adopt,
    /// Records one that existed before, to be used and never changed; calls nothing.
    Use,
    /// Keeps one that holds data though it left the spec; calls nothing.
    Retain,
    /// Drops the record of one that is gone; calls nothing.
    Forget,
    /// Records what AWS shows of one as what was applied; calls nothing.
    Refresh,
}

impl Act {
    /// Whether AWS is changed.
    pub fn is_mutating(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Await => "await",
            Self::Adopt => "adopt",
            Self::Use => "use",
            Self::Retain => "retain",
            Self::Forget => "forget",
            Self::Refresh => "refresh",
        }
    }
}

/// Names a step: `create volume.data`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId {
    /// What is done.
    pub act: Act,
    /// To which resource.
    pub address: Address,
}

impl StepId {
    /// The step that does `act` to `address`.
    pub fn new(act: Act, address: &Address) -> Self {
        Self { act, address: address.clone() }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.act.word(), self.address)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What, to which resource.
    #[serde(flatten)]
    pub id: StepId,
    /// Why, one sentence.
    pub reason: String,
    /// The spec line behind it.
    pub origin: Option<Origin>,
    /// What differs, old to new; for a creation every property that is set.
    pub changes: Vec<FieldDiff>,
    /// How it disturbs.
    pub effect: Effect,
    /// For about how long the database is away, in seconds.
    pub downtime_seconds: u32,
    /// The steps that must be complete before it.
    pub requires: BTreeSet<StepId>,
    /// The AWS operations it may call, as in IAM.
    pub calls: Vec<String>,
    /// The identity it creates under, or that the resource has.
    pub identity: Identity,
    /// The generation of that identity.
    pub generation: u32,
    /// The resource's id, where it exists.
    pub cloud_id: Option<CloudId>,
    /// Wanted properties; references to what this plan creates are open.
    pub props: Map,
    /// What AWS showed of it, where it exists.
    pub facts: Map,
    /// What the resource needs, for its record.
    pub needs: BTreeSet<Address>,
}

/// Something that was left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// About which resource, if about one.
    pub address: Option<Address>,
    /// One sentence or two.
    pub text: String,
}

/// Everything an apply will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// Which stack.
    pub stack: StackId,
    /// AWS region.
    pub region: String,
    /// The account it was planned in.
    pub account: Option<String>,
    /// What for.
    pub mode: Mode,
    /// What alone it is for, with what that needs: then it is partial. The whole stack if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Address>,
    /// The state it follows.
    pub parent: Parent,
    /// Digest of what AWS showed of the managed properties when it was made.
    pub fingerprint: String,
    /// The steps, each after all it requires.
    pub steps: Vec<Step>,
    /// Answers of lookups, to be recorded.
    pub pins: BTreeMap<String, Pin>,
    /// What differed between state, AWS and spec.
    pub drift: Vec<Drift>,
    /// What was left alone, and why.
    pub notes: Vec<Note>,
    /// Why this plan must not be applied; none if it may.
    pub refusals: Vec<Diagnostic>,
    /// Monthly cost of what state records.
    pub cost_before: Estimate,
    /// Monthly cost of what will be.
    pub cost_after: Estimate,
    /// The operations that looking calls, as in IAM.
    pub reads: BTreeSet<String>,
    /// The operations that keeping the state calls, as in IAM; none for a local file.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub keeping: BTreeSet<String>,
    /// The operations that waiting for the database calls once all steps are done, as in IAM; none
    /// where it is not waited for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waiting: BTreeSet<String>,
    /// What the stack will tell its user.
    pub outputs: Vec<Output>,
}

impl Plan {
    /// Whether applying it would do anything at all, in AWS or in the state.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The digest by which a history of runs names it.
    pub fn digest(&self) -> String {
        sha256(serde_json::json!(self).to_string().as_bytes())
    }

    /// Whether state would change though no resource does: new pins, or nothing recorded yet.
    pub fn changes_aws(&self) -> bool {
        self.steps.iter().any(|step| step.id.act.is_mutating())
    }

    /// Every operation the plan may call, sorted.
    pub fn calls(&self) -> BTreeSet<String> {
        self.steps
            .iter()
            .flat_map(|step| step.calls.iter().cloned())
            .chain(self.reads.iter().chain(&self.keeping).chain(&self.waiting).cloned())
            .collect()
    }

    /// How many resources are added, changed and destroyed; a replacement counts as one
    /// added and one destroyed.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |act| self.steps.iter().filter(|step| step.id.act == act).count();
        (of(Act::Create), of(Act::Update), of(Act::Delete))
    }

    /// The step of this name.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }
}
