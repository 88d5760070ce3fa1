//! Runs in which something fails or somebody stops: the rest goes on or nothing new begins,
//! everything is recorded, and the next apply converges.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use lh_engine::{EngineError, Event, Stop};
use lh_kind::ErrorKind;
use lh_plan::{Act, Mode, StepId};
use lh_testkit::{Bench, ToyStack};

fn step(act: Act, address: &str) -> StepId {
    StepId::new(act, &address.parse().unwrap())
}

async fn converges(bench: &Bench, stack: &lh_model::Desired) {
    bench.apply(stack).await;
    let alone = Bench::new();
    alone.apply(stack).await;
    assert_eq!(bench.end(stack).await, alone.end(stack).await);
    assert!(bench.plan(stack, Mode::Apply).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_step_stops_only_what_needs_it() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.cloud.fail("toy:CreateServer", ErrorKind::Capacity, 1);
    let outcome = bench.run(&stack, Mode::Apply, false).await.unwrap().outcome;
    let failed: Vec<&StepId> = outcome.failed.keys().collect();
    assert_eq!(failed, [&step(Act::Create, "server.main")]);
    let skipped: Vec<&StepId> = outcome.skipped.iter().collect();
    assert_eq!(skipped, [&step(Act::Create, "address.main"), &step(Act::Create, "mount.data")]);
    assert_eq!(outcome.done.len(), 5);
    assert!(!outcome.interrupted && !outcome.is_complete());
    let state = bench.state(&stack).await;
    assert_eq!((state.serial, state.resources.len()), (1, 5), "surely without effect: the state is written");
    converges(&bench, &stack).await;
}

#[tokio::test]
async fn whatever_fails_at_whichever_call_the_next_apply_converges() {
    let stack = ToyStack::reference().0;
    let kinds = [ErrorKind::Denied, ErrorKind::Throttled, ErrorKind::Other, ErrorKind::TokenMismatch];
    for operation in ["Group", "Rule", "Disk", "Server", "Mount", "Address", "Secret"] {
        for kind in kinds {
            for verb in ["Create", "Describe"] {
                let bench = Bench::new();
                // The first look is the plan's; a failing one there is told at once.
                let name = format!("toy:{verb}{operation}");
                if verb == "Create" {
                    bench.cloud.fail(&name, kind, 1);
                } else {
                    let (cloud, armed) = (bench.cloud.clone(), std::sync::atomic::AtomicBool::new(true));
                    let word = operation.to_lowercase();
                    bench.told.react(move |event| {
                        let ours = matches!(event, Event::Started(step) if step.address.kind() == word);
                        if ours && armed.swap(false, std::sync::atomic::Ordering::SeqCst) {
                            cloud.fail(&name, kind, 1);
                        }
                    });
                }
                let outcome = bench.run(&stack, Mode::Apply, false).await.unwrap().outcome;
                // Throttling passes by itself: that call is made again in the same run.
                let passes = kind == ErrorKind::Throttled;
                assert_eq!(outcome.failed.is_empty(), passes, "{verb} {operation} {kind:?}");
                converges(&bench, &stack).await;
            }
        }
    }
}

#[tokio::test]
async fn what_comes_up_broken_is_recorded_and_then_refused_in_words() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.cloud.break_new("server");
    let outcome = bench.run(&stack, Mode::Apply, false).await.unwrap().outcome;
    assert!(outcome.failed[&step(Act::Create, "server.main")].message.contains("server-main-1"));
    assert!(bench.state(&stack).await.resources.contains_key(&"server.main".parse().unwrap()));
    let plan = bench.plan(&stack, Mode::Apply).await.unwrap();
    assert_eq!(plan.refusals[0].code, "E0604");
    let error = bench.run(&stack, Mode::Apply, false).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)));
}

/// From the moment the server is begun, looks at it fail with `kind`, `times` times.
fn blind(bench: &Bench, kind: ErrorKind, times: usize) {
    let (cloud, armed) = (bench.cloud.clone(), std::sync::atomic::AtomicBool::new(true));
    bench.told.react(move |event| {
        let ours = matches!(event, Event::Started(step) if step.address.kind() == "server");
        if ours && armed.swap(false, std::sync::atomic::Ordering::SeqCst) {
            cloud.fail("toy:DescribeServer", kind, times);
        }
    });
}

#[tokio::test]
async fn a_wait_bears_looks_that_are_throttled_or_lost() {
    let stack = ToyStack::reference().0;
    for kind in [ErrorKind::Throttled, ErrorKind::Unreachable] {
        let bench = Bench::new();
        blind(&bench, kind, 5);
        let outcome = bench.run(&stack, Mode::Apply, false).await.unwrap().outcome;
        assert_eq!(outcome.failed, [].into(), "{kind:?} says nothing of the server");
        converges(&bench, &stack).await;
    }
}

#[tokio::test]
async fn a_plan_asks_again_for_what_was_throttled() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.apply(&stack).await;
    bench.cloud.fail("toy:DescribeDisk", ErrorKind::Throttled, 2);
    let plan = bench.plan(&stack, Mode::Apply).await.unwrap();
    assert!(plan.is_empty() && plan.refusals.is_empty());
}

#[tokio::test]
async fn a_wait_ends_where_nothing_can_be_seen_for_a_minute() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    blind(&bench, ErrorKind::Throttled, 10_000);
    let outcome = bench.run(&stack, Mode::Apply, false).await.unwrap().outcome;
    assert_eq!(outcome.failed[&step(Act::Create, "server.main")].kind, ErrorKind::Throttled);
    assert!(bench.time.pauses() < 40, "it is seconds that are counted: {}", bench.time.pauses());
    bench.cloud.fail("toy:DescribeServer", ErrorKind::Throttled, 0);
    converges(&bench, &stack).await;
}

