//! One wanted resource against what AWS shows of it: what has to be done.

mod compare;
mod leftover;

use lh_kind::{AnyRules, Change, CloudError, Effect, Found, Owner, Readiness, Seen};
use lh_model::{Address, Diagnostic, Existing, Identity, Map, Resource};
use lh_state::Record;

use self::compare::{compare, compare_with};
pub(crate) use self::leftover::judge_leftover;
use crate::{
    Act, Drift, Note,
    draft::{Draft, NOT_PLANNED, note},
    drift,
    plan::Step,
};

/// What has to be done with one resource.
pub(crate) struct Verdict {
    /// Its steps, in no order yet.
    pub steps: Vec<Step>,
    /// Whether its id is the same after them, so that references to it are known now.
    pub stays: bool,
    pub drift: Vec<Drift>,
    pub notes: Vec<Note>,
    pub refusals: Vec<Diagnostic>,
}

impl Verdict {
    fn nothing(stays: bool) -> Self {
        Self { steps: Vec::new(), stays, drift: Vec::new(), notes: Vec::new(), refusals: Vec::new() }
    }

    fn step(stays: bool, step: Step) -> Self {
        Self { steps: vec![step], ..Self::nothing(stays) }
    }

    fn refusal(refusal: Diagnostic) -> Self {
        Self { refusals: vec![refusal], ..Self::nothing(true) }
    }

    /// What could not be read is left alone, and the plan says so.
    pub(crate) fn unreadable(draft: &Draft<'_>, address: &Address, error: &CloudError) -> Self {
        let notes = vec![note(address, NOT_PLANNED)];
        Self { notes, ..Self::refusal(draft.unreadable(address, error)) }
    }
}

/// Judges `resource`, whose properties are `want` as far as they are known.
pub(crate) fn judge(draft: &Draft<'_>, resource: &Resource, want: &Map, rules: &dyn AnyRules) -> Verdict {
    let address = &resource.address;
    let record = draft.state.resources.get(address);
    match draft.observed.resources.get(address) {
        Some(Seen::Unreadable(error)) => Verdict::unreadable(draft, address, error),
        None | Some(Seen::Absent) => absent(draft, resource, want, record),
        Some(Seen::Found(found)) => match record {
            Some(record) if record.managed => compare(draft, resource, want, rules, found, record),
            Some(_) => on_its_way_out(resource, rules, found).unwrap_or(Verdict::nothing(true)),
            // It was moved in the state: its tags still name the address it was made under.
            None if draft.is_recorded_elsewhere(address, found) => absent(draft, resource, want, None),
            None => unrecorded(draft, resource, want, rules, found),
        },
    }
}

fn absent(draft: &Draft<'_>, resource: &Resource, want: &Map, record: Option<&Record>) -> Verdict {
    let mut create = draft.step(Act::Create, resource, want);
    let Some(record) = record else {
        create.reason = "It does not exist.".to_owned();
        return Verdict::step(false, create);
    };
    create.reason = format!("{} is recorded but AWS no longer shows it.", record.id);
    let drift = vec![drift::of_lost(&resource.address, record, true)];
    Verdict { drift, ..Verdict::step(false, create) }
}

/// Something is there that state does not know.
fn unrecorded(
    draft: &Draft<'_>,
    resource: &Resource,
    want: &Map,
    rules: &dyn AnyRules,
    found: &Found,
) -> Verdict {
    let address = &resource.address;
    let ours = match &found.owner {
        Owner::Stack(identity) => draft.may_adopt(address, identity),
        Owner::Parent => draft.hangs_on_ours(resource),
        Owner::Other => false,
    };
    if ours && draft.recovering && !matches!(rules.ready(&found.facts), Readiness::Leaving(_)) {
        // Recovering changes nothing: what differs is for the next plan to tell.
        let mut adopt = draft.step(Act::Adopt, resource, want).of(found);
        adopt.reason = "It carries the ownership tags of this stack.".to_owned();
        return Verdict::step(true, adopt);
    }
    if ours {
        let mut verdict = compare_with(draft, resource, want, rules, found, None);
        if verdict.steps.is_empty() {
            let mut adopt = draft.step(Act::Adopt, resource, want).of(found);
            adopt.reason = "An earlier run of this stack made it.".to_owned();
            verdict.steps.push(adopt);
        }
        return verdict;
    }
    let (stack, id) = (&draft.desired.stack, &found.id);
    match (&found.owner, resource.existing) {
        (Owner::Stack(_), _) => Verdict::refusal(
            Diagnostic::error("E0602", format!("{address} exists as {id}, but the state does not know it"))
                .at(resource.origin.clone())
                .because(format!(
                    "{id} carries the ownership tags of {stack}; the state was lost or is another one, and creating it again would make a second one."
                ))
                .fix("Bring the state back, or rebuild it from the tags with `lhctl recover STACK`."),
        ),
        (_, Existing::Use) => on_its_way_out(resource, rules, found)
            .unwrap_or_else(|| used(draft, resource, want, rules, found)),
        (_, Existing::Refuse) => Verdict::refusal(
            Diagnostic::error("E0603", format!("{id} exists already and does not belong to {stack}"))
                .at(resource.origin.clone())
                .because(format!("{address} needs this name, and two owners would fight over it."))
                .fix("Choose another `name` or `environment` in the stack file, or remove the other one."),
        ),
    }
}

