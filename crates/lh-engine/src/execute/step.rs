//! What a step asks of AWS, and what it notes before it does.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use lh_kind::{AnyRules, Op, Target};
use lh_model::{Address, Map, value::resolve_map};
use lh_plan::{Act, Step};
use lh_state::{Event as JournalEvent, Intent, Verb};

use super::Execution;
use crate::{
    call::{Answer, Call, WaveLook},
    look::see,
    settle::recorded,
};

pub(super) fn verb(act: Act) -> Verb {
    match act {
        Act::Create => Verb::Create,
        Act::Delete => Verb::Delete,
        _ => Verb::Update,
    }
}

impl<'a> Execution<'a> {
    pub(super) fn resolved(&self, map: &Map) -> Map {
        resolve_map(map, &|reference| self.fold.state.value_of(reference))
    }

    /// One look a kind at everything that these steps change or delete, just before they do.
    pub(super) fn look_before(&self, steps: &[&'a Step]) -> Option<WaveLook<'a>> {
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

    pub(super) fn call(&self, step: &'a Step, look: Option<WaveLook<'a>>) -> BoxFuture<'a, Answer> {
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

    pub(super) fn intent(&self, step: &Step) -> JournalEvent {
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
    pub(super) fn recorded_props(&self, step: &Step) -> Map {
        recorded(self.resolved(&step.props), self.rules_of(step))
    }

    pub(super) fn rules_of(&self, step: &Step) -> Option<&dyn AnyRules> {
        self.ports.cloud.book().rules(step.id.address.kind())
    }
}
