//! A session: the lease, the state as it is, and the writing of what comes of it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join, try_join};
use lh_kind::{CloudError, Mutate};
use lh_model::Desired;
use lh_plan::{Mode, Observed, Plan, Scope};
use lh_state::{
    Entry, Event as JournalEvent, Fold, History, Holder, Journal, Lease, LeaseGuard, Snapshots, State,
    StoreError, Version, decode, encode, fold, history,
};

use crate::{
    EngineError, Event, Events, Outcome, Pace, Reach, Sight, Stop, execute::Execution, look, pen::began,
    settle::settle,
};

/// Everything a session works through.
#[derive(Clone)]
pub struct Ports {
    /// The cloud.
    pub cloud: Arc<dyn Mutate>,
    /// Where snapshots are.
    pub snapshots: Arc<dyn Snapshots>,
    /// Where the journal is.
    pub journal: Arc<dyn Journal>,
    /// Where the history of runs is.
    pub history: Arc<dyn History>,
    /// Where the lease is.
    pub lease: Arc<dyn Lease>,
    /// How time passes.
    pub pace: Arc<dyn Pace>,
    /// Who is told.
    pub events: Arc<dyn Events>,
    /// The time now, RFC 3339, for journals.
    pub now: fn() -> String,
    /// A new UUID, for runs and lineages.
    pub uuid: fn() -> String,
    /// The version of lhctl, for snapshots.
    pub version: &'static str,
    /// The operations that the stores call, as in IAM; none where they are not in a cloud.
    pub keeping: &'static [&'static str],
    /// The operations that waiting for the database calls after an apply, as in IAM.
    pub waiting: Vec<&'static str>,
}

/// Why a plan made elsewhere cannot be carried out.
const UNSETTLED: &str = "a run was interrupted, and what became of its changes has to be settled first: apply the stack file itself";

/// State loaded, and for changes also locked.
pub struct Session {
    pub(crate) ports: Ports,
    pub(crate) guard: Option<Box<dyn LeaseGuard>>,
    pub(crate) holder: Option<Holder>,
    pub(crate) version: Version,
    pub(crate) fold: Fold,
    /// The journal after the snapshot, as it was read and written since.
    pub(crate) entries: Vec<Entry>,
    /// What the last plan found to have become of earlier runs; written when it is carried out.
    pub(crate) settled: Mutex<Option<Vec<JournalEvent>>>,
}

impl Session {
    /// Reads state without locking it: for plans and outputs.
    ///
    /// # Errors
    /// When state cannot be read or is unusable; it is never overwritten.
    pub async fn read(ports: Ports, desired: &Desired) -> Result<Self, EngineError> {
        let both = join(ports.snapshots.load(), ports.journal.entries()).await;
        let ((text, version), entries) = (both.0?, both.1);
        let state = match text {
            None => State::new((ports.uuid)(), desired.stack.clone(), desired.region.clone()),
            Some(text) => usable(&text, desired, ports.snapshots.as_ref())?,
        };
        let mut entries = entries?;
        entries.retain(|entry| entry.after == state.serial);
        let fold = fold(state, &entries);
        let (guard, holder, settled) = (None, None, Mutex::default());
        Ok(Self { ports, guard, holder, version, fold, entries, settled })
    }

    /// Takes the lease, then reads state: for everything that changes something.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder when another run has the lease.
    pub async fn lock(ports: Ports, desired: &Desired, holder: Holder) -> Result<Self, EngineError> {
        let guard = ports.lease.acquire(&holder).await?;
        match Self::read(ports, desired).await {
            Ok(session) => Ok(Self { guard: Some(guard), holder: Some(holder), ..session }),
            Err(error) => {
                guard.release().await?;
                Err(error)
            }
        }
    }

    /// The state as snapshot and journal tell it.
    pub fn state(&self) -> &State {
        &self.fold.state
    }

    /// How many journal entries follow the snapshot.
    pub fn behind(&self) -> usize {
        self.entries.len()
    }

    /// How many intents of earlier runs have no known outcome.
    pub fn open_intents(&self) -> usize {
        self.fold.open().count()
    }

    /// Looks at AWS.
    ///
    /// # Errors
    /// When AWS cannot be asked at all.
    pub async fn look(&self, desired: &Desired, mode: Mode) -> Result<Observed, EngineError> {
        let mut observed = Self::look_all(&[(self, desired)], mode).await?;
        Ok(observed.pop().unwrap_or_default())
    }

