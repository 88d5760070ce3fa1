//! The lease: taken, kept alive by heartbeats, taken over from the dead, given back.
//!
//! No two machines' clocks are compared. A waiter takes a lease over when its record has not
//! changed for a whole lease's length on the waiter's own clock; whoever renews it writes a new
//! random version, on the condition that the old one is still there. So a paused owner that
//! wakes up finds its condition broken, and knows that it is fenced.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use lh_state::{Held, Holder, Lease, LeaseGuard, Liveness, StoreError};
use tokio::{runtime::Handle, sync::Mutex, task::AbortHandle};

use super::{
    RemoteStore, failed,
    record::{Found, Record, is_refused},
};

/// A waiter looks so often in a lease's length.
const LOOKS: u32 = 10;
/// An owner renews so often in a lease's length.
const BEATS: u32 = 3;
/// How often a renewal is tried whose earlier attempts may or may not have been written.
const ATTEMPTS: usize = 4;

fn fresh_version() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// In how many steps a pause is made, so that a wish to stop is seen in between.
const STEPS: u32 = 10;

#[async_trait]
impl Lease for RemoteStore {
    async fn held(&self) -> Result<Option<Held>, StoreError> {
        match self.read_lock().await? {
            Found::Nothing => Ok(None),
            Found::Foreign(by) => Err(StoreError::Locked(by)),
            Found::Ours(record) => Ok(held(&record)),
        }
    }

    /// Writes the lock anew without a holder and with the next fencing number. The owner's
    /// heartbeat may come in between: it is still the same owner.
    async fn break_up(&self, seen: &Held) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let record = match self.read_lock().await? {
                Found::Nothing => return Ok(()),
                Found::Foreign(by) => return Err(StoreError::Locked(by)),
                Found::Ours(record) => record,
            };
            let Some(now) = held(&record) else { return Ok(()) };
            if now.fencing != seen.fencing {
                return Err(StoreError::Locked(Some(now.holder)));
            }
            let free = Record {
                holder: None,
                version: fresh_version(),
                fencing: record.fencing + 1,
                ..record.clone()
            };
            match self.write_lock(&free, Some(&record.version)).await {
                Ok(()) => return Ok(()),
                Err(error) if is_refused(&error) || error.is_uncertain() => {}
                Err(error) => return Err(failed(self.0.place.lock(), &error)),
            }
        }
        Err(StoreError::Locked(Some(seen.holder.clone())))
    }

    /// Waits for a lease's length at most: then its owner is seen to be dead or alive.
    async fn acquire(&self, holder: &Holder) -> Result<Box<dyn LeaseGuard>, StoreError> {
        let mut watched: Option<(String, Duration)> = None;
        loop {
            let record = match self.read_lock().await? {
                Found::Nothing => return self.take(holder, None).await,
                Found::Foreign(by) => return Err(StoreError::Locked(by)),
                Found::Ours(record) => record,
            };
            let Some(owner) = record.holder.clone() else {
                return self.take(holder, Some(&record)).await;
            };
            let length = record.length.max(self.0.terms.length);
            let waited = match &watched {
                Some((version, _)) if *version != record.version => {
                    return Err(StoreError::Locked(Some(owner)));
                }
                Some((_, waited)) => *waited,
                None => {
                    if let Some(watch) = &self.0.terms.watch {
                        watch(&owner, length);
                    }
                    Duration::ZERO
                }
            };
            if waited >= length {
                tracing::debug!(fencing = record.fencing, "the lease was not renewed for its length");
                return self.take(holder, Some(&record)).await;
            }
            let pause = length / LOOKS;
            for _ in 0..STEPS {
                if self.0.terms.stop.as_ref().is_some_and(|is_asked| is_asked()) {
                    return Err(StoreError::Stopped);
                }
                self.0.terms.pace.pause(pause / STEPS).await;
            }
            watched = Some((record.version, waited + pause));
        }
    }
}

fn held(record: &Record) -> Option<Held> {
    let milliseconds = u64::try_from(record.length.as_millis()).unwrap_or(u64::MAX);
    let liveness = Liveness::Unknown { milliseconds };
    record.holder.clone().map(|holder| Held { holder, fencing: record.fencing, liveness })
}

