//! Plan and apply stacks from another program: the facade over the engine.
//!
//! Three steps: load a [`Stack`], choose a [`Cloud`] (real AWS, or the simulated one), and work
//! on the [`Deployment`] of the one in the other.
//!
//! ```
//! # async fn example() -> Result<(), lh::Error> {
//! let stack = lh::Stack::load("stacks/dev.yaml", &[])?;
//! let cloud = lh::Cloud::simulated();
//! let deployment = lh::Deployment::new(stack, cloud);
//! let plan = deployment.plan(lh::Mode::Apply).await?;
//! println!("{} steps", plan.steps.len());
//! let applied = deployment.apply(|_| true).await?;
//! println!("{} done", applied.outcome.done.len());
//! # Ok(()) }
//! ```
//!
//! Programs that embed lhctl use this crate alone.

mod amend;
mod cloud;
mod database;
pub mod day2;
mod deployment;
mod doctor;
mod error;
mod files;
mod fleet;
mod host;
mod local;
mod outputs;
mod ready;
mod saved;
mod shell;
mod stack;
mod status;
mod verify;
mod versions;

pub use amend::{Amended, Amendment};
pub use cloud::Cloud;
pub use database::{Reached, migrations};
pub use deployment::{Applied, Deployment};
pub use error::Error;
pub use fleet::Fleet;
pub use local::{LocalRow, LocalWorld};
pub use outputs::OutputValue;
pub use ready::{Path as ReadyPath, Ready, Stage as ReadyStage, Stuck, Waited};
pub use saved::SavedPlan;
pub use stack::{Findings, Stack, explain, validate};
pub use status::{PARTS, Part as StatusPart, Standing, Status};
pub use verify::{CLOUD_CHECKS, CloudOptions, without_cloud};
pub use versions::{Differing, Pulled, StateVersion, seconds_since};

/// Scripts on the stack's instance, and the ways to it.
pub use lh_host::{Script, Shell, ShellError, Stream};
pub use shell::{Session, Tunnel, Way};

/// Migrations, verification and readiness of a database.
pub use lh_db as db;

/// What bootstrap tells.
pub use lh_aws::store::{Done as Bootstrapped, Outcome as BootstrapOutcome};

/// What the engine is made of, for those who need more than the facade.
pub use lh_engine::{EngineError, Event, Events, Outcome, Silent, Stop};
pub use lh_kind::{AnyRules, Calls, CloudError, Effect, ErrorKind, FieldDiff, Mutability, RuleBook, Share};
pub use lh_model::{Address, CallMade, CloudId, Diagnostic, Map, Origin, Plaintext, Severity, StackId};
pub use lh_plan::{Act, Drift, Estimate, Headline, Mode, Note, Plan, Release, Scope, Step, StepId};
pub use lh_spec::{
    Explained, Given, Sources, format as format_stack_file, new_stack_file, schema as stack_file_schema,
};
pub use lh_state::{
    Held, Holder, Liveness, Record, Run, RunCall, RunResult, SnapshotError, State, StoreError,
};

/// The version of lhctl, as snapshots record it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether resources of the kind of this name hold data that deleting would destroy.
pub fn holds_data(kind: &str) -> bool {
    lh_aws::Registry.rules(kind).is_none_or(AnyRules::holds_data)
}

/// Every kind with the operations that it may call, named as in IAM.
pub fn operations() -> Vec<(&'static str, Vec<&'static str>)> {
    let calls = |kind: &'static str| {
        let calls = lh_aws::Registry.rules(kind)?.calls();
        Some((kind, [calls.observe, calls.create, calls.update, calls.delete].concat()))
    };
    lh_aws::Registry.kinds().into_iter().filter_map(calls).collect()
}

/// The operations that finding a way to the instance, running scripts there and opening a port may
/// call.
pub fn shell_operations() -> Vec<&'static str> {
    [lh_aws::remote::CALLS, &shell::TUNNEL_CALLS].concat()
}

/// Whether policies know on what this operation, named as in IAM, can be allowed.
pub fn policy_knows(operation: &str) -> bool {
    lh_plan::policy::is_known(operation)
}