    /// Looks at AWS for several sessions at once. All must be of one account and region: what
    /// is asked is asked through the first one's ports.
    async fn look_all(sessions: &[(&Self, &Desired)], mode: Mode) -> Result<Vec<Observed>, CloudError> {
        let Some((first, _)) = sessions.first() else { return Ok(Vec::new()) };
        let open = sessions.iter().map(|(session, _)| session.open_intents()).sum();
        if open > 0 {
            first.ports.events.tell(Event::Settling { open });
        }
        let Ports { cloud, pace, events, .. } = &first.ports;
        let reach = Reach { cloud: cloud.as_ref(), pace: pace.as_ref(), events: events.as_ref() };
        let sights: Vec<Sight<'_>> =
            sessions.iter().map(|(session, desired)| Sight { desired, fold: &session.fold, mode }).collect();
        look(&reach, &sights).await
    }

    /// [`Session::plan_within`] for several stacks of one account and region, which share what
    /// is asked of AWS.
    ///
    /// # Errors
    /// When AWS cannot be asked at all; everything else is told in the plans.
    pub async fn plan_all(sessions: &[(&Self, &Desired)], scope: &Scope) -> Result<Vec<Plan>, CloudError> {
        let observed = Self::look_all(sessions, scope.mode).await?;
        let plan = |((session, desired), observed): (&(&Self, &Desired), &Observed)| {
            session.plan_from(desired, observed, scope)
        };
        Ok(sessions.iter().zip(&observed).map(plan).collect())
    }

    /// Looks at AWS, settles what earlier runs left open, and plans. `recovering` takes over
    /// what carries this stack's tags. Nothing is written before the plan is carried out.
    ///
    /// # Errors
    /// When AWS cannot be asked at all; everything else is told in the plan.
    pub async fn plan(&self, desired: &Desired, mode: Mode, recovering: bool) -> Result<Plan, EngineError> {
        self.plan_within(desired, &Scope { recovering, ..mode.into() }).await
    }

    /// [`Session::plan`] for `scope`.
    ///
    /// # Errors
    /// As [`Session::plan`].
    pub async fn plan_within(&self, desired: &Desired, scope: &Scope) -> Result<Plan, EngineError> {
        let observed = self.look(desired, scope.mode).await?;
        Ok(self.plan_from(desired, &observed, scope))
    }

    /// Plans from what AWS showed.
    fn plan_from(&self, desired: &Desired, observed: &Observed, scope: &Scope) -> Plan {
        let book = self.ports.cloud.book();
        let settled = settle(&self.fold, observed, book);
        let mut fold = self.fold.clone();
        settled.iter().for_each(|event| fold.apply(event));
        let mut plan = lh_plan::plan_within(desired, observed, &fold.state, book, scope);
        self.keep_settled(settled);
        let reads = desired.lookups.iter().flat_map(|lookup| self.ports.cloud.lookup_calls(&lookup.name));
        plan.reads.extend(reads.map(|call| (*call).to_owned()));
        plan.keeping.extend(self.ports.keeping.iter().map(|call| (*call).to_owned()));
        if scope.is_whole_apply() {
            plan.waiting.extend(self.ports.waiting.iter().map(|call| (*call).to_owned()));
        }
        plan
    }

    /// What a plan found to have become of earlier runs, for when it is carried out.
    pub(crate) fn keep_settled(&self, settled: Vec<JournalEvent>) {
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(settled);
    }

    /// Whether `plan`, made earlier, still holds.
    ///
    /// # Errors
    /// [`EngineError::Stale`] with the reason when state or AWS has moved.
    pub async fn check(&mut self, plan: &Plan, desired: &Desired) -> Result<(), EngineError> {
        let stale = |why: String| Err(EngineError::Stale(why));
        if self.open_intents() > 0 {
            return stale(UNSETTLED.to_owned());
        }
        let state = &mut self.fold.state;
        if self.version.is_none() && state.is_blank() && plan.parent.serial == 0 {
            state.lineage.clone_from(&plan.parent.lineage);
        }
        self.is_child(plan)?;
        let fresh = self.plan(desired, plan.mode, false).await?;
        if fresh.fingerprint != plan.fingerprint || fresh.account != plan.account {
            return stale("resources in AWS have changed since it was made; plan again".to_owned());
        }
        Ok(())
    }

    /// Whether `plan` was made from this state.
    fn is_child(&self, plan: &Plan) -> Result<(), EngineError> {
        let (state, parent) = (&self.fold.state, &plan.parent);
        let why = if state.lineage != parent.lineage {
            format!("it was made for state {}, this is {}", parent.lineage, state.lineage)
        } else if state.serial != parent.serial {
            let (then, now) = (parent.serial, state.serial);
            format!("it was made for serial {then} of the state, which is at {now} now; plan again")
        } else {
            return Ok(());
        };
        Err(EngineError::Stale(why))
    }

