//! What a run tells while it runs. Events carry names, ids and states, never secrets.

use std::time::Duration;

use lh_kind::CloudError;
use lh_model::{Address, CloudId};
use lh_plan::StepId;
use lh_state::Holder;

/// Something worth telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Another run holds the lock: it is watched until it is clear whether that run lives.
    AwaitingLock {
        /// Who has it.
        holder: Holder,
        /// How long it is watched at most.
        longest: Duration,
    },
    /// An earlier run was interrupted; what it left open is settled first.
    Settling {
        /// How many intents have no known outcome.
        open: usize,
    },
    /// AWS does not show something that may exist: it gets time.
    Unseen {
        /// What.
        address: Address,
    },
    /// AWS is read.
    Looking {
        /// How many resources and lookups.
        targets: usize,
    },
    /// A step's call is being made.
    Started(StepId),
    /// A call has to wait for something else in AWS.
    Retrying {
        /// Which step.
        step: StepId,
        /// AWS's reason.
        why: String,
    },
    /// A step's call was answered; the resource is not ready yet.
    Waiting {
        /// Which step.
        step: StepId,
        /// Its state, in AWS's words.
        state: String,
        /// Since the step started.
        elapsed: Duration,
    },
    /// A step is complete.
    Finished {
        /// Which step.
        step: StepId,
        /// The resource's id.
        id: Option<CloudId>,
        /// Since the step started.
        elapsed: Duration,
    },
    /// A step failed.
    Failed {
        /// Which step.
        step: StepId,
        /// With what.
        error: CloudError,
    },
    /// The stack is made, and its database is waited for.
    Readying {
        /// The stage it is in.
        stage: String,
        /// How that stands.
        state: String,
        /// Since the wait began.
        elapsed: Duration,
    },
    /// Stopping was asked for; calls in flight are finished.
    Stopping {
        /// How many.
        in_flight: usize,
    },
    /// The snapshot was written.
    Saved {
        /// Its serial.
        serial: u64,
    },
}

/// Who is told.
pub trait Events: Send + Sync {
    /// Takes one event; must return at once.
    fn tell(&self, event: Event);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Events for Silent {
    fn tell(&self, _: Event) {}
}
