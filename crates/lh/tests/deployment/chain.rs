//! How long an apply takes against how long it has to, on tokio's paused clock: every call to the
//! simulated AWS takes 40 ms of it, calls at the same time share them, and nothing else takes any.
//!
//! The longest chain of steps of which each needs the one before cannot take less than its own calls
//! and looks, with an intent written before each step; everything else should fit beside it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use lh::{Cloud, Deployment, Event, Events, Plan, Stack, StepId};
use lh_sim::Faults;
use tokio::time::Instant;

/// What a call takes.
const CALL: Duration = Duration::from_millis(40);

/// When a step began and ended, and how often it was looked at.
#[derive(Default)]
struct Looked {
    began: Option<Instant>,
    ended: Option<Instant>,
    times: usize,
}

#[derive(Default)]
struct Looks(Mutex<BTreeMap<StepId, Looked>>);

impl Events for Looks {
    fn tell(&self, event: Event) {
        let mut all = self.0.lock().unwrap();
        match event {
            Event::Started(step) => all.entry(step).or_default().began = Some(Instant::now()),
            Event::Waiting { step, .. } => all.entry(step).or_default().times += 1,
            Event::Finished { step, .. } => {
                let looked = all.entry(step).or_default();
                (looked.times, looked.ended) = (looked.times + 1, Some(Instant::now()));
            }
            _ => {}
        }
    }
}

/// The length of the longest chain of steps: intent, calls, and looks of each.
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

/// The time of the whole run, of the part between the first step and the last, and of the longest
/// chain of steps, in calls.
async fn of_apply(file: &str) -> (u128, u128, usize) {
    let cloud = Cloud::simulated();
    let file = format!("{}/../../stacks/{file}", env!("CARGO_MANIFEST_DIR"));
    let stack = || Deployment::new(Stack::load(&file, &[]).unwrap(), cloud.clone());
    stack().bootstrap().await.unwrap();
    let (sim, looks) = (cloud.sim().unwrap(), Arc::new(Looks::default()));
    sim.set_faults(Faults { latency: CALL, ..Faults::default() });
    let began = Instant::now();
    let applied = stack().telling(looks.clone()).apply(|_| true).await.unwrap();
    let all = began.elapsed();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome);
    let history = &stack().history(1).await.unwrap()[0];
    let mut own: BTreeMap<StepId, usize> = BTreeMap::new();
    let (mut first, mut last) = (all, Duration::ZERO);
    for (step, looked) in looks.0.lock().unwrap().iter() {
        let name = step.to_string();
        // The history has the calls of each step that change something; an intent goes before them.
        let calls = history.calls.iter().filter(|call| call.step == name).count();
        own.insert(step.clone(), calls + looked.times + usize::from(step.act.is_mutating()));
        first = first.min(looked.began.map_or(all, |at| at - began));
        last = last.max(looked.ended.map_or(Duration::ZERO, |at| at - began));
    }
    // The first intent is behind when the first step begins.
    (in_calls(all), in_calls(last - first), longest_chain(&applied.plan, &own) - 1)
}

fn in_calls(time: Duration) -> u128 {
    time.as_millis() / CALL.as_millis()
}

fn assert_near((all, steps, chain): (u128, u128, usize)) {
    assert!(steps * 10 <= chain as u128 * 13, "{steps} for a chain of {chain}, {all} in all");
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_prod_takes_little_longer_than_its_longest_chain() {
    assert_near(of_apply("prod.yaml").await);
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_dev_takes_little_longer_than_its_longest_chain() {
    assert_near(of_apply("dev.yaml").await);
}
