//! The contract of an AWS kind: pure rules, effects, changes, errors and the ports to a cloud.
//!
//! A kind is one type that implements [`Rules`] (pure: fields, checks, comparison, price) and
//! [`Ops`] (effects: observe, create, update, delete). Everything above works with kinds
//! through the type-erased [`AnyRules`] and the ports [`Observe`] and [`Mutate`], so that the
//! planner and the engine are compiled and tested without any AWS SDK.

pub mod calls;
pub mod change;
pub mod cloud;
pub mod cost;
pub mod error;
pub mod ops;
pub mod rules;

pub use calls::CallLog;
pub use change::{Change, Effect, FieldDiff, diff_fields};
pub use cloud::{Backup, Mutate, Observe, Pace, Probe, RuleBook};
pub use cost::{Amount, Line, Price, PriceBook, Share};
pub use error::{CloudError, ErrorKind};
pub use ops::{AnyKind, Erased, Found, Op, Ops, Owner, Seen, Target};
pub use rules::{
    AnyRules, AtDestroy, Calls, Downtime, Field, Idempotency, Mutability, Readiness, Refusal, Rules,
};
