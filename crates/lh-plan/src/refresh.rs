//! The refresh planner: what AWS shows is taken into the state, and AWS is left as it is.

use lh_kind::{AnyRules, FieldDiff, PriceBook, Seen};
use lh_model::{Address, Map};
use lh_state::Record;
use serde_json::{Value, json};

use crate::{Act, Drift, Estimate, Plan, draft::Draft, drift};

/// Plans to record what differs between state and AWS.
pub(crate) fn fill(draft: &Draft<'_>, plan: &mut Plan) {
    let mut priced: Vec<(Address, Map)> = Vec::new();
    let within = draft.targeted(&[]);
    for (address, record) in &draft.state.resources {
        let after = match within.as_ref().is_none_or(|within| within.contains(address)) {
            true => refresh(draft, plan, address, record),
            false => Some(record.inputs.clone()),
        };
        if let Some(inputs) = after.filter(|_| record.managed) {
            priced.push((address.clone(), inputs));
        }
    }
    let prices = PriceBook::of(&draft.desired.region);
    plan.cost_after = Estimate::of(priced.iter().map(|(a, p)| (a, p)), draft.book, &prices);
}

/// Plans for one record; what its properties are after that, unless it is gone.
fn refresh(draft: &Draft<'_>, plan: &mut Plan, address: &Address, record: &Record) -> Option<Map> {
    let resource = draft.desired.resources.iter().find(|resource| resource.address == *address);
    let found = match draft.observed.resources.get(address) {
        Some(Seen::Found(found)) => found,
        Some(Seen::Unreadable(error)) => {
            plan.refusals.push(draft.unreadable(address, error));
            return Some(record.inputs.clone());
        }
        _ => {
            let mut step = draft.record_step(Act::Forget, address, record);
            step.reason = format!("{} is gone.", record.id);
            plan.drift.push(drift::of_lost(address, record, resource.is_some()));
            plan.steps.push(step);
            return None;
        }
    };
    let want = resource.map(|resource| draft.resolve(&resource.props, &Default::default()));
    let rules = draft.book.rules(address.kind());
    let drift = rules
        .map(|rules: &dyn AnyRules| drift::of_found(address, rules, record, &found.facts, want.as_ref()));
    let drift = drift.unwrap_or_default();
    let mut inputs = record.inputs.clone();
    drift.iter().for_each(|one| accept(&mut inputs, one));
    if !drift.is_empty() {
        let mut step = draft.record_step(Act::Refresh, address, record).of(found);
        step.origin = resource.and_then(|resource| resource.origin.clone());
        step.reason = "AWS shows it otherwise than it was applied.".to_owned();
        step.props.clone_from(&inputs);
        let change = |one: &Drift| {
            let (field, old, new) = (one.field.clone(), one.recorded.clone(), one.actual.clone());
            FieldDiff { field, old, new, effect: None }
        };
        step.changes = drift.iter().map(change).collect();
        plan.steps.push(step);
        plan.drift.extend(drift);
    }
    Some(inputs)
}

/// Takes what AWS shows as what was applied.
fn accept(inputs: &mut Map, drift: &Drift) {
    let Some(key) = drift.field.strip_prefix("tags.") else {
        inputs.insert(drift.field.clone(), drift.actual.clone());
        return;
    };
    let tags = inputs.entry("tags").or_insert_with(|| json!({}));
    match (&drift.actual, tags.as_object_mut()) {
        (Value::Null, Some(tags)) => drop(tags.remove(key)),
        (value, Some(tags)) => drop(tags.insert(key.to_owned(), value.clone())),
        (_, None) => {}
    }
}
