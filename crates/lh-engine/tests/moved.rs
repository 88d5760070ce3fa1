//! Just before a resource is changed or deleted it is looked at once more: what has moved since
//! the plan was made is left alone, and the step says what has moved.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use lh_engine::{Outcome, Session, Stop};
use lh_kind::ErrorKind;
use lh_model::Desired;
use lh_plan::{Act, Mode, StepId};
use lh_testkit::{Bench, ToyCloud, ToyStack, bench::holder};
use serde_json::json;

/// Plans, lets somebody else work, and carries the plan out.
async fn run(bench: &Bench, stack: &Desired, mode: Mode, meanwhile: impl FnOnce(&ToyCloud)) -> Outcome {
    let mut session = Session::lock(bench.ports(), stack, holder()).await.unwrap();
    let plan = session.plan(stack, mode, false).await.unwrap();
    meanwhile(&bench.cloud);
    bench.cloud.take_log();
    let outcome = session.execute(&plan, &Stop::default()).await.unwrap();
    session.close().await.unwrap();
    outcome
}

fn failure(outcome: &Outcome, act: Act, address: &str) -> (ErrorKind, String) {
    let error = &outcome.failed[&StepId::new(act, &address.parse().unwrap())];
    (error.kind, error.message.clone())
}

async fn applied() -> (Bench, ToyStack) {
    let (bench, stack) = (Bench::new(), ToyStack::reference());
    bench.apply(&stack.0).await;
    (bench, stack)
}

#[tokio::test]
async fn a_change_of_what_has_moved_is_not_made_and_says_why() {
    let (bench, stack) = applied().await;
    let more = stack.set("disk.data", "size", json!(50)).set("rule.db", "note", json!("new")).0;
    let outcome = run(&bench, &more, Mode::Apply, |cloud| cloud.edit("disk.data", "size", json!(30))).await;
    let (kind, why) = failure(&outcome, Act::Update, "disk.data");
    assert_eq!(kind, ErrorKind::Stale);
    assert!(why.contains("has changed since the plan was made: size was 20 and is 30"), "{why}");
    assert!(!bench.cloud.take_log().contains(&"toy:ModifyDisk".to_owned()), "it was changed all the same");
    assert_eq!(outcome.done.len(), 1, "the other change does not suffer: {outcome:?}");
    // Nothing is left open, and the next plan starts from what is there.
    let next = bench.run(&more, Mode::Apply, false).await.unwrap();
    assert!(next.outcome.is_complete());
    assert_eq!(next.plan.steps.iter().map(|s| s.id.to_string()).collect::<Vec<_>>(), ["update disk.data"]);
}

#[tokio::test]
async fn a_tag_of_somebody_else_is_no_movement_and_one_of_ours_is() {
    let (bench, stack) = applied().await;
    let more = stack.set("disk.data", "size", json!(50)).0;
    let theirs = |cloud: &ToyCloud| cloud.edit("disk.data", "tags.Theirs", json!("x"));
    assert!(run(&bench, &more, Mode::Apply, theirs).await.is_complete());
    let more = ToyStack::reference().set("disk.data", "size", json!(60)).0;
    let ours = |cloud: &ToyCloud| cloud.edit("disk.data", "tags.Owner", json!("x"));
    let outcome = run(&bench, &more, Mode::Apply, ours).await;
    let (kind, why) = failure(&outcome, Act::Update, "disk.data");
    assert_eq!(kind, ErrorKind::Stale);
    assert!(why.contains("the tag Owner was \"test\" and is \"x\""), "{why}");
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_deleted_and_what_is_gone_does_not_matter() {
    let (bench, stack) = applied().await;
    let less = stack.without("rule.db").without("rule.ssh").0;
    let outcome = run(&bench, &less, Mode::Apply, |cloud| {
        cloud.edit("rule.db", "note", json!("in use"));
        cloud.vanish("rule.ssh");
    })
    .await;
    assert_eq!(failure(&outcome, Act::Delete, "rule.db").0, ErrorKind::Stale);
    assert_eq!((bench.cloud.ids("rule.db").len(), outcome.done.len()), (1, 1), "{outcome:?}");
}

#[tokio::test]
async fn what_is_gone_is_not_changed() {
    let (bench, stack) = applied().await;
    let more = stack.set("rule.db", "note", json!("new")).0;
    let outcome = run(&bench, &more, Mode::Apply, |cloud| cloud.vanish("rule.db")).await;
    let (kind, why) = failure(&outcome, Act::Update, "rule.db");
    assert_eq!(kind, ErrorKind::Stale);
    assert!(why.contains("is gone since the plan was made"), "{why}");
}

#[tokio::test]
async fn one_look_a_kind_serves_a_whole_wave() {
    let mut stack = ToyStack::empty();
    let named = |n: usize| format!("secret.s{n}");
    for n in 0..20 {
        stack = stack.with(&named(n), json!({"name": format!("s{n}"), "tags": {}}));
    }
    let bench = Bench::new();
    bench.apply(&stack.0).await;
    for n in 0..20 {
        stack = stack.set(&named(n), "tags.Owner", json!("test"));
    }
    run(&bench, &stack.0, Mode::Apply, |_| {}).await;
    let log = bench.cloud.take_log();
    let first = log.iter().position(|call| call == "toy:ModifySecret").unwrap();
    assert_eq!(log[..first], ["toy:DescribeSecret"], "one look before the first change");
}
