//! A second opinion on a plan: rules that every plan must keep, checked apart from the planner.

use std::collections::BTreeSet;

use lh_kind::{AnyRules, AtDestroy, RuleBook};

use crate::{Act, Mode, Plan, StepId};

/// What is wrong with `plan`; nothing for a sound one. Run before every execution.
pub fn lint(plan: &Plan, book: &dyn RuleBook) -> Vec<String> {
    let mut faults = Vec::new();
    let mut done: BTreeSet<&StepId> = BTreeSet::new();
    for step in &plan.steps {
        for required in step.requires.iter().filter(|required| !done.contains(required)) {
            faults.push(format!("`{}` comes before `{required}`, which it requires", step.id));
        }
        if !done.insert(&step.id) {
            faults.push(format!("`{}` is planned twice", step.id));
        }
        if step.id.act.is_mutating() && step.calls.is_empty() {
            faults.push(format!("`{}` changes AWS but lists no operation", step.id));
        }
        let needs_id = matches!(step.id.act, Act::Update | Act::Delete | Act::Await);
        if needs_id && step.cloud_id.is_none() {
            faults.push(format!("`{}` has no id to work on", step.id));
        }
        let holds_data = book.rules(step.id.address.kind()).is_none_or(|rules| rules.holds_data());
        if step.id.act == Act::Delete && holds_data && plan.mode == Mode::Apply {
            faults.push(format!("`{}` would delete data in an apply", step.id));
        }
        if step.id.act == Act::Delete && holds_data && plan.mode == (Mode::Destroy { retain_data: true }) {
            faults.push(format!("`{}` would delete data that is to be retained", step.id));
        }
        if step.id.act == Act::Delete && plan.mode == (Mode::Release { delete: false }) {
            faults.push(format!("`{}` would delete what is to be kept", step.id));
        }
        let at_destroy = book.rules(step.id.address.kind()).map(AnyRules::at_destroy);
        // A release has asked for the backup itself, or for going without one.
        let released = plan.mode == Mode::Release { delete: true };
        if let (Act::Delete, Some(AtDestroy::AfterCopy(kind)), false) = (step.id.act, at_destroy, released) {
            let is_copy =
                |id: &&StepId| matches!(id.act, Act::Create | Act::Await) && id.address.kind() == kind;
            if !step.requires.iter().any(|required| is_copy(&required)) {
                faults.push(format!("`{}` would delete data before its last copy is complete", step.id));
            }
        }
    }
    faults
}
