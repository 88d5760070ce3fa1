//! State in memory: for embedding programs that keep nothing, and for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use lh_model::identity::sha256;
use lh_state::{Entry, Holder, Journal, Lease, LeaseGuard, Receipt, Snapshots, StoreError, Version};

#[derive(Debug, Default)]
struct Kept {
    text: Option<String>,
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
        let text = self.kept().text.clone();
        let version = text.as_ref().map(|text| sha256(text.as_bytes()));
        Ok((text, version))
    }

    async fn swap(&self, expected: &Version, text: &str) -> Result<Version, StoreError> {
        let mut kept = self.kept();
        let current = kept.text.as_ref().map(|text| sha256(text.as_bytes()));
        if current != *expected {
            return Err(StoreError::Moved);
        }
        kept.text = Some(text.to_owned());
        Ok(Some(sha256(text.as_bytes())))
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn append(&self, entries: &[Entry]) -> Result<Receipt, StoreError> {
        self.kept().entries.extend_from_slice(entries);
        Ok(Receipt(entries.last().map_or(0, |entry| entry.number)))
    }

    async fn since(&self, serial: u64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.kept().entries.iter().filter(|entry| entry.after == serial).cloned().collect())
    }

    async fn trim(&self, serial: u64) -> Result<(), StoreError> {
        self.kept().entries.retain(|entry| entry.after >= serial);
        Ok(())
    }
}

#[async_trait]
impl Lease for MemoryStore {
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
