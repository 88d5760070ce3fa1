//! Carrying a plan out: everything whose requirements are met runs at once, each change with
//! its intent durable before the call, and many waits share one look.
//!
//! Nothing waits for what it does not need: while the journal is written, calls and looks go on, and
//! what happens meanwhile goes with the next write. An outcome and the intents that it makes possible
//! are one write.

mod answers;
mod step;

use std::{collections::BTreeMap, time::Instant};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, try_join},
    stream::FuturesUnordered,
};
use lh_plan::{Act, Plan, Step, StepId};
use lh_state::{Entry, Event as JournalEvent, Fold, Holder, LeaseGuard, StoreError};

use crate::{
    Event, Outcome, Ports, Reach, Stop,
    call::Answer,
    flight::{Batch, Flight, Glance, end_of},
    look::see,
    pen::{Pen, began},
    wait::Waits,
};

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

    fn reach(&self) -> Reach<'a> {
        let Ports { cloud, pace, events, .. } = self.ports;
        Reach { cloud: cloud.as_ref(), pace: pace.as_ref(), events: events.as_ref() }
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
