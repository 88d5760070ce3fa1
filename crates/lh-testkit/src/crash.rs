//! Fuses: a run is stopped dead at one of its mutating calls or durable writes.
//!
//! A call that is stopped never returns; from then on nothing else does, as if the process had
//! been killed, and whoever waits for [`Crash::died`] drops the run's future.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Where a run is stopped. Numbers count from 0 since the fuse was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuse {
    /// The process dies before the n-th mutating call takes effect.
    BeforeCall(usize),
    /// It dies after the effect, before the answer.
    AfterCall(usize),
    /// The call never reaches the cloud and fails as unreachable; the process lives.
    LostRequest(usize),
    /// The call takes effect and fails as unreachable; the process lives.
    LostAnswer(usize),
    /// The process dies before the n-th journal append or snapshot swap is durable.
    BeforeWrite(usize),
    /// It dies after that write, before it knows.
    AfterWrite(usize),
}

#[derive(Debug, Default)]
struct Counts {
    fuse: Option<Fuse>,
    calls: usize,
    writes: usize,
    is_dead: bool,
}

/// The fuse that a cloud and a store share.
#[derive(Clone, Debug, Default)]
pub struct Crash(Arc<(Mutex<Counts>, Notify)>);

/// What a mutating call is to do about the fuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing.
    Live,
    /// Die before.
    DieBefore,
    /// Die after.
    DieAfter,
    /// Fail before.
    FailBefore,
    /// Fail after.
    FailAfter,
}

impl Crash {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a life: counts from 0, with this fuse.
    pub fn set(&self, fuse: Option<Fuse>) {
        *self.counts() = Counts { fuse, ..Counts::default() };
    }

    /// Whether the process has died.
    pub fn is_dead(&self) -> bool {
        self.counts().is_dead
    }

    /// How many mutating calls and durable writes this life has seen.
    pub fn seen(&self) -> (usize, usize) {
        let counts = self.counts();
        (counts.calls, counts.writes)
    }

    /// Returns when the process has died.
    pub async fn died(&self) {
        loop {
            let notified = self.0.1.notified();
            if self.is_dead() {
                return;
            }
            notified.await;
        }
    }

    pub(crate) fn die(&self) {
        self.counts().is_dead = true;
        self.0.1.notify_waiters();
    }

    /// Never returns once the process is dead.
    pub(crate) async fn live_on(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn next_call(&self) -> Fate {
        let mut counts = self.counts();
        let n = counts.calls;
        counts.calls += 1;
        match counts.fuse {
            Some(Fuse::BeforeCall(at)) if at == n => Fate::DieBefore,
            Some(Fuse::AfterCall(at)) if at == n => Fate::DieAfter,
            Some(Fuse::LostRequest(at)) if at == n => Fate::FailBefore,
            Some(Fuse::LostAnswer(at)) if at == n => Fate::FailAfter,
            _ => Fate::Live,
        }
    }

    pub(crate) fn next_write(&self) -> Fate {
        let mut counts = self.counts();
        let n = counts.writes;
        counts.writes += 1;
        match counts.fuse {
            Some(Fuse::BeforeWrite(at)) if at == n => Fate::DieBefore,
            Some(Fuse::AfterWrite(at)) if at == n => Fate::DieAfter,
            _ => Fate::Live,
        }
    }
}
