//! Undisturbed sessions: what is recorded, what a second run finds, who may run, how many looks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use std::collections::BTreeMap;

use lh_engine::{EngineError, Event, Session, store::memory::MemoryStore};
use lh_plan::Mode;
use lh_state::{StoreError, decode, fold};
use lh_testkit::{Bench, ToyStack, bench::holder};
use serde_json::json;

#[tokio::test]
async fn a_second_apply_finds_nothing_to_do_and_writes_nothing() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    let first = bench.apply(&stack).await;
    assert_eq!(first.plan.counts(), (8, 0, 0));
    let text = bench.snapshots.load().await.unwrap();
    let second = bench.apply(&stack).await;
    assert_eq!(second.plan.steps, []);
    assert!(second.plan.pins.is_empty() && second.plan.drift.is_empty() && second.plan.notes.is_empty());
    assert_eq!(bench.snapshots.load().await.unwrap(), text, "nothing changed, nothing is written");
}

#[tokio::test]
async fn the_state_tells_ids_inputs_and_facts_and_no_long_text() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    bench.apply(&stack).await;
    let text = bench.snapshots.load().await.unwrap().0.unwrap();
    let state = decode(&text).unwrap();
    assert_eq!((state.serial, state.account.as_deref()), (1, Some("123456789012")));
    assert_eq!(state.pins["image"].answer["id"], "image-1");
    let server = &state.resources[&"server.main".parse().unwrap()];
    assert_eq!(server.id.0, "server-main-1");
    assert_eq!(server.inputs["group"], "group-main-1", "references are resolved");
    assert_eq!(server.observed["ip"], "ip-of-server-main-1");
    assert!(server.inputs["user_data"].as_str().unwrap().starts_with("sha256:"));
    assert!(!text.contains("mount disk"), "long texts are kept as digests");
    let needs: Vec<String> = server.needs.iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["disk.data", "group.main"]);
    assert!(bench.journal.since(1).await.unwrap().is_empty());
    assert!(bench.journal.since(0).await.unwrap().is_empty(), "the snapshot made the journal history");
}

#[tokio::test]
async fn every_prefix_of_a_journal_folds() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    let writes = {
        bench.apply(&stack).await;
        bench.crash.seen().1
    };
    let bench = Bench::new();
    // Died at the snapshot: the whole journal is there.
    bench.run_with(&stack, Mode::Apply, lh_testkit::Fuse::BeforeWrite(writes - 2)).await;
    let entries = bench.journal.since(0).await.unwrap();
    assert!(entries.len() > 20, "a whole run was written: {}", entries.len());
    let blank = lh_state::State::new("l".into(), stack.stack.clone(), stack.region.clone());
    for length in 0..=entries.len() {
        let fold = fold(blank.clone(), &entries[..length]);
        let (open, known) = (fold.open().count(), fold.state.resources.len());
        assert!(open + known <= 8, "after {length} entries: {open} open, {known} known");
    }
    assert_eq!(fold(blank, &entries).state.resources.len(), 8);
}

#[tokio::test]
async fn a_second_session_is_told_who_has_the_lock_and_a_reader_is_not_stopped() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    let first = Session::lock(bench.ports(), &stack, holder()).await.unwrap();
    let error = Session::lock(bench.ports(), &stack, holder()).await.err().unwrap();
    assert!(matches!(&error, EngineError::Store(StoreError::Locked(Some(by))) if *by == holder()), "{error}");
    bench.plan(&stack, Mode::Apply).await.unwrap();
    first.close().await.unwrap();
    bench.apply(&stack).await;
}

#[tokio::test]
async fn a_run_that_lost_its_lease_makes_no_further_change() {
    let stack = ToyStack::reference().0;
    for n in 0..8 {
        let store = MemoryStore::new();
        let bench = Bench::over(&store);
        let begun = std::sync::atomic::AtomicUsize::new(0);
        bench.told.react(move |event| {
            if matches!(event, Event::Finished { .. })
                && begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == n
            {
                store.take_over();
            }
        });
        let error = bench.run(&stack, Mode::Apply, false).await.unwrap_err();
        assert!(matches!(error, EngineError::Store(StoreError::Fenced)), "{error}");
        assert_eq!(bench.snapshots.load().await.unwrap().0, None, "a fenced run writes no snapshot");
        let told = bench.told.take();
        let finished = |event: &Event| matches!(event, Event::Finished { .. });
        let lost = told.iter().enumerate().filter(|(_, event)| finished(event)).nth(n).unwrap().0;
        let later = told[lost..].iter().filter(|event| matches!(event, Event::Started(_)));
        assert_eq!(later.count(), 0, "nothing begins after the lease was lost at step {n}");
        bench.told.react(|_| {});
        bench.apply(&stack).await;
        assert_eq!(bench.cloud.census().len(), 8, "the next run makes it good");
    }
}

