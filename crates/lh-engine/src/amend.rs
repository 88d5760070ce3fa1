//! Changes of the state itself, which touch nothing in AWS: forgetting, renaming, going back to an
//! earlier state, taking one from elsewhere.
//!
//! They go the way of every change: the lease, the journal, a snapshot with the next serial, the
//! history of runs. The journal's append is the moment at which they happen: a run killed before
//! it changed nothing, and one killed after it is completed by the next run.

use lh_model::Desired;
use lh_state::{Event as JournalEvent, Holder, State, StoreError, decode, fold};

use crate::{
    EngineError, Session,
    pen::{Pen, began},
    session::Ports,
};

/// How many former snapshots are asked for the serial of one that cannot be read.
const LOOKED_BACK: usize = 20;

impl Session {
    /// As [`Session::lock`], also where the state cannot be used: then it stands for an empty one
    /// with a serial above all that are known, and why is told.
    ///
    /// # Errors
    /// As [`Session::lock`], save for a state that cannot be used.
    pub async fn lock_to_replace(
        ports: Ports,
        desired: &Desired,
        holder: Holder,
    ) -> Result<(Self, Option<StoreError>), EngineError> {
        let guard = ports.lease.acquire(&holder).await?;
        let read = match Self::read(ports.clone(), desired).await {
            Err(EngineError::Store(why @ StoreError::Unusable { .. })) => {
                Self::over_unusable(ports, desired).await.map(|session| (session, Some(why)))
            }
            other => other.map(|session| (session, None)),
        };
        match read {
            Ok((session, why)) => Ok((Self { guard: Some(guard), holder: Some(holder), ..session }, why)),
            Err(error) => {
                guard.release().await?;
                Err(error)
            }
        }
    }

    async fn over_unusable(ports: Ports, desired: &Desired) -> Result<Self, EngineError> {
        let (text, version) = ports.snapshots.load().await?;
        let mut serial = text.as_deref().and_then(serial_of).unwrap_or_default();
        for past in ports.snapshots.past(LOOKED_BACK).await? {
            let text = ports.snapshots.recall(&past.name).await?;
            serial = serial.max(text.as_deref().and_then(serial_of).unwrap_or_default());
        }
        let mut state = State::new(String::new(), desired.stack.clone(), desired.region.clone());
        state.serial = serial + 1;
        let entries = ports.journal.since(state.serial).await?;
        let fold = fold(state, &entries);
        let (guard, holder, settled) = Default::default();
        Ok(Self { ports, guard, holder, version, fold, entries, settled })
    }

    /// Makes these events the state's next ones and writes the snapshot; `what` says in the
    /// history what was asked for. Answers with the new serial.
    ///
    /// # Errors
    /// [`EngineError::Unsettled`] when an interrupted run's changes have no known outcome yet.
    pub async fn amend(&mut self, what: &str, events: Vec<JournalEvent>) -> Result<u64, EngineError> {
        let open = self.open_intents();
        if open > 0 {
            return Err(EngineError::Unsettled(open));
        }
        let (Some(guard), Some(holder)) = (&self.guard, &self.holder) else {
            return Err(StoreError::Fenced.into());
        };
        guard.renew().await?;
        let began = began(holder, &self.ports, what.to_owned(), &self.fold.state.lineage);
        let ended = JournalEvent::Ended { at: (self.ports.now)(), result: "complete".to_owned() };
        let mut pen = Pen::new(self.ports.journal.as_ref(), (self.ports.uuid)(), self.fold.base());
        for event in std::iter::once(began).chain(events).chain(std::iter::once(ended)) {
            pen.note(&mut self.fold, event);
        }
        pen.write().await?;
        self.entries.extend(pen.into_written());
        self.save().await?;
        Ok(self.fold.state.serial)
    }

    /// The runs that the journal tells of and the history does not have yet.
    pub fn unsaved_runs(&self) -> Vec<lh_state::Run> {
        lh_state::history::runs(&self.entries)
    }
}

/// The serial of a snapshot, also of one that is refused.
fn serial_of(text: &str) -> Option<u64> {
    match decode(text) {
        Ok(state) => Some(state.serial),
        Err(_) => serde_json::from_str::<serde_json::Value>(text).ok()?.get("serial")?.as_u64(),
    }
}