#[tokio::test]
async fn not_yet_is_repeated_and_told_once() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.cloud.fail("toy:CreateGroup", ErrorKind::NotYet, 4);
    bench.apply(&stack).await;
    let told = bench.told.take();
    assert_eq!(told.iter().filter(|event| matches!(event, Event::Retrying { .. })).count(), 1);
    assert!(bench.time.pauses() >= 4);
}

#[tokio::test]
async fn not_yet_for_ever_ends_and_has_no_effect() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.cloud.fail("toy:CreateGroup", ErrorKind::NotYet, 10_000);
    let outcome = bench.run(&stack, Mode::Apply, false).await.unwrap().outcome;
    assert!(outcome.failed.contains_key(&step(Act::Create, "group.main")));
    assert!(bench.time.pauses() < 100, "minutes are counted, not calls");
    bench.cloud.fail("toy:CreateGroup", ErrorKind::NotYet, 0);
    converges(&bench, &stack).await;
}

/// Asks to stop at the `n`-th event; nothing may be started after it.
async fn stopped_at(n: usize, mode: Mode, bench: &Bench) -> bool {
    let stack = ToyStack::reference().0;
    let stop = Stop::default();
    let (asked, count) = (stop.clone(), std::sync::atomic::AtomicUsize::new(0));
    bench.told.take();
    bench.told.react(move |_| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == n {
            asked.ask();
        }
    });
    let outcome = bench.run_until(&stack, mode, false, &stop).await.unwrap().outcome;
    bench.told.react(|_| {});
    let events = bench.told.take();
    if let Some(at) = events.iter().position(|event| matches!(event, Event::Stopping { .. })) {
        let later = events[at..].iter().filter(|event| matches!(event, Event::Started(_))).count();
        assert_eq!(later, 0, "something began after the wish to stop at event {n}");
        assert!(outcome.interrupted);
    }
    assert!(outcome.failed.is_empty(), "{:#?}", outcome.failed);
    outcome.is_complete()
}

#[tokio::test]
async fn stopping_an_apply_at_any_event_finishes_what_flies_and_begins_nothing() {
    let stack = ToyStack::reference().0;
    for n in 0..200 {
        let bench = Bench::new();
        let complete = stopped_at(n, Mode::Apply, &bench).await;
        converges(&bench, &stack).await;
        if complete {
            assert!(n > 10);
            return;
        }
    }
    panic!("no run was ever complete");
}

#[tokio::test]
async fn stopping_a_destroy_at_any_event_converges_too() {
    let stack = ToyStack::reference().0;
    let destroy = Mode::Destroy { retain_data: false };
    for n in 0..200 {
        let bench = Bench::new();
        bench.apply(&stack).await;
        let complete = stopped_at(n, destroy, &bench).await;
        bench.settle(&stack, destroy).await;
        let left: Vec<String> = bench.cloud.census().into_iter().map(|(address, _)| address).collect();
        assert_eq!(left, ["copy.final-data-0"], "stopped at event {n}");
        if complete {
            assert!(n > 10);
            return;
        }
    }
    panic!("no run was ever complete");
}

#[tokio::test]
async fn stopping_ends_the_wait_for_a_turn() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.cloud.fail("toy:CreateGroup", ErrorKind::NotYet, 1_000);
    let stop = Stop::default();
    let asked = stop.clone();
    bench.told.react(move |event| {
        if matches!(event, Event::Retrying { .. }) {
            asked.ask();
        }
    });
    bench.run_until(&stack, Mode::Apply, false, &stop).await.unwrap();
    assert!(bench.time.pauses() < 10, "it was repeated {} times after that", bench.time.pauses());
    bench.cloud.fail("toy:CreateGroup", ErrorKind::NotYet, 0);
    bench.told.react(|_| {});
    converges(&bench, &stack).await;
}

#[tokio::test]
async fn a_cloud_that_cannot_be_asked_is_one_error_and_leaves_no_lock() {
    let stack = ToyStack::reference().0;
    for kind in [ErrorKind::Unreachable, ErrorKind::Throttled, ErrorKind::Credentials] {
        let bench = Bench::new();
        for word in ["Group", "Rule", "Disk", "Server", "Mount", "Address", "Secret"] {
            bench.cloud.fail(&format!("toy:Describe{word}"), kind, 1);
        }
        let error = bench.run(&stack, Mode::Apply, false).await.unwrap_err();
        assert!(matches!(&error, EngineError::Cloud(error) if error.kind == kind), "{error}");
        assert!(bench.cloud.census().is_empty());
        for word in ["Group", "Rule", "Disk", "Server", "Mount", "Address", "Secret"] {
            bench.cloud.fail(&format!("toy:Describe{word}"), kind, 0);
        }
        bench.apply(&stack).await;
    }
}

#[tokio::test]
async fn one_kind_that_cannot_be_read_refuses_the_plan_by_name() {
    let stack = ToyStack::reference().0;
    for kind in [ErrorKind::Denied, ErrorKind::Unreachable, ErrorKind::Throttled] {
        let bench = Bench::new();
        bench.apply(&stack).await;
        bench.cloud.fail("toy:DescribeRule", kind, 100);
        let plan = bench.plan(&stack, Mode::Apply).await.unwrap();
        let refused: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
        assert_eq!(refused, ["E0601", "E0601"]);
        assert!(plan.refusals[0].message.contains("rule.db"));
        assert_eq!(plan.refusals[0].origin.as_ref().map(|origin| origin.line), Some(3));
        assert!(plan.notes.iter().any(|note| note.text.contains("could not be read")));
    }
}
