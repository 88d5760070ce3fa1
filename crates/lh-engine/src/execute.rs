//! Carrying a plan out: everything whose requirements are met runs at once, each change with
//! its intent durable before the call, and many waits share one look.
//!
//! Nothing waits for what it does not need: while the journal is written, calls and looks go on, and
//! what happens meanwhile goes with the next write. An outcome and the intents that it makes possible
//! are one write.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, try_join},
    stream::FuturesUnordered,
};
use lh_kind::{AnyRules, CloudError, ErrorKind, Found, Op, Owner, Target};
use lh_model::{Address, CallMade, CloudId, Map, value::resolve_map};
use lh_plan::{Act, Mode, Plan, Step, StepId};
use lh_state::{Entry, Event as JournalEvent, Fold, Holder, Intent, LeaseGuard, Record, StoreError, Verb};

use crate::{
    Event, Outcome, Ports, Reach, Stop,
    call::{Answer, Call, WaveLook},
    flight::{Batch, Flight, Glance, end_of},
    look::see,
    pen::{Pen, began},
    settle::{applied, recorded},
    wait::{Progress, Waiting, Waits},
};

fn verb(act: Act) -> Verb {
    match act {
        Act::Create => Verb::Create,
        Act::Delete => Verb::Delete,
        _ => Verb::Update,
    }
}

