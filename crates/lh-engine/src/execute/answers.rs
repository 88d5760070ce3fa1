//! What becomes of a step: AWS's answer, the looks that it is waited for with, and what is recorded.

use std::time::{Duration, Instant};

use lh_kind::{CloudError, ErrorKind, Found, Owner, Target};
use lh_model::{CallMade, CloudId};
use lh_plan::{Act, Mode, Step, StepId};
use lh_state::{Event as JournalEvent, Record};

use super::{Execution, step::verb};
use crate::{
    Event,
    flight::Glance,
    settle::applied,
    wait::{Progress, Waiting},
};

impl Execution<'_> {
    /// The calls go to the journal with what is written next.
    pub(super) fn note_calls(&mut self, id: &StepId, calls: Vec<CallMade>) {
        if !calls.is_empty() {
            let (address, verb) = (id.address.clone(), verb(id.act));
            self.note(JournalEvent::Called { address, verb, calls });
        }
    }

    pub(super) fn answered(&mut self, id: StepId, answer: Result<Option<CloudId>, CloudError>) {
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

    pub(super) fn await_ready(&mut self, step: &Step, id: Option<CloudId>) {
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

    pub(super) fn looked(&mut self, seen: &Glance) {
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
    pub(super) fn give_up(&mut self, id: &StepId) {
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
    pub(super) fn record_only(&mut self, step: &Step) {
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
}
