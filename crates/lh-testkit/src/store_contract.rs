//! The contract that every store keeps, as a suite to be run on each.

use lh_model::{Address, StackId};
use lh_state::{
    Entry, Event, History, Holder, Journal, Lease, Liveness, Run, RunResult, Snapshots, State, StoreError,
    encode, fold, history::RUNS_KEPT,
};

/// Runs the whole contract on an empty store. `again` is a second handle to the same place, as
/// another process would have it.
///
/// # Panics
/// When the store breaks it.
pub async fn check<S: Snapshots + Journal + History + Lease>(store: &S, again: &S) {
    snapshots(store, again).await;
    versions(store, again).await;
    history(store, again).await;
    journal(store, again).await;
    lease(store, again).await;
}

fn text(serial: u64) -> String {
    let mut state = State::new("lineage".into(), StackId("toy-test".into()), "us-east-1".into());
    state.serial = serial;
    encode(&state, "0.0.0").expect("a state encodes")
}

async fn snapshots(store: &impl Snapshots, again: &impl Snapshots) {
    assert_eq!(store.load().await.expect("an empty place loads"), (None, None));
    let wrong = Some("another".to_owned());
    assert_eq!(store.swap(&wrong, &text(1)).await, Err(StoreError::Moved), "nothing is there to swap");
    assert_eq!(store.load().await.expect("loads").0, None, "a refused swap writes nothing");

    let first = store.swap(&None, &text(1)).await.expect("the first write");
    assert!(first.is_some(), "what was written has a version");
    assert_eq!(again.load().await.expect("loads"), (Some(text(1)), first.clone()));
    assert_eq!(again.swap(&None, &text(2)).await, Err(StoreError::Moved), "something is there now");

    let second = again.swap(&first, &text(2)).await.expect("a write over what was read");
    assert_ne!(first, second);
    assert_eq!(store.swap(&first, &text(3)).await, Err(StoreError::Moved), "a stale writer is refused");
    assert_eq!(store.load().await.expect("loads"), (Some(text(2)), second));
    assert!(!store.place().is_empty(), "messages need a place");
}

/// What [`snapshots`] wrote is still there, version by version.
async fn versions(store: &impl Snapshots, again: &impl Snapshots) {
    let past = again.past(10).await.expect("lists");
    assert_eq!(past.iter().map(|one| one.current).collect::<Vec<_>>(), [true, false], "the newest first");
    let mut texts = Vec::new();
    for one in &past {
        texts.push(store.recall(&one.name).await.expect("reads").expect("what is listed can be read"));
    }
    assert_eq!(texts, [text(2), text(1)]);
    assert_eq!(store.past(1).await.expect("lists").len(), 1, "no more than asked for");
    assert_eq!(store.recall("no-such-version").await, Ok(None));
    let (_, version) = store.load().await.expect("loads");
    store.swap(&version, &text(1)).await.expect("an earlier text can be written again");
    let past = again.past(10).await.expect("lists");
    assert_eq!((past.len(), past[0].current), (3, true));
    assert_eq!(store.recall(&past[0].name).await.expect("reads"), Some(text(1)));
    assert_eq!(store.recall(&past[1].name).await.expect("reads"), Some(text(2)));
}

fn run(number: usize) -> Run {
    Run {
        run: format!("{number:08}"),
        operation: "apply".into(),
        who: "ada@lighthouse".into(),
        began: "2026-01-02T03:04:05Z".into(),
        ended: None,
        plan: "digest".into(),
        serial: 0,
        result: RunResult::Interrupted,
        changes: Vec::new(),
        calls: Vec::new(),
        calls_left_out: 0,
    }
}

async fn history(store: &impl History, again: &impl History) {
    assert_eq!(store.runs(9).await.expect("an empty history reads"), []);
    store.keep(&run(0)).await.expect("keeps");
    store.keep(&Run { result: RunResult::Ok, ..run(0) }).await.expect("keeps again");
    assert_eq!(again.runs(9).await.expect("reads").len(), 1, "a run is kept once");
    assert_eq!(again.runs(9).await.expect("reads")[0].result, RunResult::Ok, "as it was kept last");
    for number in 1..=RUNS_KEPT {
        store.keep(&run(number)).await.expect("keeps");
    }
    let runs = again.runs(RUNS_KEPT + 9).await.expect("reads");
    assert_eq!(runs.len(), RUNS_KEPT, "the history is bounded");
    assert_eq!(runs[0], run(RUNS_KEPT), "the newest is first, and the oldest went");
    assert_eq!(again.runs(1).await.expect("reads"), [run(RUNS_KEPT)]);
}