impl RemoteStore {
    /// Takes the lease from what was seen: nothing, a free lock, or a dead owner's.
    async fn take(&self, holder: &Holder, seen: Option<&Record>) -> Result<Box<dyn LeaseGuard>, StoreError> {
        let record = Record {
            holder: Some(holder.clone()),
            version: fresh_version(),
            fencing: seen.map_or(0, |record| record.fencing) + 1,
            length: self.0.terms.length,
        };
        if let Err(error) = self.write_lock(&record, seen.map(|record| record.version.as_str())).await {
            // The answer to an attempt that took effect may have been lost.
            match self.read_lock().await {
                Ok(Found::Ours(now)) if now.version == record.version => {}
                Ok(Found::Ours(now)) if is_refused(&error) => return Err(StoreError::Locked(now.holder)),
                Ok(Found::Foreign(by)) => return Err(StoreError::Locked(by)),
                _ => return Err(failed(self.0.place.lock(), &error)),
            }
        }
        self.0.fencing.store(record.fencing, Ordering::SeqCst);
        self.0.batches.store(0, Ordering::SeqCst);
        let fencing = record.fencing;
        let current = record.version.clone();
        let versions = Mutex::new(Versions { current, sent: Vec::new(), lost: false });
        let held = Arc::new(Owned { store: self.clone(), record, versions });
        let beat = Handle::try_current().ok().map(|runtime| runtime.spawn(beat(Arc::clone(&held))));
        Ok(Box::new(RemoteGuard { held, fencing, beat: beat.map(|task| task.abort_handle()), kept: true }))
    }
}

/// Renews the lease until it is lost, or until the task is aborted.
async fn beat(held: Arc<Owned>) {
    let terms = &held.store.0.terms;
    loop {
        terms.pace.pause(terms.length / BEATS).await;
        match held.write(Some(())).await {
            Err(StoreError::Fenced) => return,
            Err(error) => tracing::warn!(%error, "a heartbeat of the lock was not answered"),
            Ok(()) => {}
        }
    }
}

/// A lease that this process took.
struct Owned {
    store: RemoteStore,
    record: Record,
    versions: Mutex<Versions>,
}

/// The versions this owner has written.
struct Versions {
    /// The last that is known to be written.
    current: String,
    /// Those sent after it whose fate is not known.
    sent: Vec<String>,
    /// Whether another's version was seen.
    lost: bool,
}

impl Owned {
    /// Writes the lock anew: with its holder to renew it, without to free it.
    async fn write(&self, keep: Option<()>) -> Result<(), StoreError> {
        let mut versions = self.versions.lock().await;
        let mut last = StoreError::Fenced;
        for _ in 0..ATTEMPTS {
            if versions.lost {
                return Err(StoreError::Fenced);
            }
            let version = fresh_version();
            let holder = keep.and_then(|()| self.record.holder.clone());
            let record = Record { holder, version: version.clone(), ..self.record.clone() };
            // Noted before it is sent: the task may be aborted before the answer.
            versions.sent.push(version.clone());
            let Err(error) = self.store.write_lock(&record, Some(&versions.current)).await else {
                versions.current = version;
                versions.sent.clear();
                return Ok(());
            };
            last = failed(self.store.0.place.lock(), &error);
            match self.store.read_lock().await? {
                Found::Ours(now) if now.version == version => {
                    versions.current = version;
                    versions.sent.clear();
                    return Ok(());
                }
                Found::Ours(now) if versions.sent.contains(&now.version) => versions.current = now.version,
                Found::Ours(now) if now.version == versions.current && !is_refused(&error) => {
                    return Err(last);
                }
                Found::Ours(now) if now.version == versions.current => {}
                _ => versions.lost = true,
            }
        }
        Err(if versions.lost { StoreError::Fenced } else { last })
    }
}

/// Keeps the lease alive while it lives.
struct RemoteGuard {
    held: Arc<Owned>,
    fencing: u64,
    beat: Option<AbortHandle>,
    /// Whether the lease is still to be given back.
    kept: bool,
}

impl RemoteGuard {
    fn stop(&mut self) {
        if let Some(beat) = self.beat.take() {
            beat.abort();
        }
    }
}

#[async_trait]
impl LeaseGuard for RemoteGuard {
    async fn renew(&self) -> Result<(), StoreError> {
        self.held.write(Some(())).await
    }

    fn fencing(&self) -> u64 {
        self.fencing
    }

    async fn release(mut self: Box<Self>) -> Result<(), StoreError> {
        self.stop();
        self.kept = false;
        match self.held.write(None).await {
            // Another run has it already: there is nothing to give back.
            Err(StoreError::Fenced) => Ok(()),
            other => other,
        }
    }
}

/// A run whose future is dropped gives the lease back too, if its runtime still runs; if not,
/// the lease ends by itself.
impl Drop for RemoteGuard {
    fn drop(&mut self) {
        self.stop();
        if let (true, Ok(runtime)) = (self.kept, Handle::try_current()) {
            let held = Arc::clone(&self.held);
            runtime.spawn(async move { held.write(None).await });
        }
    }
}
