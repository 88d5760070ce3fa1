//! One wanted resource against what AWS shows of it: what has to be done.

use lh_kind::{AnyRules, Change, CloudError, Found, Mutability, Owner, Readiness, Seen};
use lh_model::{Address, Diagnostic, Existing, Map, Resource, value::is_late};
use lh_state::{Record, State};

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
            .filter(|diff| diff.effect == Some(lh_kind::Effect::Replace))
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

fn compare(
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

fn compare_with(
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
                .filter(|diff| diff.effect == Some(lh_kind::Effect::Replace))
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
            if effect == lh_kind::Effect::StopStart {
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
fn differences(resource: &Resource, rules: &dyn AnyRules, told: &[lh_kind::FieldDiff]) -> Vec<Note> {
    told.iter()
        .map(|diff| Note { address: Some(resource.address.clone()), text: difference(rules, diff) })
        .collect()
}

/// A difference that no apply acts on, and what does.
fn difference(rules: &dyn AnyRules, diff: &lh_kind::FieldDiff) -> String {
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
    diffs: Vec<lh_kind::FieldDiff>,
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
    delete.effect = lh_kind::Effect::Replace;
    let mut create = draft.step(Act::Create, resource, want);
    create.generation = delete.generation + 1;
    create.identity = draft.identity(&resource.address, create.generation);
    create.reason = why;
    create.origin.clone_from(&delete.origin);
    create.effect = lh_kind::Effect::Replace;
    create.downtime_seconds = rules.downtime().replace;
    create.changes = diffs;
    Verdict { steps: vec![delete, create], ..Verdict::nothing(false) }
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
    fn may_adopt(&self, address: &lh_model::Address, identity: &lh_model::Identity) -> bool {
        let of_lineage =
            |generation: u32| lh_model::Identity::derive(&self.state.lineage, address, generation);
        self.recovering || (0..=self.state.next_generation(address)).any(|past| of_lineage(past) == *identity)
    }

    /// What takes no tags belongs to what it hangs on: an e-mail subscription to a topic that
    /// existed before is not ours because we want one there.
    fn hangs_on_ours(&self, resource: &Resource) -> bool {
        let needs = resource.needs();
        let others = |need: &lh_model::Address| {
            self.observed.found(need).is_some_and(|found| found.owner == Owner::Other)
        };
        !needs.is_empty() && !needs.iter().any(others)
    }

    fn is_recorded_elsewhere(&self, address: &lh_model::Address, found: &Found) -> bool {
        let same = |(other, record): (&lh_model::Address, &Record)| {
            other != address && other.kind() == address.kind() && record.id == found.id
        };
        self.state.resources.iter().any(same)
    }

    fn reason_of(
        &self,
        address: &lh_model::Address,
        diffs: &[lh_kind::FieldDiff],
        record: Option<&Record>,
    ) -> String {
        let drifted = |diff: &lh_kind::FieldDiff| {
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
}

impl Draft<'_> {
    /// What differs, in words, where it is known by digests alone.
    fn only_digested(&self, address: &lh_model::Address, diffs: &[lh_kind::FieldDiff]) -> Option<String> {
        let fields = self.book.rules(address.kind())?.fields();
        let named: Option<Vec<&str>> = diffs
            .iter()
            .map(|diff| fields.iter().find(|field| field.name == diff.field && field.digest).map(|it| it.doc))
            .collect();
        named.filter(|all| !all.is_empty()).map(|all| all.join("; "))
    }
}

/// Records that the spec no longer wants.
pub(crate) fn judge_leftover(
    draft: &Draft<'_>,
    address: &lh_model::Address,
    record: &Record,
    state: &State,
) -> Verdict {
    let found = match draft.observed.resources.get(address) {
        Some(Seen::Found(found)) => found,
        Some(Seen::Unreadable(error)) => return Verdict::unreadable(draft, address, error),
        _ => {
            let mut step = draft.record_step(Act::Forget, address, record);
            step.reason = format!("{} is gone.", record.id);
            let drift = vec![drift::of_lost(address, record, false)];
            return Verdict { drift, ..Verdict::step(false, step) };
        }
    };
    let holds_data = draft.book.rules(address.kind()).is_none_or(AnyRules::holds_data);
    let kept = |text: String| Note { address: Some(address.clone()), text };
    if !record.managed {
        let mut step = draft.record_step(Act::Forget, address, record);
        step.reason = "It existed before this stack: it is left as it is.".to_owned();
        return Verdict::step(false, step);
    }
    if holds_data {
        let note = kept(format!(
            "{} is no longer in the spec but holds data: it is retained. To give it up, use `lhctl release`.",
            record.id
        ));
        if record.retained {
            return Verdict { notes: vec![note], ..Verdict::nothing(true) };
        }
        let mut step = draft.record_step(Act::Retain, address, record).of(found);
        step.reason = "It left the spec but holds data.".to_owned();
        return Verdict { notes: vec![note], ..Verdict::step(true, step) };
    }
    if let Some(why) = draft.expires(address, found) {
        let mut step = draft.record_step(Act::Forget, address, record);
        step.reason.clone_from(&why);
        return Verdict { notes: vec![kept(why)], ..Verdict::step(false, step) };
    }
    let mut step = draft.delete_step(address, found);
    step.reason = format!("The stack file of {} no longer asks for it.", state.stack);
    Verdict::step(false, step)
}
