//! What a plan is made from, and the blank steps that are cut from it.

use std::collections::BTreeSet;

use lh_kind::{AnyRules, CloudError, Effect, FieldDiff, Found, RuleBook, Seen, diff_fields};
use lh_model::{Address, Desired, Diagnostic, Identity, Map, Origin, Resource};
use lh_state::{Record, State};

use crate::{Act, Note, Observed, Step, StepId};

/// What a plan says of a resource that could not be read, beside the refusal that says why.
pub(crate) const NOT_PLANNED: &str = "It could not be read: nothing is planned for it.";

/// Everything a plan is made from.
pub(crate) struct Draft<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    pub state: &'a State,
    pub book: &'a dyn RuleBook,
    /// Whether what carries our tags is taken over although state does not know it.
    pub recovering: bool,
    /// What alone is planned for, with what it needs; everything if empty.
    pub targets: &'a [Address],
}

impl Draft<'_> {
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

    /// What an interrupted run may have made, or the stack wants, though the state does not have
    /// it, and could not be read.
    pub(crate) fn unreadable_unrecorded(&self) -> impl Iterator<Item = (&Address, &CloudError)> {
        self.observed.resources.iter().filter_map(|(address, seen)| match seen {
            Seen::Unreadable(error) if !self.state.resources.contains_key(address) => Some((address, error)),
            _ => None,
        })
    }

    /// Why nothing can be planned for `address`, which AWS does not let be read.
    pub(crate) fn unreadable(&self, address: &Address, error: &CloudError) -> Diagnostic {
        let origin = self.desired.resources.iter().find(|resource| resource.address == *address);
        let mut fix = error.advice().unwrap_or("Run the command again.").to_owned();
        if self.targets.is_empty() {
            fix += " Until then `--target ADDR` of plan and apply goes on with what does not need it.";
        }
        Diagnostic::error("E0601", format!("{address} could not be read: {error}"))
            .at(origin.and_then(|resource| resource.origin.clone()))
            .because("A plan made without knowing what exists could create it twice, or leave it behind unrecorded.")
            .fix(fix)
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

    /// The operations by which `diffs` are made, those of reading it included.
    pub(crate) fn calls_of_change(&self, address: &Address, diffs: &[FieldDiff]) -> Vec<String> {
        let fields = self.book.rules(address.kind()).map(AnyRules::fields).unwrap_or_default();
        let changed = fields.iter().filter(|field| diffs.iter().any(|diff| diff.field == field.name));
        let further = changed.flat_map(|field| field.calls).map(|call| (*call).to_owned());
        further.chain(self.calls_of(Act::Update, address)).collect()
    }

    fn created_fields(&self, address: &Address, want: &Map) -> Vec<FieldDiff> {
        let fields = self.book.rules(address.kind()).map(AnyRules::fields).unwrap_or_default();
        let mut all = diff_fields(fields, want, &Map::new(), None);
        // The digest of a long text tells something only beside another one.
        all.retain(|diff| !fields.iter().any(|field| field.name == diff.field && field.digest));
        all
    }

    /// The spec line of the property whose change disturbs most, else of the resource.
    pub(crate) fn origin_of_change(&self, resource: &Resource, diffs: &[FieldDiff]) -> Option<Origin> {
        let gravest = diffs.iter().map(|diff| diff.effect).max();
        let diff = diffs.iter().find(|diff| Some(diff.effect) == gravest);
        self.origin_of(resource, diff.map(|diff| diff.field.as_str()).unwrap_or_default())
    }

    /// Why AWS cannot delete what it shows at `address`, and when that goes by itself.
    pub(crate) fn expires(&self, address: &Address, found: &Found) -> Option<String> {
        self.book.rules(address.kind())?.expires(&found.facts)
    }

    /// What there is to be said of the wanted resource at `address`, though nothing is wrong.
    pub(crate) fn notice(&self, address: &Address) -> Option<Note> {
        let text = self.book.rules(address.kind())?.notice(&self.observed.found(address)?.facts)?;
        Some(note(address, text))
    }

    /// The spec line of one property, else of the resource.
    pub(crate) fn origin_of(&self, resource: &Resource, field: &str) -> Option<Origin> {
        resource.origins.get(field).or(resource.origin.as_ref()).cloned()
    }
}

/// A note about one resource.
pub(crate) fn note(address: &Address, text: impl Into<String>) -> Note {
    Note { address: Some(address.clone()), text: text.into() }
}
