//! What a session can end with.

use lh_kind::CloudError;
use lh_model::Diagnostic;
use lh_state::StoreError;

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The state could not be read, written or locked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// AWS could not be asked at all.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The plan says itself that it must not be applied.
    #[error("the plan is refused")]
    Refused(Vec<Diagnostic>),
    /// The saved plan is not of this state, or AWS has moved since.
    #[error("the saved plan is stale: {0}")]
    Stale(String),
    /// The state cannot be changed by hand now: so many changes of an interrupted run have no
    /// known outcome.
    #[error("a run was interrupted, and what became of {0} of its changes has to be settled first")]
    Unsettled(usize),
    /// The plan breaks a rule that every plan must keep: a fault of lhctl.
    #[error("the plan is not sound: {}", .0.join("; "))]
    Unsound(Vec<String>),
}
