//! What became of a plan, step by step.

use std::collections::{BTreeMap, BTreeSet};

use lh_kind::CloudError;
use lh_plan::StepId;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The steps that are complete.
    pub done: BTreeSet<StepId>,
    /// The steps that failed, and with what.
    pub failed: BTreeMap<StepId, CloudError>,
    /// The steps that were not begun.
    pub skipped: BTreeSet<StepId>,
    /// Whether stopping was asked for.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether everything planned was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty()
    }
}
