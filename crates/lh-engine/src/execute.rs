//! Carrying a plan out: everything whose requirements are met runs at once, each change with
//! its intent durable before the call, and many waits share one look.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use lh_kind::{CloudError, ErrorKind, Found, Op, Owner, Seen, Target};
use lh_model::{Address, CallMade, CloudId, Map, value::resolve_map};
use lh_plan::{Act, Mode, Plan, Step, StepId};
use lh_state::{Entry, Event as JournalEvent, Fold, Holder, Intent, LeaseGuard, Record, StoreError, Verb};

use crate::{
    Event, Ports, Reach, Stop,
    call::{Answer, Call, WaveLook},
    look::observe,
    pen::Pen,
    settle::recorded,
    wait::{Progress, Waiting, Waits},
};

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The steps that are complete.
    pub done: BTreeSet<StepId>,
    /// The steps that failed, and with what.
    pub failed: BTreeMap<StepId, CloudError>,
    /// The steps that were not begun.
    pub skipped: BTreeSet<StepId>,
    /// Whether stopping was asked for.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether everything planned was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty()
    }
}

fn verb(act: Act) -> Verb {
    match act {
        Act::Create => Verb::Create,
        Act::Delete => Verb::Delete,
        _ => Verb::Update,
    }
}

/// The event with which a run begins.
pub(crate) fn began(holder: &Holder, ports: &Ports, plan: String, lineage: &str) -> JournalEvent {
    JournalEvent::Began {
        who: holder.who.clone(),
        at: (ports.now)(),
        operation: holder.operation.clone(),
        plan,
        lineage: lineage.to_owned(),
    }
}

type Glance = Result<BTreeMap<Address, Seen>, CloudError>;

/// One plan on its way.
pub(crate) struct Execution<'a> {
    ports: &'a Ports,
    guard: &'a dyn LeaseGuard,
    fold: &'a mut Fold,
    plan: &'a Plan,
    stop: &'a Stop,
    pen: Pen<'a>,
    began: BTreeMap<StepId, Instant>,
    waits: Waits,
    outcome: Outcome,
}

impl<'a> Execution<'a> {
    pub fn new(
        ports: &'a Ports,
        guard: &'a dyn LeaseGuard,
        fold: &'a mut Fold,
        plan: &'a Plan,
        stop: &'a Stop,
    ) -> Self {
        let pen = Pen::new(ports.journal.as_ref(), (ports.uuid)(), fold.base());
        let (began, waits, outcome) = (BTreeMap::new(), Waits::default(), Outcome::default());
        Self { ports, guard, fold, plan, stop, pen, began, waits, outcome }
    }

    /// Writes down what became of earlier runs, then runs until nothing is left that can run.
    /// Answers with what it wrote to the journal, too.
    pub async fn run(
        mut self,
        holder: &Holder,
        settled: Vec<JournalEvent>,
    ) -> Result<(Outcome, Vec<Entry>), StoreError> {
        self.begin(holder, settled).await?;
        let ports = self.ports;
        let mut running: FuturesUnordered<BoxFuture<'a, Answer>> = FuturesUnordered::new();
        let mut glance: Option<BoxFuture<'a, Glance>> = None;
        loop {
            if self.stop.is_asked() && !self.outcome.interrupted {
                self.outcome.interrupted = true;
                ports.events.tell(Event::Stopping { in_flight: running.len() });
            }
            if !self.outcome.interrupted {
                for call in self.start_ready().await? {
                    running.push(call);
                }
            }
            if self.outcome.interrupted && running.is_empty() {
                break;
            }
            if glance.is_none() && !self.waits.pending.is_empty() && !self.outcome.interrupted {
                glance = Some(self.next_glance());
            }
            if running.is_empty() && glance.is_none() {
                break;
            }
            tokio::select! {
                Some(answer) = running.next() => {
                    let (step, answer, calls) = answer?;
                    self.note(&step, calls);
                    self.answered(step, answer).await?;
                }
                seen = async { match glance.as_mut() { Some(g) => g.await, None => std::future::pending().await } } => {
                    glance = None;
                    self.looked(seen).await?;
                }
            }
        }
        self.end().await?;
        Ok((self.outcome, self.pen.into_written()))
    }