#[tokio::test]
async fn a_call_that_waits_for_its_turn_is_not_repeated_without_the_lease() {
    let stack = ToyStack::empty().with("disk.data", json!({"size": 1, "zone": "a", "tags": {}})).0;
    let store = MemoryStore::new();
    let bench = Bench::over(&store);
    bench.cloud.fail("toy:CreateDisk", lh_kind::ErrorKind::NotYet, 3);
    bench.told.react(move |event| {
        if matches!(event, Event::Retrying { .. }) {
            store.take_over();
        }
    });
    let error = bench.run(&stack, Mode::Apply, false).await.unwrap_err();
    assert!(matches!(error, EngineError::Store(StoreError::Fenced)), "{error}");
    let retries = bench.told.take().into_iter().filter(|event| matches!(event, Event::Retrying { .. }));
    assert_eq!(retries.count(), 1);
    assert!(bench.cloud.census().is_empty(), "the fourth call would have made it");
}

/// How often each operation is called by a plan of `stack` once it is applied.
async fn looks(stack: &ToyStack) -> (BTreeMap<String, usize>, usize) {
    let bench = Bench::new();
    bench.apply(&stack.0).await;
    bench.told.take();
    bench.cloud.take_log();
    assert!(bench.plan(&stack.0, Mode::Apply).await.unwrap().is_empty());
    let mut counts = BTreeMap::new();
    for call in bench.cloud.take_log() {
        *counts.entry(call).or_default() += 1;
    }
    let rounds = bench.told.take().iter().filter(|event| matches!(event, Event::Looking { .. })).count();
    (counts, rounds)
}

#[tokio::test]
async fn fifty_copies_cost_no_more_looks_than_one() {
    let mut many = ToyStack::reference();
    for n in 0..50 {
        let group = lh_testkit::stack::reference("group.main", "id");
        many = many.with(&format!("disk.extra{n}"), json!({"size": 1, "zone": "a", "tags": {}})).with(
            &format!("rule.extra{n}"),
            json!({"group": group, "port": 1000 + n, "note": "", "tags": {}}),
        );
    }
    let (one, rounds) = looks(&ToyStack::reference()).await;
    assert!(one.values().all(|count| *count == 1), "{one:?}");
    assert_eq!(rounds, 1);
    assert_eq!(looks(&many).await, (one, rounds));
}

#[tokio::test]
async fn a_stack_in_a_file_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let stack = ToyStack::reference().0;
    let bench = Bench::local(&folder.path().join("state/toy.json"));
    bench.apply(&stack).await;
    assert!(bench.plan(&stack, Mode::Apply).await.unwrap().is_empty());
    bench.run_with(&stack, Mode::Destroy { retain_data: false }, lh_testkit::Fuse::AfterCall(2)).await;
    bench.settle(&stack, Mode::Destroy { retain_data: false }).await;
    let left: Vec<String> = bench.cloud.census().into_iter().map(|(address, _)| address).collect();
    assert_eq!(left, ["copy.final-data-0"]);
}

#[tokio::test]
async fn what_changed_outside_is_remembered_by_the_next_apply() {
    let stack = ToyStack::reference().0;
    let bench = Bench::new();
    // Interrupted while the server was still coming up: its facts are of that moment.
    let stop = lh_engine::Stop::default();
    let asked = stop.clone();
    bench.told.react(move |event| {
        if matches!(event, Event::Waiting { step, .. } if step.address.kind() == "server") {
            asked.ask();
        }
    });
    let run = bench.run_until(&stack, Mode::Apply, false, &stop).await.unwrap();
    assert!(run.outcome.interrupted && !run.outcome.is_complete());
    let server = "server.main".parse().unwrap();
    assert_eq!(bench.state(&stack).await.resources[&server].observed["state"], "pending");
    for _ in 0..3 {
        bench.plan(&stack, Mode::Apply).await.unwrap(); // Time passes with each look.
    }
    bench.apply(&stack).await;
    assert_eq!(bench.state(&stack).await.resources[&server].observed["state"], "ready");
}
