//! The destroy planner: what goes, what stays, and the final copy before data goes.

use std::collections::BTreeSet;

use lh_kind::{AnyRules, AtDestroy, Effect, FieldDiff, Found, PriceBook, Readiness, Seen};
use lh_model::{Address, Diagnostic, Existing, Map, Resource};
use lh_state::Record;
use serde_json::{Value, json};

use crate::{
    Act, Estimate, Plan, Step, StepId,
    draft::{Draft, NOT_PLANNED, note},
};

/// Plans the removal of everything recorded.
pub(crate) fn fill(draft: &Draft<'_>, plan: &mut Plan, retain_data: bool) {
    if draft.desired.protect && !draft.state.resources.is_empty() {
        plan.refusals.push(
            Diagnostic::error("E0620", format!("{} is protected", draft.desired.stack))
                .because("Its stack file says `protect: true`.")
                .fix("Set `protect: false`, apply, and destroy again."),
        );
    }
    let mut kept: Vec<(Address, Map)> = Vec::new();
    for (address, record) in &draft.state.resources {
        let found = match draft.observed.resources.get(address) {
            Some(Seen::Found(found)) => found,
            Some(Seen::Unreadable(error)) => {
                plan.notes.push(note(address, NOT_PLANNED));
                plan.refusals.push(draft.unreadable(address, error));
                kept.push((address.clone(), record.inputs.clone()));
                continue;
            }
            _ => {
                let mut step = draft.record_step(Act::Forget, address, record);
                step.reason = format!("{} is gone.", record.id);
                plan.steps.push(step);
                continue;
            }
        };
        remove(draft, plan, address, record, found, retain_data);
        if !plan.steps.iter().any(|step| step.id == StepId::new(Act::Delete, address)) && record.managed {
            kept.push((address.clone(), record.inputs.clone()));
        }
    }
    copy_last(plan);
    keys_go_last(draft, plan);
    find_strays(draft, plan);
    let prices = PriceBook::of(&draft.desired.region);
    plan.cost_after = Estimate::of(kept.iter().map(|(a, p)| (a, p)), draft.book, &prices);
}

fn remove(
    draft: &Draft<'_>,
    plan: &mut Plan,
    address: &Address,
    record: &Record,
    found: &Found,
    retain_data: bool,
) {
    if !record.managed {
        let mut step = draft.record_step(Act::Forget, address, record);
        step.reason = "It existed before this stack: it is left as it is.".to_owned();
        plan.steps.push(step);
        plan.notes.push(note(address, format!("{} existed before this stack and stays.", record.id)));
        return;
    }
    let rules = draft.book.rules(address.kind());
    let at_destroy = rules.map_or(AtDestroy::Keep, AnyRules::at_destroy);
    let holds_data = rules.is_none_or(AnyRules::holds_data);
    let contents = rules.and_then(|rules| rules.contents(&found.facts));
    let is_full = at_destroy == AtDestroy::IfEmpty && contents.is_some();
    if at_destroy == AtDestroy::Keep || is_full || (holds_data && retain_data) {
        let what = contents.unwrap_or_else(|| "data".to_owned());
        plan.notes.push(note(address, format!("{} holds {what} and is retained.", record.id)));
        if !record.retained {
            let mut step = draft.record_step(Act::Retain, address, record).of(found);
            step.reason = "It holds data.".to_owned();
            plan.steps.push(step);
        }
        return;
    }
    if let Some(why) = draft.expires(address, found) {
        let mut step = draft.record_step(Act::Forget, address, record);
        step.reason.clone_from(&why);
        plan.steps.push(step);
        plan.notes.push(note(address, why));
        return;
    }
    let mut delete = draft.delete_step(address, found);
    delete.reason = "The stack is destroyed.".to_owned();
    delete.effect = Effect::Replace;
    if let AtDestroy::AfterCopy(kind) = at_destroy {
        let copy = match standing_copy(draft, kind, address, record) {
            Some(copy) => copy,
            None => final_copy(draft, kind, address, record),
        };
        delete.requires.insert(copy.id.clone());
        let text = format!("its final copy, {}, is complete before it goes, and stays.", copy.id.address);
        plan.notes.push(note(address, text));
        plan.steps.push(copy);
    }
    plan.steps.push(delete);
}

/// A copy is the last one only if nothing writes any more: it is made after everything that
/// used the original has gone.
fn copy_last(plan: &mut Plan) {
    let deletes = |step: &&Step| step.id.act == Act::Delete;
    let copied: Vec<(StepId, Address)> = plan
        .steps
        .iter()
        .filter(deletes)
        .flat_map(|step| step.requires.iter().map(|copy| (copy.clone(), step.id.address.clone())))
        .collect();
    for (copy, original) in copied {
        let users: BTreeSet<StepId> = plan
            .steps
            .iter()
            .filter(|step| deletes(step) && step.needs.contains(&original))
            .map(|step| step.id.clone())
            .collect();
        if let Some(step) = plan.steps.iter_mut().find(|step| step.id == copy) {
            step.requires.extend(users);
        }
    }
}