    /// Carries `plan` out, and writes the snapshot.
    ///
    /// # Errors
    /// When the plan is refused or unsound, before anything is changed; when the journal, the
    /// lease or the snapshot fails, after which the journal tells what was done. What fails in
    /// AWS is told in the outcome.
    pub async fn execute(&mut self, plan: &Plan, stop: &Stop) -> Result<Outcome, EngineError> {
        if !plan.refusals.is_empty() {
            return Err(EngineError::Refused(plan.refusals.clone()));
        }
        let faults = lh_plan::lint(plan, self.ports.cloud.book());
        if !faults.is_empty() {
            return Err(EngineError::Unsound(faults));
        }
        self.is_child(plan)?;
        let Some(guard) = &self.guard else { return Err(StoreError::Fenced.into()) };
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner).take();
        if settled.is_none() && self.fold.open().next().is_some() {
            return Err(EngineError::Stale(UNSETTLED.to_owned()));
        }
        let settled = settled.unwrap_or_default();
        let is_idle = plan.is_empty() && plan.pins.is_empty() && settled.is_empty();
        let Some(holder) = &self.holder else { return Err(StoreError::Fenced.into()) };
        if is_idle && self.entries.is_empty() && self.version.is_some() {
            self.keep_idle(holder, plan.digest()).await?;
            return Ok(Outcome::default());
        }
        let execution = Execution::new(&self.ports, guard.as_ref(), &mut self.fold, plan, stop);
        self.ports.cloud.hold_to(Some(plan.calls()));
        let ran = execution.run(holder, settled).await;
        self.ports.cloud.hold_to(None);
        let (outcome, written) = ran?;
        self.entries.extend(written);
        self.save().await?;
        Ok(outcome)
    }

    /// A run that had nothing to do has no journal, but a place in the history.
    async fn keep_idle(&self, holder: &Holder, plan: String) -> Result<(), StoreError> {
        let (run, after) = ((self.ports.uuid)(), self.fold.base());
        let began = began(holder, &self.ports, plan, &self.fold.state.lineage);
        let ended = JournalEvent::Ended { at: (self.ports.now)(), result: "complete".to_owned() };
        let entry = |(number, event)| Entry { after, run: run.clone(), number, event };
        let entries: Vec<Entry> = (0..).zip([began, ended]).map(entry).collect();
        self.keep_runs(&entries).await
    }

    async fn keep_runs(&self, entries: &[Entry]) -> Result<(), StoreError> {
        for run in history::runs(entries) {
            self.ports.history.keep(&run).await?;
        }
        Ok(())
    }

    /// Writes the snapshot, unless an outcome is still unknown: then the journal is what the
    /// next run settles from, and a snapshot would make it history.
    pub(crate) async fn save(&mut self) -> Result<(), EngineError> {
        if self.fold.open().next().is_some() {
            tracing::debug!("the journal is kept: outcomes are unknown");
            return Ok(());
        }
        let mut next = self.fold.state.clone();
        next.serial += 1;
        let place = self.ports.snapshots.place();
        let text =
            encode(&next, self.ports.version).map_err(|problem| StoreError::Unusable { place, problem })?;
        // Before the snapshot makes the journal history; kept again, a run is the same run.
        let renewed = async {
            match &self.guard {
                Some(guard) => guard.renew().await,
                None => Ok(()),
            }
        };
        try_join(self.keep_runs(&self.entries), renewed).await?;
        self.version = self.ports.snapshots.swap(&self.version, &text).await?;
        self.ports.journal.trim(next.serial).await?;
        self.ports.events.tell(Event::Saved { serial: next.serial });
        self.fold = Fold::new(next);
        self.entries.clear();
        Ok(())
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// When the lease store cannot be reached.
    pub async fn close(self) -> Result<(), EngineError> {
        match self.guard {
            Some(guard) => Ok(guard.release().await?),
            None => Ok(()),
        }
    }
}

pub(crate) fn usable(text: &str, desired: &Desired, snapshots: &dyn Snapshots) -> Result<State, EngineError> {
    let unusable = |problem| StoreError::Unusable { place: snapshots.place(), problem };
    let state = decode(text).map_err(unusable)?;
    if state.stack != desired.stack {
        let why = format!("it is the state of stack {}, not of {}", state.stack, desired.stack);
        return Err(unusable(lh_state::SnapshotError::Foreign(why)).into());
    }
    Ok(state)
}