/// One plan on its way.
pub(crate) struct Execution<'a> {
    ports: &'a Ports,
    guard: &'a dyn LeaseGuard,
    fold: &'a mut Fold,
    plan: &'a Plan,
    stop: &'a Stop,
    pen: Pen<'a>,
    /// Steps whose intents are noted and not yet being written.
    announced: Vec<&'a Step>,
    /// Whether intents are being written.
    is_announcing: bool,
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
        let (announced, is_announcing, began, waits, outcome) = Default::default();
        Self { ports, guard, fold, plan, stop, pen, announced, is_announcing, began, waits, outcome }
    }

    /// Writes down what became of earlier runs, then runs until nothing is left that can run.
    /// Answers with what it wrote to the journal, too.
    pub async fn run(
        mut self,
        holder: &Holder,
        settled: Vec<JournalEvent>,
    ) -> Result<(Outcome, Vec<Entry>), StoreError> {
        self.begin(holder, settled);
        let mut flight = Flight::default();
        loop {
            self.heed_stop(flight.calls.len());
            if !self.outcome.interrupted {
                self.announce_ready();
                self.look(&mut flight);
            }
            if self.may_write(flight.writes.len()) {
                let write = self.write(&mut flight.glimpses);
                flight.writes.push(write);
            }
            let is_waiting = !self.outcome.interrupted && !self.waits.pending.is_empty();
            if flight.calls.is_empty() && flight.writes.is_empty() && !is_waiting {
                break;
            }
            tokio::select! {
                biased;
                Some(answer) = flight.calls.next() => {
                    let (step, answer, calls) = answer?;
                    self.note_calls(&step, calls);
                    self.answered(step, answer);
                }
                Some(seen) = flight.looks.next() => self.looked(&seen),
                Some(batch) = flight.writes.next() => self.written(batch?, &flight.calls),
                () = end_of(&mut flight.pause) => {
                    self.waits.rested();
                    flight.looks.extend(self.next_look());
                }
                Some(()) = flight.glimpses.next() => {}
            }
        }
        self.end().await?;
        Ok((self.outcome, self.pen.into_written()))
    }

    fn heed_stop(&mut self, in_flight: usize) {
        if self.stop.is_asked() && !self.outcome.interrupted {
            self.outcome.interrupted = true;
            self.ports.events.tell(Event::Stopping { in_flight });
        }
    }

    fn note(&mut self, event: JournalEvent) {
        self.pen.note(self.fold, event);
    }

    fn begin(&mut self, holder: &Holder, settled: Vec<JournalEvent>) {
        let began = began(holder, self.ports, self.plan.digest(), &self.fold.state.lineage);
        let account = self.plan.account.clone();
        let pinned = JournalEvent::Pinned { account, pins: self.plan.pins.clone() };
        std::iter::once(began).chain(settled).chain(std::iter::once(pinned)).for_each(|one| self.note(one));
    }

    /// Notes the intent of every step whose requirements are met. Steps that change state alone are
    /// done with that, and may make others ready.
    fn announce_ready(&mut self) {
        loop {
            let plan = self.plan;
            let ready: Vec<&'a Step> = plan.steps.iter().filter(|step| self.is_ready(step)).collect();
            if ready.is_empty() {
                return;
            }
            for step in ready {
                self.began.insert(step.id.clone(), Instant::now());
                match step.id.act {
                    act if act.is_mutating() => {
                        self.note(self.intent(step));
                        self.announced.push(step);
                    }
                    Act::Await => self.await_ready(step, step.cloud_id.clone()),
                    _ => self.record_only(step),
                }
            }
        }
    }

    /// One write of outcomes and one of intents are on their way at most: what comes meanwhile goes
    /// with the next. Intents, for which steps wait, do not wait for outcomes: one that a crash loses
    /// between two intents is found again by a look. Only the very first entries, with which a
    /// lineage begins, go before everything else.
    fn may_write(&self, on_their_way: usize) -> bool {
        let may_pass = self.pen.has_written() && !self.announced.is_empty() && !self.is_announcing;
        self.pen.is_wet() && (on_their_way == 0 || may_pass)
    }

    /// Begins to write all that was noted. Where intents are among it the lease is renewed meanwhile,
    /// and what they are about is looked at.
    fn write(
        &mut self,
        glimpses: &mut FuturesUnordered<BoxFuture<'a, ()>>,
    ) -> BoxFuture<'a, Result<Batch<'a>, StoreError>> {
        let (journal, entries) = self.pen.take();
        let steps = std::mem::take(&mut self.announced);
        self.is_announcing |= !steps.is_empty();
        let look = self.look_before(&steps);
        glimpses.extend(look.clone().map(|look| look.map(drop).boxed()));
        let guard = self.guard;
        async move {
            let renewed = async {
                match steps.is_empty() {
                    true => Ok(()),
                    false => guard.renew().await,
                }
            };
            try_join(renewed, journal.append(&entries)).await?;
            Ok(Batch { entries, steps, look })
        }
        .boxed()
    }

    /// The intents are durable: their calls are made, unless stopping was asked for meanwhile.
    fn written(&mut self, batch: Batch<'a>, calls: &FuturesUnordered<BoxFuture<'a, Answer>>) {
        self.pen.keep(batch.entries);
        self.is_announcing &= batch.steps.is_empty();
        self.heed_stop(calls.len());
        for step in batch.steps {
            if self.outcome.interrupted {
                let why = "stopping was asked for before the call".to_owned();
                self.note(JournalEvent::Void { address: step.id.address.clone(), why });
                continue;
            }
            self.ports.events.tell(Event::Started(step.id.clone()));
            calls.push(self.call(step, batch.look.clone()));
        }
    }

    /// What was just made is looked at at once, with all else that is waited for; the rest after
    /// a pause.
    fn look(&mut self, flight: &mut Flight<'a>) {
        if self.waits.has_fresh() {
            flight.pause = None;
            flight.looks.extend(self.next_look());
        } else if flight.pause.is_none()
            && let Some(pause) = self.waits.next_pause()
        {
            let pace = self.ports.pace.as_ref();
            flight.pause = Some(pace.pause(pause));
        }
    }

    fn next_look(&mut self) -> Option<BoxFuture<'a, Glance>> {
        let (targets, reach) = (self.waits.targets(), self.reach());
        (!targets.is_empty()).then(|| async move { see(&reach, &targets).await }.boxed())
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
        (!targets.is_empty()).then(|| async move { Arc::new(see(&reach, &targets).await) }.boxed().shared())
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
        recorded(self.resolved(&step.props), self.rules_of(step))
    }

    fn rules_of(&self, step: &Step) -> Option<&dyn AnyRules> {
        self.ports.cloud.book().rules(step.id.address.kind())
    }

    /// The calls go to the journal with what is written next.
    fn note_calls(&mut self, id: &StepId, calls: Vec<CallMade>) {
        if !calls.is_empty() {
            let (address, verb) = (id.address.clone(), verb(id.act));
            self.note(JournalEvent::Called { address, verb, calls });
        }
    }

    fn answered(&mut self, id: StepId, answer: Result<Option<CloudId>, CloudError>) {
        let Some(step) = self.plan.step(&id) else { return };
        match answer {
            Ok(Some(made)) => {
                self.note(JournalEvent::Made { address: id.address.clone(), id: made.clone() });
                self.await_ready(step, Some(made));
            }
            Ok(None) => self.await_ready(step, step.cloud_id.clone()),
            Err(error) => {
                if !error.is_uncertain() && error.kind != ErrorKind::TokenMismatch {
                    self.note(JournalEvent::Void { address: id.address.clone(), why: error.to_string() });
                }
                self.fail(id, error);
            }
        }
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
        let waiting = Waiting {
            target,
            props,
            began,
            waited: Duration::ZERO,
            last: None,
            state: String::new(),
            is_looked_at: false,
            unread_since: None,
            was_looked_at: false,
        };
        self.waits.add(step.id.clone(), waiting);
    }

    fn reach(&self) -> Reach<'a> {
        let Ports { cloud, pace, events, .. } = self.ports;
        Reach { cloud: cloud.as_ref(), pace: pace.as_ref(), events: events.as_ref() }
    }

    fn looked(&mut self, seen: &Glance) {
        for (id, progress) in self.waits.judge(&self.reach(), seen) {
            match progress {
                Progress::NotYet => self.still_waiting(&id),
                Progress::Complete(found) => self.complete(&id, found),
                Progress::Failed(error) => {
                    self.give_up(&id);
                    self.fail(id, error);
                }
            }
        }
    }

    fn still_waiting(&self, id: &StepId) {
        if let Some(waiting) = self.waits.pending.get(id) {
            let (state, elapsed) = (waiting.state.clone(), waiting.began.elapsed());
            self.ports.events.tell(Event::Waiting { step: id.clone(), state, elapsed });
        }
    }

    fn complete(&mut self, id: &StepId, found: Option<Found>) {
        let waiting = self.waits.pending.remove(id);
        let Some(step) = self.plan.step(id) else { return };
        let address = id.address.clone();
        let event = match &found {
            Some(found) => JournalEvent::Done { address, record: Box::new(self.record(step, found, true)) },
            None => JournalEvent::Gone { address },
        };
        self.note(event);
        let elapsed = waiting.map(|waiting| waiting.began.elapsed()).unwrap_or_default();
        let cloud_id = found.map(|found| found.id).or_else(|| step.cloud_id.clone());
        self.ports.events.tell(Event::Finished { step: id.clone(), id: cloud_id, elapsed });
        self.outcome.done.insert(id.clone());
    }

    /// Records what was made though it is not ready: the next run goes on from there.
    fn give_up(&mut self, id: &StepId) {
        let Some(waiting) = self.waits.pending.remove(id) else { return };
        let Some(step) = self.plan.step(id).filter(|step| step.id.act != Act::Delete) else { return };
        let Some(cloud_id) = waiting.target.id else { return };
        let owner = Owner::Stack(step.identity.clone());
        let found = waiting.last.unwrap_or(Found { id: cloud_id, owner, facts: step.facts.clone() });
        let record = Box::new(self.record(step, &found, true));
        self.note(JournalEvent::Done { address: id.address.clone(), record });
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
            inputs: applied(self.recorded_props(step), &found.facts, self.rules_of(step)),
            observed: found.facts.clone(),
            needs: step.needs.clone(),
            // All that a destroy makes, a last copy, is there to stay.
            retained: matches!(self.plan.mode, Mode::Destroy { .. }),
        }
    }

    /// Steps that change state alone.
    fn record_only(&mut self, step: &Step) {
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
        self.note(event);
        let (id, elapsed) = (step.cloud_id.clone(), Duration::ZERO);
        self.ports.events.tell(Event::Finished { step: step.id.clone(), id, elapsed });
        self.outcome.done.insert(step.id.clone());
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        let waiting: Vec<StepId> = self.waits.pending.keys().cloned().collect();
        for id in waiting {
            self.give_up(&id);
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
        self.note(ended);
        self.pen.write().await
    }
}