fn copy_name(address: &Address, record: &Record) -> String {
    format!("final-{}-{}", address.name(), record.generation)
}

/// The step that waits for a copy which an interrupted destroy has made, if that is still the
/// last word: nothing has used the original since.
fn standing_copy(draft: &Draft<'_>, kind: &str, address: &Address, record: &Record) -> Option<Step> {
    let state = draft.state;
    let is_used = state
        .resources
        .iter()
        .any(|(user, other)| other.needs.contains(address) && draft.observed.found(user).is_some());
    if is_used {
        return None;
    }
    let rules = draft.book.rules(kind)?;
    let (copy, of_copy, found) = state.resources.iter().rev().find_map(|(copy, of_copy)| {
        let ours = copy.kind() == kind && copy.name().starts_with(&copy_name(address, record));
        let same = of_copy.inputs.get("source").and_then(Value::as_str) == Some(&record.id.0);
        let found = draft.observed.found(copy).filter(|_| ours && same)?;
        let usable = matches!(rules.ready(&found.facts), Readiness::Ready | Readiness::Pending(_));
        usable.then_some((copy, of_copy, found))
    })?;
    let mut step = draft.record_step(Act::Await, copy, of_copy).of(found);
    step.reason = "An interrupted destroy made it, and nothing was written since.".to_owned();
    Some(step)
}

/// The step that makes the last copy of what holds data.
fn final_copy(draft: &Draft<'_>, kind: &str, address: &Address, record: &Record) -> Step {
    let name = copy_name(address, record);
    // An older copy keeps its place: it may hold what was deleted since.
    let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    let copy = names
        .map(|name| Address::new(kind, &name))
        .find(|copy| !draft.state.resources.contains_key(copy))
        .unwrap_or_else(|| Address::new(kind, &name));
    let stack = &draft.desired.stack;
    let mut tags = record.inputs.get("tags").cloned().unwrap_or_else(|| json!({}));
    tags["Name"] = Value::from(format!("{stack}-timescaledb-final"));
    let props: Map = [
        ("source".to_owned(), Value::from(record.id.0.clone())),
        (
            "description".to_owned(),
            Value::from(format!("Final copy of {} before {stack} was destroyed", record.id)),
        ),
        ("tags".to_owned(), tags),
    ]
    .into_iter()
    .collect();
    let resource = Resource {
        address: copy,
        props: props.clone(),
        origin: None,
        origins: Default::default(),
        after: Default::default(),
        existing: Existing::Refuse,
    };
    let mut step = draft.step(Act::Create, &resource, &props);
    step.reason = format!("{} holds data; its last copy is kept.", record.id);
    step.changes = props
        .into_iter()
        .map(|(field, new)| FieldDiff { field, old: Value::Null, new, effect: None })
        .collect();
    step
}

/// What opens the data, such as a generated password, goes only once the data is gone.
fn keys_go_last(draft: &Draft<'_>, plan: &mut Plan) {
    let at_destroy = |id: &StepId| {
        let rules = draft.book.rules(id.address.kind()).filter(|rules| rules.holds_data());
        rules.filter(|_| id.act == Act::Delete).map(AnyRules::at_destroy)
    };
    let ids: Vec<StepId> = plan.steps.iter().map(|step| step.id.clone()).collect();
    let copied = |id: &&StepId| matches!(at_destroy(id), Some(AtDestroy::AfterCopy(_)));
    let data: Vec<StepId> = ids.iter().filter(copied).cloned().collect();
    for step in plan.steps.iter_mut().filter(|step| at_destroy(&step.id) == Some(AtDestroy::Delete)) {
        step.requires.extend(data.iter().cloned());
    }
}

/// Resources with this stack's tags that state does not know are not silently left behind.
fn find_strays(draft: &Draft<'_>, plan: &mut Plan) {
    for (address, error) in draft.unreadable_unrecorded() {
        plan.notes.push(note(address, NOT_PLANNED));
        plan.refusals.push(draft.unreadable(address, error));
    }
    for resource in &draft.desired.resources {
        let address = &resource.address;
        let known = draft.state.resources.contains_key(address);
        let found = draft.observed.found(address).filter(|f| matches!(f.owner, lh_kind::Owner::Stack(_)));
        if let (false, Some(found)) = (known, found) {
            plan.refusals.push(
                Diagnostic::error(
                    "E0602",
                    format!("{address} exists as {}, but the state does not know it", found.id),
                )
                .because("It carries this stack's ownership tags; destroying the rest would leave it behind.")
                .fix("Rebuild the state from the tags with `lhctl recover`, then destroy again."),
            );
        }
    }
}
