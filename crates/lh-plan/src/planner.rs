//! The apply planner: wanted, recorded and shown, into steps.

use std::collections::{BTreeMap, BTreeSet};

use lh_kind::{PriceBook, RuleBook};
use lh_model::{Address, Desired, Diagnostic, Map, Origin, Reference, Resource, graph, value::resolve_map};
use lh_state::{Pin, State};

use crate::{
    Act, Estimate, Mode, Observed, Parent, Plan, classify, destroy, draft::Draft, order, plan::FORMAT,
    refresh,
};

/// What a plan is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What for.
    pub mode: Mode,
    /// Whether what carries this stack's ownership tags is taken over though state does not know it.
    pub recovering: bool,
    /// What alone is planned for, with what it needs; the whole stack if empty. Destroying is
    /// always of the whole stack.
    pub targets: Vec<Address>,
}

impl From<Mode> for Scope {
    fn from(mode: Mode) -> Self {
        Self { mode, recovering: false, targets: Vec::new() }
    }
}

impl Scope {
    /// Whether it makes the whole stack, so that the database can be expected to serve afterwards.
    pub fn is_whole_apply(&self) -> bool {
        self.mode == Mode::Apply && !self.recovering && self.targets.is_empty()
    }
}

/// The plan for `mode`: total, whatever it is given. `recovering` takes over what carries this
/// stack's ownership tags though `state` does not know it.
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    state: &State,
    book: &dyn RuleBook,
    mode: Mode,
    recovering: bool,
) -> Plan {
    plan_within(desired, observed, state, book, &Scope { recovering, ..mode.into() })
}

/// The plan for `scope`.
pub fn plan_within(
    desired: &Desired,
    observed: &Observed,
    state: &State,
    book: &dyn RuleBook,
    scope: &Scope,
) -> Plan {
    let Scope { mode, recovering, ref targets } = *scope;
    let draft = Draft { desired, observed, state, book, recovering, targets };
    let mut plan = draft.empty(mode);
    plan.refusals.extend(draft.unknown_targets());
    match mode {
        Mode::Apply => draft.fill(&mut plan),
        Mode::Refresh => refresh::fill(&draft, &mut plan),
        Mode::Destroy { retain_data } => destroy::fill(&draft, &mut plan, retain_data),
        // What is given up is said by `plan_release`; of nothing, nothing is.
        Mode::Release { .. } => {}
    }
    order::sort(&mut plan, book);
    plan
}

