//! The facade as another program uses it, in a simulated AWS whose calls are counted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod backups;
mod budget;
mod chain;
mod contract;
mod copies;
mod doctor;
mod drift;
mod fleet;
#[path = "../many/mod.rs"]
mod many;
mod monitoring;
mod named;
mod policy;
mod renewal;
mod shell;
mod status;
mod stop;
mod types;
mod verbs;
mod verify;

use std::collections::BTreeSet;

use lh::{Applied, Cloud, Deployment, Stack};

/// The dev stack with these overrides.
fn stack(set: &[&str]) -> Stack {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/dev.yaml");
    let set: Vec<String> = set.iter().map(|part| (*part).to_owned()).collect();
    Stack::load(file, &set).unwrap()
}

/// The dev stack with these overrides, in `cloud`.
fn deployment(cloud: &Cloud, set: &[&str]) -> Deployment {
    Deployment::new(stack(set), cloud.clone())
}

/// Applies it whole.
async fn apply(cloud: &Cloud, set: &[&str]) -> Applied {
    cloud.sim().unwrap().forget_calls();
    kept(cloud, deployment(cloud, set).apply(|_| true).await)
}

/// What came of a run that was complete and called nothing but what its plan lists.
#[track_caller]
fn kept(cloud: &Cloud, applied: Result<Applied, lh::Error>) -> Applied {
    let applied = applied.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome);
    let (called, listed) = (called(cloud), applied.plan.calls());
    let others: Vec<_> = called.difference(&listed).collect();
    assert!(others.is_empty(), "called and not listed: {others:?}");
    applied
}

/// Every operation called since the calls were last forgotten, as IAM names it.
fn called(cloud: &Cloud) -> BTreeSet<String> {
    cloud.sim().unwrap().calls().iter().map(lh_sim::Call::action).collect()
}