    async fn begin(&mut self, holder: &Holder, settled: Vec<JournalEvent>) -> Result<(), StoreError> {
        self.guard.renew().await?;
        let began = began(holder, self.ports, self.plan.digest(), &self.fold.state.lineage);
        let account = self.plan.account.clone();
        let pinned = JournalEvent::Pinned { account, pins: self.plan.pins.clone() };
        let events = std::iter::once(began).chain(settled).chain(std::iter::once(pinned));
        self.pen.write(self.fold, events.collect()).await
    }

    /// Starts every step whose requirements are met; their intents are durable first.
    async fn start_ready(&mut self) -> Result<Vec<BoxFuture<'a, Answer>>, StoreError> {
        let mut calls = Vec::new();
        loop {
            let plan = self.plan;
            let ready: Vec<&'a Step> = plan.steps.iter().filter(|step| self.is_ready(step)).collect();
            if ready.is_empty() {
                return Ok(calls);
            }
            self.guard.renew().await?;
            let intents = ready.iter().filter(|step| step.id.act.is_mutating());
            let intents = intents.map(|step| self.intent(step)).collect();
            self.pen.write(self.fold, intents).await?;
            let look = self.look_before(&ready);
            for step in ready {
                self.began.insert(step.id.clone(), Instant::now());
                match step.id.act {
                    act if act.is_mutating() => {
                        self.ports.events.tell(Event::Started(step.id.clone()));
                        calls.push(self.call(step, look.clone()));
                    }
                    Act::Await => self.await_ready(step, step.cloud_id.clone()),
                    _ => self.record_only(step).await?,
                }
            }
        }
    }

    fn is_ready(&self, step: &Step) -> bool {
        !self.began.contains_key(&step.id) && step.requires.iter().all(|id| self.outcome.done.contains(id))
    }

    fn resolved(&self, map: &Map) -> Map {
        resolve_map(map, &|reference| self.fold.state.value_of(reference))
    }

    /// One look a kind at everything that these steps change or delete, just before they do.
    fn look_before(&self, steps: &[&'a Step]) -> Option<WaveLook<'a>> {
        let changed = steps.iter().filter(|step| self.is_looked_at(step));
        let targets: BTreeMap<Address, Target> =
            changed.map(|step| (step.id.address.clone(), self.target(step))).collect();
        let reach = self.reach();
        (!targets.is_empty())
            .then(|| async move { observe(&reach, &targets).await.map(Arc::new) }.boxed().shared())
    }

    /// Whether `step` changes or deletes what the plan saw, and what only others can have moved:
    /// where something that it hangs on goes, or has gone and is made anew, it moves with that.
    fn is_looked_at(&self, step: &Step) -> bool {
        let goes = |other: &Step| match other.id.act {
            Act::Delete => step.needs.contains(&other.id.address),
            Act::Create => other.generation > 0 && step.needs.contains(&other.id.address),
            _ => false,
        };
        matches!(step.id.act, Act::Update | Act::Delete) && !self.plan.steps.iter().any(goes)
    }

    /// The resource of `step`, as the plan looked for it.
    fn target(&self, step: &Step) -> Target {
        let recorded = self.fold.state.resources.get(&step.id.address);
        Target {
            address: step.id.address.clone(),
            stack: self.plan.stack.clone(),
            id: step.cloud_id.clone(),
            identity: step.identity.clone(),
            props: recorded.map_or_else(|| self.resolved(&step.props), |record| record.inputs.clone()),
            used: false,
        }
    }

    fn call(&self, step: &'a Step, look: Option<WaveLook<'a>>) -> BoxFuture<'a, Answer> {
        let mut changes = step.changes.clone();
        for change in &mut changes {
            change.new = lh_model::value::resolve(&change.new, &|r| self.fold.state.value_of(r));
        }
        let call = Call {
            cloud: self.ports.cloud.as_ref(),
            pace: self.ports.pace.as_ref(),
            events: self.ports.events.as_ref(),
            guard: self.guard,
            stop: self.stop,
            op: Op::new(&self.plan.stack, &step.id.address, &step.identity),
            props: self.resolved(&step.props),
            changes,
            target: self.target(step),
            look: look.filter(|_| self.is_looked_at(step)),
            step,
        };
        Box::pin(call.run())
    }

    fn intent(&self, step: &Step) -> JournalEvent {
        JournalEvent::Intended(Intent {
            address: step.id.address.clone(),
            verb: verb(step.id.act),
            identity: step.identity.clone(),
            generation: step.generation,
            props: self.recorded_props(step),
            needs: step.needs.clone(),
        })
    }

    /// The properties as state keeps them: resolved, long texts as digests.
    fn recorded_props(&self, step: &Step) -> Map {
        recorded(self.resolved(&step.props), self.ports.cloud.book().rules(step.id.address.kind()))
    }

    /// The calls go to the journal with what is written next.
    fn note(&mut self, id: &StepId, calls: Vec<CallMade>) {
        if !calls.is_empty() {
            let (address, verb) = (id.address.clone(), verb(id.act));
            self.pen.add(JournalEvent::Called { address, verb, calls });
        }
    }

    async fn answered(
        &mut self,
        id: StepId,
        answer: Result<Option<CloudId>, CloudError>,
    ) -> Result<(), StoreError> {
        let Some(step) = self.plan.step(&id) else { return Ok(()) };
        match answer {
            Ok(Some(made)) => {
                let address = id.address.clone();
                let event = JournalEvent::Made { address, id: made.clone() };
                self.pen.write(self.fold, vec![event]).await?;
                self.await_ready(step, Some(made));
            }
            Ok(None) => self.await_ready(step, step.cloud_id.clone()),
            Err(error) => {
                if !error.is_uncertain() && error.kind != ErrorKind::TokenMismatch {
                    let event = JournalEvent::Void { address: id.address.clone(), why: error.to_string() };
                    self.pen.write(self.fold, vec![event]).await?;
                }
                self.fail(id, error);
            }
        }
        Ok(())
    }

    fn fail(&mut self, step: StepId, error: CloudError) {
        self.ports.events.tell(Event::Failed { step: step.clone(), error: error.clone() });
        self.outcome.failed.insert(step, error);
    }

    fn await_ready(&mut self, step: &Step, id: Option<CloudId>) {
        let props = self.resolved(&step.props);
        let target = Target {
            address: step.id.address.clone(),
            stack: self.plan.stack.clone(),
            id,
            identity: step.identity.clone(),
            props: props.clone(),
            used: false,
        };
        let began = self.began.get(&step.id).copied().unwrap_or_else(Instant::now);
        let (waited, last, state) = (Duration::ZERO, None, String::new());
        self.waits.add(step.id.clone(), Waiting { target, props, began, waited, last, state });
    }

    fn reach(&self) -> Reach<'a> {
        let Ports { cloud, pace, events, .. } = self.ports;
        Reach { cloud: cloud.as_ref(), pace: pace.as_ref(), events: events.as_ref() }
    }

    fn next_glance(&mut self) -> BoxFuture<'a, Glance> {
        let pause = self.waits.next_pause();
        let (targets, reach) = (self.waits.targets(), self.reach());
        Box::pin(async move {
            if !pause.is_zero() {
                reach.pace.pause(pause).await;
            }
            observe(&reach, &targets).await
        })
    }

    async fn looked(&mut self, seen: Glance) -> Result<(), StoreError> {
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                let waiting: Vec<StepId> = self.waits.pending.keys().cloned().collect();
                for step in waiting {
                    self.give_up(&step).await?;
                    self.fail(step, error.clone());
                }
                return Ok(());
            }
        };
        for (id, progress) in self.waits.judge(&self.reach(), &seen) {
            match progress {
                Progress::NotYet => self.still_waiting(&id),
                Progress::Complete(found) => self.complete(&id, found).await?,
                Progress::Failed(error) => {
                    self.give_up(&id).await?;
                    self.fail(id, error);
                }
            }
        }
        Ok(())
    }

    fn still_waiting(&self, id: &StepId) {
        if let Some(waiting) = self.waits.pending.get(id) {
            let (state, elapsed) = (waiting.state.clone(), waiting.began.elapsed());
            self.ports.events.tell(Event::Waiting { step: id.clone(), state, elapsed });
        }
    }

    async fn complete(&mut self, id: &StepId, found: Option<Found>) -> Result<(), StoreError> {
        let waiting = self.waits.pending.remove(id);
        let Some(step) = self.plan.step(id) else { return Ok(()) };
        let address = id.address.clone();
        let event = match &found {
            Some(found) => JournalEvent::Done { address, record: Box::new(self.record(step, found, true)) },
            None => JournalEvent::Gone { address },
        };
        self.pen.write(self.fold, vec![event]).await?;
        let elapsed = waiting.map(|waiting| waiting.began.elapsed()).unwrap_or_default();
        let cloud_id = found.map(|found| found.id).or_else(|| step.cloud_id.clone());
        self.ports.events.tell(Event::Finished { step: id.clone(), id: cloud_id, elapsed });
        self.outcome.done.insert(id.clone());
        Ok(())
    }

    /// Records what was made though it is not ready: the next run goes on from there.
    async fn give_up(&mut self, id: &StepId) -> Result<(), StoreError> {
        let Some(waiting) = self.waits.pending.remove(id) else { return Ok(()) };
        let Some(step) = self.plan.step(id).filter(|step| step.id.act != Act::Delete) else { return Ok(()) };
        let Some(cloud_id) = waiting.target.id else { return Ok(()) };
        let owner = Owner::Stack(step.identity.clone());
        let found = waiting.last.unwrap_or(Found { id: cloud_id, owner, facts: step.facts.clone() });
        let record = Box::new(self.record(step, &found, true));
        let event = JournalEvent::Done { address: id.address.clone(), record };
        self.pen.write(self.fold, vec![event]).await
    }

    fn record(&self, step: &Step, found: &Found, managed: bool) -> Record {
        let identity = match &found.owner {
            Owner::Stack(identity) => identity.clone(),
            _ => step.identity.clone(),
        };
        Record {
            id: found.id.clone(),
            identity,
            generation: step.generation,
            managed,
            inputs: self.recorded_props(step),
            observed: found.facts.clone(),
            needs: step.needs.clone(),
            // All that a destroy makes, a last copy, is there to stay.
            retained: matches!(self.plan.mode, Mode::Destroy { .. }),
        }
    }

    /// Steps that change state alone.
    async fn record_only(&mut self, step: &Step) -> Result<(), StoreError> {
        let address = step.id.address.clone();
        let found = step.cloud_id.clone().map(|id| Found {
            id,
            owner: Owner::Stack(step.identity.clone()),
            facts: step.facts.clone(),
        });
        let event = match (step.id.act, found) {
            (Act::Adopt, Some(found)) => {
                JournalEvent::Done { address, record: Box::new(self.record(step, &found, true)) }
            }
            (Act::Use, Some(found)) => {
                JournalEvent::Done { address, record: Box::new(self.record(step, &found, false)) }
            }
            (Act::Refresh, Some(found)) => {
                let known = self.fold.state.resources.get(&address);
                let (managed, retained) =
                    known.map_or((true, false), |known| (known.managed, known.retained));
                let record = Record { retained, ..self.record(step, &found, managed) };
                JournalEvent::Done { address, record: Box::new(record) }
            }
            (Act::Retain, Some(found)) => {
                let record = Record { retained: true, ..self.record(step, &found, true) };
                JournalEvent::Done { address, record: Box::new(record) }
            }
            _ => JournalEvent::Gone { address },
        };
        self.pen.write(self.fold, vec![event]).await?;
        let (id, elapsed) = (step.cloud_id.clone(), Duration::ZERO);
        self.ports.events.tell(Event::Finished { step: step.id.clone(), id, elapsed });
        self.outcome.done.insert(step.id.clone());
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        let waiting: Vec<StepId> = self.waits.pending.keys().cloned().collect();
        for id in waiting {
            self.give_up(&id).await?;
            self.outcome.skipped.insert(id);
        }
        let outcome = &mut self.outcome;
        let over = |id: &StepId| outcome.done.contains(id) || outcome.failed.contains_key(id);
        let left: Vec<StepId> = self.plan.steps.iter().map(|s| s.id.clone()).filter(|id| !over(id)).collect();
        outcome.skipped.extend(left);
        let result = match (outcome.interrupted, outcome.is_complete()) {
            (true, false) => "interrupted",
            (_, true) => "complete",
            (false, false) => "failed",
        };
        let ended = JournalEvent::Ended { at: (self.ports.now)(), result: result.to_owned() };
        self.pen.write(self.fold, vec![ended]).await
    }
}
