//! State in memory: for embedding programs that keep nothing, and for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use lh_model::identity::sha256;
use lh_state::{
    Entry, Held, History, Holder, Journal, Lease, LeaseGuard, Liveness, Past, Receipt, Run, Snapshots,
    StoreError, Version, history::RUNS_KEPT,
};

#[derive(Debug, Default)]
struct Kept {
    /// Every snapshot that was written; the last is the current one.
    texts: Vec<String>,
    runs: Vec<Run>,
    entries: Vec<Entry>,
    holder: Option<Holder>,
    fencing: u64,
}

/// A store that lives as long as its handles.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Kept>>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lease away, as another run does from an owner that it believes dead.
    pub fn take_over(&self) {
        let mut kept = self.kept();
        kept.fencing += 1;
        kept.holder = None;
    }
}

#[async_trait]
impl Snapshots for MemoryStore {
    async fn load(&self) -> Result<(Option<String>, Version), StoreError> {
        let text = self.kept().texts.last().cloned();
        let version = text.as_ref().map(|text| sha256(text.as_bytes()));
        Ok((text, version))
    }

    async fn swap(&self, expected: &Version, text: &str) -> Result<Version, StoreError> {
        let mut kept = self.kept();
        let current = kept.texts.last().map(|text| sha256(text.as_bytes()));
        if current != *expected {
            return Err(StoreError::Moved);
        }
        kept.texts.push(text.to_owned());
        Ok(Some(sha256(text.as_bytes())))
    }

    async fn past(&self, most: usize) -> Result<Vec<Past>, StoreError> {
        let count = self.kept().texts.len();
        let past = |n: usize| Past { name: n.to_string(), at: None, current: n + 1 == count };
        Ok((0..count).rev().map(past).take(most).collect())
    }

    async fn recall(&self, name: &str) -> Result<Option<String>, StoreError> {
        let number = name.parse::<usize>().ok();
        Ok(number.and_then(|number| self.kept().texts.get(number).cloned()))
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

#[async_trait]
impl History for MemoryStore {
    async fn keep(&self, run: &Run) -> Result<(), StoreError> {
        let runs = &mut self.kept().runs;
        runs.retain(|kept| kept.name() != run.name());
        runs.push(run.clone());
        runs.sort_by_key(Run::name);
        let surplus = runs.len().saturating_sub(RUNS_KEPT);
        runs.drain(..surplus);
        Ok(())
    }

    async fn runs(&self, most: usize) -> Result<Vec<Run>, StoreError> {
        Ok(self.kept().runs.iter().rev().take(most).cloned().collect())
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn append(&self, entries: &[Entry]) -> Result<Receipt, StoreError> {
        self.kept().entries.extend_from_slice(entries);
        Ok(Receipt(entries.last().map_or(0, |entry| entry.number)))
    }

    async fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(self.kept().entries.clone())
    }

    async fn trim(&self, serial: u64) -> Result<(), StoreError> {
        self.kept().entries.retain(|entry| entry.after >= serial);
        Ok(())
    }
}

#[async_trait]
impl Lease for MemoryStore {
    async fn held(&self) -> Result<Option<Held>, StoreError> {
        let kept = self.kept();
        let liveness = Liveness::Unknown { milliseconds: 0 };
        Ok(kept.holder.clone().map(|holder| Held { holder, fencing: kept.fencing, liveness }))
    }

    async fn break_up(&self, held: &Held) -> Result<(), StoreError> {
        match self.held().await? {
            Some(now) if now.fencing != held.fencing => Err(StoreError::Locked(Some(now.holder))),
            Some(_) => {
                self.take_over();
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn acquire(&self, holder: &Holder) -> Result<Box<dyn LeaseGuard>, StoreError> {
        let mut kept = self.kept();
        if kept.holder.is_some() {
            return Err(StoreError::Locked(kept.holder.clone()));
        }
        kept.holder = Some(holder.clone());
        kept.fencing += 1;
        Ok(Box::new(MemoryGuard { store: self.clone(), fencing: kept.fencing }))
    }
}

struct MemoryGuard {
    store: MemoryStore,
    fencing: u64,
}

#[async_trait]
impl LeaseGuard for MemoryGuard {
    async fn renew(&self) -> Result<(), StoreError> {
        if self.store.kept().fencing == self.fencing { Ok(()) } else { Err(StoreError::Fenced) }
    }

    fn fencing(&self) -> u64 {
        self.fencing
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        drop(self);
        Ok(())
    }
}

/// A run whose future is dropped gives the lease back too, unless another has taken it over.
impl Drop for MemoryGuard {
    fn drop(&mut self) {
        let mut kept = self.store.kept();
        if kept.fencing == self.fencing {
            kept.holder = None;
        }
    }
}
