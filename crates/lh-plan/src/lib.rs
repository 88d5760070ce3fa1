//! The planner: what to do, in which order, why, and what it costs; pure.
//!
//! [`plan`] is total: whatever it is given, it answers with a [`Plan`]; what cannot or must
//! not be done is a refusal in the plan, and what was left alone is a note in it.

mod classify;
pub mod cost;
mod destroy;
mod draft;
pub mod drift;
pub mod headline;
pub mod lint;
mod moved;
mod order;
pub mod plan;
mod planner;
pub mod policy;
mod refresh;
pub mod release;
pub mod seen;
mod target;

pub use cost::Estimate;
pub use drift::Drift;
pub use headline::Headline;
pub use lint::lint;
pub use moved::moved;
pub use plan::{Act, Mode, Note, Parent, Plan, Step, StepId};
pub use planner::{Scope, plan, plan_within};
pub use release::{Release, plan_release};
pub use seen::{Observed, targets};
