//! Plans that were kept, and states that were lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use lh_engine::{EngineError, Outcome, Session, Stop, store::memory::MemoryStore};
use lh_model::Desired;
use lh_plan::{Act, Mode, Plan};
use lh_testkit::{Bench, Fuse, ToyStack, bench::holder};
use serde_json::json;

/// Carries out a plan that was kept as text.
async fn apply_saved(bench: &Bench, plan: &Plan, stack: &Desired) -> Result<Outcome, EngineError> {
    let text = serde_json::to_string(plan).unwrap();
    let plan: Plan = serde_json::from_str(&text).unwrap();
    let mut session = Session::lock(bench.ports(), stack, holder()).await?;
    let outcome = match session.check(&plan, stack).await {
        Ok(()) => session.execute(&plan, &Stop::default()).await,
        Err(error) => Err(error),
    };
    session.close().await?;
    outcome
}

fn is_stale<T: std::fmt::Debug>(result: &Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Stale(_)))
}

#[tokio::test]
async fn the_very_first_plan_can_be_kept_and_applied_once() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    let plan = bench.plan(&stack, Mode::Apply).await.unwrap();
    assert!(apply_saved(&bench, &plan, &stack).await.unwrap().is_complete());
    assert!(bench.plan(&stack, Mode::Apply).await.unwrap().is_empty());
    let again = apply_saved(&bench, &plan, &stack).await;
    assert!(is_stale(&again), "{again:?}");
    assert_eq!(bench.cloud.census().len(), 8);
}

#[tokio::test]
async fn a_kept_plan_is_stale_once_the_state_or_the_cloud_has_moved() {
    let stack = ToyStack::reference().0;
    let more = ToyStack::reference().set("disk.data", "size", json!(50)).0;
    let bench = Bench::new();
    bench.apply(&stack).await;
    let plan = bench.plan(&more, Mode::Apply).await.unwrap();

    bench.cloud.edit("rule.db", "note", json!("by hand"));
    assert!(is_stale(&apply_saved(&bench, &plan, &more).await), "the cloud has moved");
    bench.cloud.edit("rule.db", "note", json!("db"));
    assert!(apply_saved(&bench, &plan, &more).await.unwrap().is_complete(), "and back");

    let plan = bench.plan(&stack, Mode::Destroy { retain_data: true }).await.unwrap();
    bench.apply(&ToyStack::reference().set("disk.data", "size", json!(60)).0).await;
    assert!(is_stale(&apply_saved(&bench, &plan, &stack).await), "the state has moved");
}

#[tokio::test]
async fn a_kept_plan_is_stale_after_a_run_that_died() {
    let stack = ToyStack::reference().0;
    for n in 0..8 {
        let bench = Bench::new();
        let plan = bench.plan(&stack, Mode::Apply).await.unwrap();
        bench.run_with(&stack, Mode::Apply, Fuse::AfterCall(n)).await;
        let result = apply_saved(&bench, &plan, &stack).await;
        assert!(is_stale(&result), "{result:?}");
        bench.apply(&stack).await;
        assert_eq!(bench.cloud.census().len(), 8);
    }
}

#[tokio::test]
async fn a_plan_of_another_state_is_never_carried_out() {
    let stack = ToyStack::reference().0;
    let (bench, other) = (Bench::new(), Bench::new());
    bench.apply(&stack).await;
    other.apply(&stack).await;
    let plan = other.plan(&stack, Mode::Destroy { retain_data: false }).await.unwrap();
    assert!(is_stale(&apply_saved(&bench, &plan, &stack).await));
    // Even unchecked.
    let mut session = Session::lock(bench.ports(), &stack, holder()).await.unwrap();
    assert!(is_stale(&session.execute(&plan, &Stop::default()).await));
    session.close().await.unwrap();
    assert_eq!(bench.cloud.census().len(), 8);
}

#[tokio::test]
async fn an_unsound_plan_is_never_carried_out() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    let mut plan = bench.plan(&stack, Mode::Apply).await.unwrap();
    plan.steps.reverse();
    let error = apply_saved(&bench, &plan, &stack).await.unwrap_err();
    assert!(matches!(error, EngineError::Unsound(_)), "{error}");
    assert!(bench.cloud.census().is_empty());
}

#[tokio::test]
async fn a_lost_state_is_noticed_and_nothing_is_made_twice() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.apply(&stack).await;
    let lost = bench.moved_to(&MemoryStore::new());
    for mode in [Mode::Apply, Mode::Destroy { retain_data: false }] {
        let Err(EngineError::Refused(refusals)) = lost.run(&stack, mode, false).await else {
            panic!("{mode:?} went on without its state");
        };
        // All that carry tags are named; the mount takes none.
        let told = refusals.iter().filter(|refusal| refusal.code == "E0602");
        let told = told.map(|refusal| format!("{refusal:?}")).collect::<String>();
        for (address, _) in lost.cloud.census() {
            let named = told.contains(&bench.cloud.ids(&address)[0]);
            assert_eq!(named, address != "mount.data", "{mode:?}, {address}: {told}");
        }
        assert!(told.contains("lhctl recover"));
        assert_eq!(lost.cloud.census().len(), 8);
    }
}

#[tokio::test]
async fn recovering_takes_everything_over_and_changes_nothing() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.apply(&stack).await;
    let before = bench.end(&stack).await;
    let lost = bench.moved_to(&MemoryStore::new());
    // The spec has moved on meanwhile: that is for the plan after it.
    let wanted = ToyStack::reference()
        .set("disk.data", "size", json!(40))
        .set("server.main", "image", json!("image-2"))
        .0;
    let run = lost.run(&wanted, Mode::Apply, true).await.unwrap();
    assert!(run.plan.steps.iter().all(|step| step.id.act == Act::Adopt), "{:#?}", run.plan.steps);
    assert_eq!(run.plan.steps.len(), 8);
    assert_eq!(lost.cloud.census(), before.0);
    let next = lost.plan(&wanted, Mode::Apply).await.unwrap();
    assert!(next.refusals.is_empty() && !next.is_empty());

    let lost = bench.moved_to(&MemoryStore::new());
    lost.run(&stack, Mode::Apply, true).await.unwrap();
    assert_eq!(lost.end(&stack).await, before);
    assert!(lost.plan(&stack, Mode::Apply).await.unwrap().is_empty());
    // And the rebuilt state is as good as the old one.
    lost.apply(&wanted).await;
    lost.settle(&wanted, Mode::Destroy { retain_data: false }).await;
    assert_eq!(lost.cloud.census().len(), 1, "the last copy");
}
