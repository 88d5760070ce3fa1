//! The apply planner: wanted, recorded and shown, into steps.

use std::collections::{BTreeMap, BTreeSet};

use lh_kind::{AnyRules, Effect, FieldDiff, Found, PriceBook, RuleBook, diff_fields};
use lh_model::{
    Address, Desired, Diagnostic, Identity, Map, Origin, Reference, Resource, graph, value::resolve_map,
};
use lh_state::{Pin, Record, State};

use crate::{
    Act, Estimate, Mode, Note, Observed, Parent, Plan, Step, StepId, classify, destroy, order, plan::FORMAT,
};

/// Everything a plan is made from.
pub(crate) struct Draft<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    pub state: &'a State,
    pub book: &'a dyn RuleBook,
    /// Whether what carries our tags is taken over although state does not know it.
    pub recovering: bool,
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
    let draft = Draft { desired, observed, state, book, recovering };
    let mut plan = draft.empty(mode);
    match mode {
        Mode::Apply => draft.fill(&mut plan),
        Mode::Destroy { retain_data } => destroy::fill(&draft, &mut plan, retain_data),
    }
    order::sort(&mut plan, book);
    plan
}

impl Draft<'_> {
    fn empty(&self, mode: Mode) -> Plan {
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
        let mut priced: Vec<(Address, Map)> = Vec::new();
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
            if !is_used {
                priced.push((address, want));
            }
            self.add(plan, verdict);
        }
        for (address, record) in &self.state.resources {
            if !wanted.contains_key(address) {
                let verdict = classify::judge_leftover(self, address, record, self.state);
                if verdict.stays && record.managed {
                    // What is retained is paid for as before.
                    priced.push((address.clone(), record.inputs.clone()));
                }
                self.add(plan, verdict);
            }
        }
        gather_unknown(plan);
        let prices = PriceBook::of(&self.desired.region);
        plan.cost_after = Estimate::of(priced.iter().map(|(a, p)| (a, p)), self.book, &prices);
    }

    fn add(&self, plan: &mut Plan, verdict: classify::Verdict) {
        plan.steps.extend(verdict.steps);
        plan.drift.extend(verdict.drift);
        plan.notes.extend(verdict.notes);
        plan.refusals.extend(verdict.refusals);
    }

    /// Properties with every reference resolved whose value is known and will stay.
    fn resolve(&self, props: &Map, unknown: &BTreeSet<Address>) -> Map {
        resolve_map(props, &|reference: &Reference| {
            if unknown.contains(&reference.address) {
                return None;
            }
            self.observed.value_of(reference, self.state)
        })
    }

    /// A step on a wanted resource; the caller gives it its reason.
    pub(crate) fn step(&self, act: Act, resource: &Resource, want: &Map) -> Step {
        let address = &resource.address;
        let (generation, identity) = match act {
            Act::Create => {
                let generation = self.state.next_generation(address);
                (generation, self.identity(address, generation))
            }
            _ => (
                // What state does not know was made under the next generation.
                match self.state.resources.get(address) {
                    Some(record) => record.generation,
                    None => self.state.next_generation(address),
                },
                self.state.identity(address),
            ),
        };
        Step {
            id: StepId::new(act, address),
            reason: String::new(),
            origin: resource.origin.clone(),
            changes: if act == Act::Create { self.created_fields(address, want) } else { Vec::new() },
            effect: Effect::Online,
            downtime_seconds: 0,
            requires: BTreeSet::new(),
            calls: self.calls_of(act, address),
            identity,
            generation,
            cloud_id: None,
            props: want.clone(),
            facts: Map::new(),
            needs: resource.needs(),
        }
    }

    /// A step on something recorded that the spec does not want.
    pub(crate) fn record_step(&self, act: Act, address: &Address, record: &Record) -> Step {
        Step {
            id: StepId::new(act, address),
            reason: String::new(),
            origin: None,
            changes: Vec::new(),
            effect: Effect::Online,
            downtime_seconds: 0,
            requires: BTreeSet::new(),
            calls: self.calls_of(act, address),
            identity: record.identity.clone(),
            generation: record.generation,
            cloud_id: Some(record.id.clone()),
            props: record.inputs.clone(),
            facts: Map::new(),
            needs: record.needs.clone(),
        }
    }

    /// The deletion of what AWS shows at `address`.
    pub(crate) fn delete_step(&self, address: &Address, found: &Found) -> Step {
        let record = self.state.resources.get(address).cloned().unwrap_or_else(|| Record {
            id: found.id.clone(),
            identity: self.state.identity(address),
            generation: self.state.next_generation(address),
            managed: true,
            inputs: Map::new(),
            observed: Map::new(),
            needs: BTreeSet::new(),
            retained: false,
        });
        self.record_step(Act::Delete, address, &record).of(found)
    }

    pub(crate) fn identity(&self, address: &Address, generation: u32) -> Identity {
        Identity::derive(&self.state.lineage, address, generation)
    }

    fn calls_of(&self, act: Act, address: &Address) -> Vec<String> {
        let Some(calls) = self.book.rules(address.kind()).map(AnyRules::calls) else { return Vec::new() };
        let (changing, observing): (&[&str], &[&str]) = match act {
            Act::Create => (calls.create, calls.observe),
            Act::Update => (calls.update, calls.observe),
            Act::Delete => (calls.delete, calls.observe),
            Act::Await => (&[], calls.observe),
            _ => (&[], &[]),
        };
        changing.iter().chain(observing).map(|call| (*call).to_owned()).collect()
    }

    fn created_fields(&self, address: &Address, want: &Map) -> Vec<FieldDiff> {
        let fields = self.book.rules(address.kind()).map(AnyRules::fields).unwrap_or_default();
        diff_fields(fields, want, &Map::new(), None)
    }

    /// The spec line of one property, else of the resource.
    pub(crate) fn origin_of(&self, resource: &Resource, field: &str) -> Option<Origin> {
        resource.origins.get(field).or(resource.origin.as_ref()).cloned()
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

/// A note about one resource.
pub(crate) fn note(address: &Address, text: impl Into<String>) -> Note {
    Note { address: Some(address.clone()), text: text.into() }
}
