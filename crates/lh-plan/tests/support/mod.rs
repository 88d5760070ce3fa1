//! What the planner's tests share.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::collections::BTreeSet;

use lh_plan::{Act, Mode, Plan, Step, StepId};
use lh_testkit::{Bench, ToyCloud, ToyStack};

pub const DESTROY: Mode = Mode::Destroy { retain_data: false };
pub const RETAIN: Mode = Mode::Destroy { retain_data: true };

/// A bench on which `stack` stands.
pub async fn applied(stack: &ToyStack) -> Bench {
    let bench = Bench::new();
    bench.apply(&stack.0).await;
    bench
}

pub async fn plan(bench: &Bench, stack: &ToyStack) -> Plan {
    bench.plan(&stack.0, Mode::Apply).await.unwrap()
}

pub async fn destroy(bench: &Bench, stack: &ToyStack, mode: Mode) -> Plan {
    bench.plan(&stack.0, mode).await.unwrap()
}

/// The steps in words, in order.
pub fn words(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.to_string()).collect()
}

/// The steps in words, sorted, for plans whose order does not matter.
pub fn sorted(plan: &Plan) -> Vec<String> {
    let mut words = words(plan);
    words.sort();
    words
}

pub fn codes(plan: &Plan) -> Vec<&str> {
    plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect()
}

pub fn step<'a>(plan: &'a Plan, act: Act, address: &str) -> &'a Step {
    plan.step(&StepId::new(act, &address.parse().unwrap())).unwrap_or_else(|| {
        panic!("no {} {address} in {:?}", act.word(), words(plan));
    })
}

/// Where the step stands in the plan.
pub fn place(plan: &Plan, words: &str) -> usize {
    let all = self::words(plan);
    all.iter().position(|step| step == words).unwrap_or_else(|| panic!("no `{words}` in {all:?}"))
}

/// What any plan must keep, whatever it is of.
pub fn is_sound(plan: &Plan) {
    assert_eq!(lh_plan::lint(plan, &ToyCloud::default()), Vec::<String>::new());
    let text = serde_json::to_string(plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), *plan, "a plan reads back as it was");
    let mut done: BTreeSet<&StepId> = BTreeSet::new();
    for step in &plan.steps {
        assert!(!step.reason.is_empty(), "{} has no reason", step.id);
        assert!(step.requires.iter().all(|id| done.contains(id)), "{} comes too early", step.id);
        done.insert(&step.id);
    }
}

/// What the step waits for, in words.
pub fn requires(plan: &Plan, act: Act, address: &str) -> Vec<String> {
    step(plan, act, address).requires.iter().map(ToString::to_string).collect()
}