/// Something that existed before: used as it is, with a word on what is not as the stack says.
fn used(draft: &Draft<'_>, resource: &Resource, want: &Map, rules: &dyn AnyRules, found: &Found) -> Verdict {
    let mut step = draft.step(Act::Use, resource, want).of(found);
    step.reason = "It existed before this stack: it is used and never changed or deleted.".to_owned();
    let other: Vec<String> = match rules.diff(want, &found.facts, None) {
        Change::Replace(diffs) => diffs
            .iter()
            .filter(|diff| diff.effect == Some(Effect::Replace))
            .map(|diff| diff.field.clone())
            .collect(),
        Change::Refuse(refusal) => vec![refusal.field],
        _ => Vec::new(),
    };
    let note = (!other.is_empty()).then(|| Note {
        address: Some(resource.address.clone()),
        text: format!(
            "{} existed before this stack and its {} is not what the stack file says: it is used as it is.",
            found.id,
            other.join(", ")
        ),
    });
    Verdict { notes: note.into_iter().collect(), ..Verdict::step(true, step) }
}

/// What is going away cannot be used, and what is not ours cannot be kept from going.
fn on_its_way_out(resource: &Resource, rules: &dyn AnyRules, found: &Found) -> Option<Verdict> {
    let (Readiness::Leaving(state) | Readiness::Failed(state)) = rules.ready(&found.facts) else {
        return None;
    };
    let message = format!("{} ({}) is {state} and cannot be used", resource.address, found.id);
    Some(Verdict::refusal(
        Diagnostic::error("E0615", message)
            .at(resource.origin.clone())
            .because("It existed before this stack, which therefore neither restores nor replaces it.")
            .fix("Restore it in AWS to have it used, or name another one in the stack file."),
    ))
}

impl Step {
    /// The same, of what AWS shows.
    pub(crate) fn of(mut self, found: &Found) -> Self {
        self.cloud_id = Some(found.id.clone());
        if let Owner::Stack(identity) = &found.owner {
            self.identity = identity.clone();
        }
        self.facts.clone_from(&found.facts);
        self.changes.clear();
        self
    }
}

impl Draft<'_> {
    /// An unrecorded resource may be taken over if it was made under this state's lineage, also as
    /// one that stood there earlier (a secret that was restored), or if state is being rebuilt.
    fn may_adopt(&self, address: &Address, identity: &Identity) -> bool {
        let of_lineage = |generation: u32| Identity::derive(&self.state.lineage, address, generation);
        self.recovering || (0..=self.state.next_generation(address)).any(|past| of_lineage(past) == *identity)
    }

    /// What takes no tags belongs to what it hangs on: an e-mail subscription to a topic that
    /// existed before is not ours because we want one there.
    fn hangs_on_ours(&self, resource: &Resource) -> bool {
        let needs = resource.needs();
        let others =
            |need: &Address| self.observed.found(need).is_some_and(|found| found.owner == Owner::Other);
        !needs.is_empty() && !needs.iter().any(others)
    }

    fn is_recorded_elsewhere(&self, address: &Address, found: &Found) -> bool {
        let same = |(other, record): (&Address, &Record)| {
            other != address && other.kind() == address.kind() && record.id == found.id
        };
        self.state.resources.iter().any(same)
    }
}
