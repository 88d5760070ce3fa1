//! What AWS shows of a resource of the stack, against what is wanted of it.

use lh_kind::{AnyRules, Change, Effect, FieldDiff, Found, Mutability, Readiness};
use lh_model::{Address, Diagnostic, Map, Resource, value::is_late};
use lh_state::Record;

use super::Verdict;
use crate::{Act, Note, draft::Draft, drift};

/// What AWS shows against what is wanted, of a resource that the state knows.
pub(super) fn compare(
    draft: &Draft<'_>,
    resource: &Resource,
    want: &Map,
    rules: &dyn AnyRules,
    found: &Found,
    record: &Record,
) -> Verdict {
    let mut verdict = compare_with(draft, resource, want, rules, found, Some(record));
    verdict.drift = drift::of_found(&resource.address, rules, record, &found.facts, Some(want));
    if record.retained && verdict.steps.is_empty() {
        let mut adopt = draft.step(Act::Adopt, resource, want).of(found);
        adopt.reason = "It was retained, and the spec wants it again.".to_owned();
        verdict.steps.push(adopt);
    }
    verdict
}

/// The same, of one that it may not know.
pub(super) fn compare_with(
    draft: &Draft<'_>,
    resource: &Resource,
    want: &Map,
    rules: &dyn AnyRules,
    found: &Found,
    record: Option<&Record>,
) -> Verdict {
    let recorded = record.map(|record| &record.inputs);
    // What AWS never shows is as it was applied.
    let mut have = recorded.cloned().unwrap_or_default();
    have.extend(found.facts.clone());
    match (rules.ready(&found.facts), rules.diff(want, &have, recorded)) {
        (Readiness::Leaving(state), _) => {
            let why = format!("{} is {state}, so a new one takes its place.", found.id);
            replace(draft, resource, want, rules, found, Vec::new(), why)
        }
        (Readiness::Failed(why), _) => Verdict::refusal(
            Diagnostic::error("E0604", format!("{} ({}) has failed: {why}", resource.address, found.id))
                .at(resource.origin.clone())
                .fix("Look at it in the AWS console; once it is repaired or deleted, run the command again."),
        ),
        (_, Change::Refuse(refusal)) => Verdict::refusal(
            Diagnostic::error(
                "E0605",
                format!("{}.{} cannot be changed so", resource.address, refusal.field),
            )
            .at(draft.origin_of(resource, &refusal.field))
            .because(refusal.why)
            .fix(refusal.fix),
        ),
        (_, Change::Replace(diffs)) => {
            let fields: Vec<&str> = diffs
                .iter()
                .filter(|diff| diff.effect == Some(Effect::Replace))
                .map(|diff| diff.field.as_str())
                .collect();
            let why = format!("{} can only be set when it is created.", fields.join(", "));
            replace(draft, resource, want, rules, found, diffs, why)
        }
        (_, Change::InPlace(diffs, effect)) => {
            let (diffs, told): (Vec<_>, Vec<_>) = diffs.into_iter().partition(|diff| diff.effect.is_some());
            let mut step = draft.step(Act::Update, resource, want).of(found);
            step.reason = draft.reason_of(&resource.address, &diffs, record);
            step.origin = draft.origin_of_change(resource, &diffs);
            step.effect = effect;
            step.calls = draft.calls_of_change(&resource.address, &diffs);
            if effect == Effect::StopStart {
                step.downtime_seconds = rules.downtime().stop_start;
            }
            step.changes = diffs;
            Verdict { notes: differences(resource, rules, &told), ..Verdict::step(true, step) }
        }
        (Readiness::Pending(state), Change::Same(_)) => {
            let mut step = draft.step(Act::Await, resource, want).of(found);
            step.reason = format!("It is {state}.");
            Verdict::step(true, step)
        }
        (Readiness::Ready, Change::Same(told)) => {
            Verdict { notes: differences(resource, rules, &told), ..Verdict::nothing(true) }
        }
    }
}

/// The differences that no apply acts on, told.
fn differences(resource: &Resource, rules: &dyn AnyRules, told: &[FieldDiff]) -> Vec<Note> {
    told.iter()
        .map(|diff| Note { address: Some(resource.address.clone()), text: difference(rules, diff) })
        .collect()
}

/// A difference that no apply acts on, and what does.
fn difference(rules: &dyn AnyRules, diff: &FieldDiff) -> String {
    let field = rules.fields().iter().find(|field| field.name == diff.field);
    match field.map(|field| field.change) {
        Some(Mutability::Apart(way)) => {
            format!("{} is {} and not {}: {way}.", diff.field, diff.old, diff.new)
        }
        _ => format!(
            "{} differs, which matters at creation only: nothing is replaced or restarted for it.",
            diff.field
        ),
    }
}

fn replace(
    draft: &Draft<'_>,
    resource: &Resource,
    want: &Map,
    rules: &dyn AnyRules,
    found: &Found,
    diffs: Vec<FieldDiff>,
    why: String,
) -> Verdict {
    if rules.holds_data() {
        let field = diffs.first().map(|diff| diff.field.clone()).unwrap_or_default();
        return Verdict::refusal(
            Diagnostic::error(
                "E0606",
                format!("{} ({}) would have to be replaced", resource.address, found.id),
            )
            .at(draft.origin_of(resource, &field))
            .because(format!("{why} It holds data, and a new one would be empty."))
            .fix("Undo the change; to move the data, make a new stack and restore a dump into it."),
        );
    }
    let mut delete = draft.delete_step(&resource.address, found);
    if !draft.state.resources.contains_key(&resource.address) {
        // State tells nothing of it: the wishes say what it is and what it hangs on.
        delete.props.clone_from(want);
        delete.needs = resource.needs();
    }
    delete.origin = draft.origin_of_change(resource, &diffs);
    delete.reason.clone_from(&why);
    delete.effect = Effect::Replace;
    let mut create = draft.step(Act::Create, resource, want);
    create.generation = delete.generation + 1;
    create.identity = draft.identity(&resource.address, create.generation);
    create.reason = why;
    create.origin.clone_from(&delete.origin);
    create.effect = Effect::Replace;
    create.downtime_seconds = rules.downtime().replace;
    create.changes = diffs;
    Verdict { steps: vec![delete, create], ..Verdict::nothing(false) }
}

impl Draft<'_> {
    fn reason_of(&self, address: &Address, diffs: &[FieldDiff], record: Option<&Record>) -> String {
        let drifted = |diff: &FieldDiff| {
            record.is_some_and(|record| drift::value_at(&record.inputs, &diff.field) == diff.new)
        };
        if diffs.iter().all(|diff| is_late(&diff.new)) {
            "What it refers to is made anew.".to_owned()
        } else if diffs.iter().all(drifted) {
            "It was changed outside lhctl since the last apply.".to_owned()
        } else if let Some(what) = self.only_digested(address, diffs) {
            // A digest tells nobody anything.
            format!("The stack file, or this version of lhctl, has other {what}.")
        } else {
            "The stack file asks for other values.".to_owned()
        }
    }

    /// What differs, in words, where it is known by digests alone.
    fn only_digested(&self, address: &Address, diffs: &[FieldDiff]) -> Option<String> {
        let fields = self.book.rules(address.kind())?.fields();
        let named: Option<Vec<&str>> = diffs
            .iter()
            .map(|diff| fields.iter().find(|field| field.name == diff.field && field.digest).map(|it| it.doc))
            .collect();
        named.filter(|all| !all.is_empty()).map(|all| all.join("; "))
    }
}
