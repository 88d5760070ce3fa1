//! The contract that every store keeps, as a suite to be run on each.

use lh_model::{Address, StackId};
use lh_state::{Entry, Event, Holder, Journal, Lease, Snapshots, State, StoreError, encode, fold};

/// Runs the whole contract on an empty store. `again` is a second handle to the same place, as
/// another process would have it.
///
/// # Panics
/// When the store breaks it.
pub async fn check<S: Snapshots + Journal + Lease>(store: &S, again: &S) {
    snapshots(store, again).await;
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
    guard.release().await.expect("its owner gives it back");

    let guard = again.acquire(&holder("second")).await.expect("it was given back");
    let refused = store.acquire(&holder("first")).await.err().expect("it is taken");
    assert_eq!(refused, StoreError::Locked(Some(holder("second"))));
    drop(guard);
    let guard = store.acquire(&holder("third")).await.expect("a dropped guard gives it back");
    guard.release().await.expect("gives it back");
}