impl Draft<'_> {
    pub(crate) fn empty(&self, mode: Mode) -> Plan {
        let prices = PriceBook::of(&self.desired.region);
        let recorded = self.state.resources.iter().filter(|(_, record)| record.managed);
        let before = Estimate::of(recorded.map(|(a, r)| (a, &r.inputs)), self.book, &prices);
        let kinds: BTreeSet<&str> = self.observed.resources.keys().map(Address::kind).collect();
        let reads = kinds.iter().filter_map(|kind| self.book.rules(kind)).flat_map(|r| r.calls().observe);
        Plan {
            format: FORMAT,
            stack: self.desired.stack.clone(),
            region: self.desired.region.clone(),
            account: self.account(),
            mode,
            targets: self.targets.to_vec(),
            parent: Parent { lineage: self.state.lineage.clone(), serial: self.state.serial },
            fingerprint: self.observed.fingerprint(self.book),
            steps: Vec::new(),
            pins: self.pins(),
            drift: Vec::new(),
            notes: Vec::new(),
            refusals: self.refusals(),
            cost_before: before,
            cost_after: Estimate::default(),
            reads: reads.map(|call| (*call).to_owned()).collect(),
            keeping: BTreeSet::new(),
            waiting: BTreeSet::new(),
            outputs: self.desired.outputs.clone(),
        }
    }

    fn fill(&self, plan: &mut Plan) {
        let wanted: BTreeMap<&Address, &Resource> =
            self.desired.resources.iter().map(|resource| (&resource.address, resource)).collect();
        let edges = wanted.iter().map(|(a, r)| ((*a).clone(), r.needs().into_iter().collect())).collect();
        let sorted = match graph::order(&edges) {
            Ok(sorted) => sorted,
            Err(cycle) => return plan.refusals.push(Diagnostic::error("E0607", cycle.to_string())),
        };
        let mut unknown: BTreeSet<Address> = BTreeSet::new();
        let mut judged: Vec<(Address, classify::Verdict, Option<Map>)> = Vec::new();
        for address in sorted {
            let resource = wanted[&address];
            let Some(rules) = self.book.rules(address.kind()) else {
                plan.refusals.push(no_such_kind(&address, resource.origin.clone()));
                continue;
            };
            let want = self.resolve(&resource.props, &unknown);
            let verdict = classify::judge(self, resource, &want, rules);
            if !verdict.stays {
                unknown.insert(address.clone());
            }
            let is_used = verdict.steps.iter().any(|step| step.id.act == Act::Use)
                || self.state.resources.get(&address).is_some_and(|record| !record.managed)
                    && verdict.steps.is_empty();
            judged.push((address, verdict, (!is_used).then_some(want)));
        }
        plan.notes.extend(wanted.keys().filter_map(|address| self.notice(address)));
        for (address, record) in &self.state.resources {
            if !wanted.contains_key(address) {
                let verdict = classify::judge_leftover(self, address, record, self.state);
                // What is retained is paid for as before.
                let kept = (verdict.stays && record.managed).then(|| record.inputs.clone());
                judged.push((address.clone(), verdict, kept));
            }
        }
        for (address, error) in self.unreadable_unrecorded().filter(|(a, _)| !wanted.contains_key(a)) {
            judged.push((address.clone(), classify::Verdict::unreadable(self, address, error), None));
        }
        let priced = self.take(plan, judged);
        gather_unknown(plan);
        let prices = PriceBook::of(&self.desired.region);
        plan.cost_after = Estimate::of(priced.iter().map(|(a, p)| (a, p)), self.book, &prices);
    }

    /// Takes what is planned for into the plan; what there is after it, with its properties.
    fn take(
        &self,
        plan: &mut Plan,
        judged: Vec<(Address, classify::Verdict, Option<Map>)>,
    ) -> Vec<(Address, Map)> {
        let steps: Vec<_> = match self.targets.is_empty() {
            true => Vec::new(),
            false => judged.iter().flat_map(|(_, verdict, _)| verdict.steps.clone()).collect(),
        };
        let within = self.targeted(&steps);
        let mut priced = Vec::new();
        for (address, verdict, after) in judged {
            let props = match within.as_ref().is_none_or(|within| within.contains(&address)) {
                true => {
                    self.add(plan, verdict);
                    after
                }
                false => {
                    let record = self.state.resources.get(&address).filter(|record| record.managed);
                    record.map(|record| record.inputs.clone())
                }
            };
            priced.extend(props.map(|props| (address, props)));
        }
        priced
    }

    fn add(&self, plan: &mut Plan, verdict: classify::Verdict) {
        plan.steps.extend(verdict.steps);
        plan.drift.extend(verdict.drift);
        plan.notes.extend(verdict.notes);
        plan.refusals.extend(verdict.refusals);
    }

    /// Properties with every reference resolved whose value is known and will stay.
    pub(crate) fn resolve(&self, props: &Map, unknown: &BTreeSet<Address>) -> Map {
        resolve_map(props, &|reference: &Reference| {
            if unknown.contains(&reference.address) {
                return None;
            }
            self.observed.value_of(reference, self.state)
        })
    }

    fn account(&self) -> Option<String> {
        let answer = self.observed.lookups.get("caller")?.as_ref().ok()?;
        answer.get("account")?.as_str().map(str::to_owned)
    }

    fn pins(&self) -> BTreeMap<String, Pin> {
        let answered = self.desired.lookups.iter().filter_map(|lookup| {
            let answer = self.observed.lookups.get(&lookup.name)?.as_ref().ok()?.clone();
            Some((lookup.name.clone(), Pin { query: lookup.query.clone(), answer }))
        });
        answered.filter(|(name, pin)| self.state.pins.get(name) != Some(pin)).collect()
    }

    /// Reasons not to apply that concern the whole stack.
    fn refusals(&self) -> Vec<Diagnostic> {
        let mut refusals: Vec<Diagnostic> =
            self.observed.lookups.values().filter_map(|answer| answer.clone().err()).collect();
        let Some(account) = self.account() else { return refusals };
        let other = |whose: &str, other: &String| {
            Diagnostic::error("E0608", format!("these credentials are for account {account}, not {other}"))
                .because(format!("{whose} {other}; nothing may be changed in another account."))
                .fix("Use the credentials or the AWS_PROFILE of that account.")
        };
        if let Some(pinned) = self.desired.account.as_ref().filter(|pinned| **pinned != account) {
            refusals.push(other("The stack file pins account", pinned));
        } else if let Some(recorded) = self.state.account.as_ref().filter(|was| **was != account) {
            refusals.push(other("The state records resources in account", recorded));
        }
        if self.state.region != self.desired.region {
            let (was, now) = (&self.state.region, &self.desired.region);
            refusals.push(
                Diagnostic::error("E0609", format!("the state is of region {was}, the stack file says {now}"))
                    .because("Resources cannot move between regions.")
                    .fix("Put the region back, or destroy the stack first, or give the new one another environment."),
            );
        }
        refusals
    }
}

/// Many resources that state does not know have one cause: they are told in one finding.
fn gather_unknown(plan: &mut Plan) {
    let (unknown, others): (Vec<_>, Vec<_>) = plan.refusals.drain(..).partition(|r| r.code == "E0602");
    plan.refusals = others;
    if unknown.len() < 2 {
        return plan.refusals.extend(unknown);
    }
    let what: Vec<String> = unknown
        .iter()
        .map(|r| r.message.split(", but").next().unwrap_or_default().replace(" exists as ", " = "))
        .collect();
    let message = format!("{} resources of {} exist that its state does not know", what.len(), plan.stack);
    plan.refusals.push(
        Diagnostic::error("E0602", message)
            .because(format!(
                "{} carry its ownership tags. The state was lost or is another one, and creating them again would make second ones.",
                what.join(", ")
            ))
            .fix("Bring the state back, or rebuild it from the tags with `lhctl recover STACK`."),
    );
}

fn no_such_kind(address: &Address, origin: Option<Origin>) -> Diagnostic {
    Diagnostic::error("E0610", format!("{address} is of a kind that this version does not know"))
        .at(origin)
        .fix("Use the version of lhctl that wrote it, or a newer one.")
}
