//! The bench's ports: time that passes at once, events that are kept, a store with a fuse.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lh_engine::{Event, Events, Pace};
use lh_state::{Entry, History, Journal, Past, Receipt, Run, Snapshots, StoreError, Version};

use crate::{Crash, crash::Fate};

/// Time that passes at once and is counted.
#[derive(Debug, Default)]
pub struct NoTime(AtomicUsize);

impl NoTime {
    /// How many pauses were made.
    pub fn pauses(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Pace for NoTime {
    async fn pause(&self, _: Duration) {
        self.0.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

/// Does something when an event is told, such as asking to stop.
type Reaction = Box<dyn Fn(&Event) + Send + Sync>;

/// Keeps what it is told.
#[derive(Default)]
pub struct Told {
    events: Mutex<Vec<Event>>,
    reaction: Mutex<Option<Reaction>>,
}

impl Told {
    /// Everything told since the last time.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls `reaction` at every event from now on.
    pub fn react(&self, reaction: impl Fn(&Event) + Send + Sync + 'static) {
        *self.reaction.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(reaction));
    }
}

impl Events for Told {
    fn tell(&self, event: Event) {
        if let Some(reaction) = &*self.reaction.lock().unwrap_or_else(PoisonError::into_inner) {
            reaction(&event);
        }
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

/// Snapshots and journal that obey a fuse.
pub(crate) struct Fused<S> {
    pub store: S,
    pub crash: Crash,
}

impl<S> Fused<S> {
    async fn around<T>(&self, write: impl Future<Output = T>) -> T {
        self.crash.live_on().await;
        let fate = self.crash.next_write();
        if fate == Fate::DieBefore {
            self.crash.die();
        }
        self.crash.live_on().await;
        let written = write.await;
        if fate == Fate::DieAfter {
            self.crash.die();
        }
        self.crash.live_on().await;
        written
    }
}

#[async_trait]
impl<S: Snapshots> Snapshots for Fused<S> {
    async fn load(&self) -> Result<(Option<String>, Version), StoreError> {
        self.store.load().await
    }

    async fn swap(&self, expected: &Version, text: &str) -> Result<Version, StoreError> {
        self.around(self.store.swap(expected, text)).await
    }

    async fn past(&self, most: usize) -> Result<Vec<Past>, StoreError> {
        self.store.past(most).await
    }

    async fn recall(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.store.recall(name).await
    }

    fn place(&self) -> String {
        self.store.place()
    }
}

#[async_trait]
impl<S: History> History for Fused<S> {
    async fn keep(&self, run: &Run) -> Result<(), StoreError> {
        self.around(self.store.keep(run)).await
    }

    async fn runs(&self, most: usize) -> Result<Vec<Run>, StoreError> {
        self.store.runs(most).await
    }
}

#[async_trait]
impl<S: Journal> Journal for Fused<S> {
    async fn append(&self, entries: &[Entry]) -> Result<Receipt, StoreError> {
        self.around(self.store.append(entries)).await
    }

    async fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.store.entries().await
    }

    async fn trim(&self, serial: u64) -> Result<(), StoreError> {
        self.around(self.store.trim(serial)).await
    }
}
