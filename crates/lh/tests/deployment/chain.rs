//! How long an apply takes against how long it has to: rounds of calls, counted, and no clock.
//!
//! Every call to the simulated AWS takes one round, calls at the same time share it. The longest
//! chain of steps of which each needs the one before cannot take fewer rounds than its own calls
//! and looks, with an intent written before each step; everything else should fit beside it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use lh::{Cloud, Deployment, Event, Events, Plan, Stack, StepId};

/// How often each step was looked at before it was complete.
#[derive(Default)]
struct Looks(Mutex<BTreeMap<StepId, usize>>);

impl Events for Looks {
    fn tell(&self, event: Event) {
        if let Event::Waiting { step, .. } | Event::Finished { step, .. } = event {
            *self.0.lock().unwrap().entry(step).or_default() += 1;
        }
    }
}

/// The rounds of the longest chain of steps: intent, calls, and looks of each.
fn longest_chain(plan: &Plan, own: &BTreeMap<StepId, usize>) -> usize {
    let mut until: BTreeMap<&StepId, usize> = BTreeMap::new();
    while until.len() < plan.steps.len() {
        for step in &plan.steps {
            let before: Option<Vec<usize>> = step.requires.iter().map(|id| until.get(id).copied()).collect();
            if let Some(before) = before {
                let own = own.get(&step.id).copied().unwrap_or_default();
                until.insert(&step.id, before.into_iter().max().unwrap_or_default() + own);
            }
        }
    }
    until.into_values().max().unwrap_or_default()
}

/// Rounds of the whole run, of the part between the first and the last call for a step, and of the
/// longest chain of steps.
async fn of_apply(file: &str, set: &[&str]) -> (usize, usize, usize) {
    let cloud = Cloud::simulated();
    let set: Vec<String> = set.iter().map(|part| (*part).to_owned()).collect();
    let file = format!("{}/../../stacks/{file}", env!("CARGO_MANIFEST_DIR"));
    let stack = || Deployment::new(Stack::load(&file, &set).unwrap(), cloud.clone());
    stack().bootstrap().await.unwrap();
    let (sim, looks) = (cloud.sim().unwrap(), Arc::new(Looks::default()));
    sim.forget_calls();
    let applied = stack().telling(looks.clone()).apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome);
    let calls = sim.calls();
    let keeps = |call: &&lh_sim::Call| ["s3", "dynamodb"].contains(&call.service.as_str());
    let first =
        calls.iter().filter(|call| call.mutating && !keeps(call)).map(|call| call.round).min().unwrap();
    let last = calls.iter().filter(|call| !keeps(call)).map(|call| call.round).max().unwrap();
    let mut own = looks.0.lock().unwrap().clone();
    // The history has the calls of each step that change something; an intent goes before them.
    for (step, own) in &mut own {
        let history = &stack().history(1).await.unwrap()[0];
        let (name, act) = (step.to_string(), step.act);
        *own += history.calls.iter().filter(|call| call.step == name).count();
        *own += usize::from(act.is_mutating());
    }
    // The first intent is behind before the first call.
    (sim.rounds(), last + 1 - first, longest_chain(&applied.plan, &own) - 1)
}

fn assert_near((all, steps, chain): (usize, usize, usize)) {
    println!("{all} rounds, {steps} of them from the first step to the last; the longest chain has {chain}");
    assert!(steps * 10 <= chain * 13, "{steps} rounds for a chain of {chain}, {all} in all");
}

#[tokio::test]
async fn an_apply_of_prod_takes_little_longer_than_its_longest_chain() {
    assert_near(of_apply("prod.yaml", &[]).await);
}

#[tokio::test]
async fn an_apply_of_dev_takes_little_longer_than_its_longest_chain() {
    assert_near(of_apply("dev.yaml", &[]).await);
}