/// A journal entry after snapshot `after`.
pub fn entry(after: u64, number: u64, why: &str) -> Entry {
    let event = Event::Void { address: Address::new("disk", "data"), why: why.to_owned() };
    Entry { after, run: "run".to_owned(), number, event }
}

async fn journal(store: &impl Journal, again: &impl Journal) {
    assert_eq!(store.since(0).await, Ok(Vec::new()), "an empty journal reads as one");
    let entries = [entry(0, 0, "a"), entry(0, 1, "line\nbreak, \"quotes\" and ü")];
    assert_eq!(store.append(&entries).await.map(|receipt| receipt.0), Ok(1));
    assert_eq!(again.since(0).await.expect("reads"), entries, "what was received is there for others");
    assert_eq!(again.since(1).await, Ok(Vec::new()), "entries belong to the snapshot they follow");

    store.trim(0).await.expect("trims");
    assert_eq!(again.since(0).await.expect("reads"), entries, "what still counts is not trimmed");
    store.append(&[entry(1, 0, "b")]).await.expect("appends");
    assert_eq!(again.since(1).await.expect("reads"), [entry(1, 0, "b")]);
    store.trim(1).await.expect("trims");
    assert_eq!(again.since(1).await.expect("reads"), [entry(1, 0, "b")], "what still counts stays");
    store.trim(2).await.expect("trims");
    assert_eq!(again.since(1).await, Ok(Vec::new()), "history goes");

    let state = State::new("lineage".into(), StackId("toy-test".into()), "us-east-1".into());
    for length in 0..=entries.len() {
        assert_eq!(fold(state.clone(), &entries[..length]).state, state, "every prefix folds");
    }
}

async fn lease(store: &impl Lease, again: &impl Lease) {
    let holder = |who: &str| Holder {
        who: who.to_owned(),
        pid: 1,
        operation: "apply".to_owned(),
        since: "then".to_owned(),
    };
    let guard = store.acquire(&holder("first")).await.expect("a free lease");
    guard.renew().await.expect("its owner renews it");
    let refused = again.acquire(&holder("second")).await.err().expect("it is taken");
    assert_eq!(refused, StoreError::Locked(Some(holder("first"))), "who has it is told");
    let held = again.held().await.expect("reads").expect("it is held");
    assert_eq!(held.holder, holder("first"));
    guard.release().await.expect("its owner gives it back");
    assert_eq!(again.held().await.expect("reads"), None);

    let guard = again.acquire(&holder("second")).await.expect("it was given back");
    let refused = store.acquire(&holder("first")).await.err().expect("it is taken");
    assert_eq!(refused, StoreError::Locked(Some(holder("second"))));
    drop(guard);
    let guard = store.acquire(&holder("third")).await.expect("a dropped guard gives it back");
    guard.release().await.expect("gives it back");
    broken(store, again, holder("dead")).await;
}

/// A lease that is broken: its owner is fenced; or, where the owner surely lives, refused.
async fn broken(store: &impl Lease, again: &impl Lease, owner: Holder) {
    let guard = store.acquire(&owner).await.expect("a free lease");
    let held = again.held().await.expect("reads").expect("it is held");
    match held.liveness {
        Liveness::Alive => {
            let refused = again.break_up(&held).await;
            assert_eq!(refused, Err(StoreError::Locked(Some(owner))), "a living owner keeps its lease");
            guard.renew().await.expect("it is its own still");
        }
        Liveness::Unknown { .. } => {
            again.break_up(&held).await.expect("breaks");
            assert_eq!(again.held().await.expect("reads"), None, "it is free");
            again.break_up(&held).await.expect("what is free already is free");
            assert_eq!(guard.renew().await, Err(StoreError::Fenced), "its owner finds itself fenced");
            let next = again.acquire(&owner).await.expect("free for the next");
            assert!(next.fencing() > held.fencing);
            let refused = again.break_up(&held).await;
            assert!(matches!(refused, Err(StoreError::Locked(_))), "not another's lease");
            next.release().await.expect("gives it back");
        }
    }
}
