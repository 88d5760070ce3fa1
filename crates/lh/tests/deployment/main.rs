//! The facade as another program uses it, in a simulated AWS whose calls are counted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod budget;
mod contract;
mod stop;

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
    let applied = deployment(cloud, set).apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome);
    applied
}

/// Every operation called since the calls were last forgotten, as plans name them.
fn called(cloud: &Cloud) -> BTreeSet<String> {
    let calls = cloud.sim().unwrap().calls();
    calls.iter().map(|call| format!("{}:{}", call.service, call.operation)).collect()
}
