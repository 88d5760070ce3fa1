//! What is known of a stack between two runs.

use std::collections::{BTreeMap, BTreeSet};

use lh_model::{Address, CloudId, Identity, Map, Reference, StackId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One resource that the stack manages, or uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The id AWS gave it.
    pub id: CloudId,
    /// The identity it was created under.
    pub identity: Identity,
    /// How many resources stood at this address before it.
    pub generation: u32,
    /// False for what existed before and is only used: never changed, never deleted.
    pub managed: bool,
    /// The properties last applied, references resolved, long texts as digests.
    pub inputs: Map,
    /// What AWS showed after that.
    pub observed: Map,
    /// What it needs, so that deletion can go in reverse order without the spec.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Address>,
    /// Set when it left the spec but holds data, so that it was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retained: bool,
}

impl Record {
    /// The attribute that a reference to this resource asks for.
    pub fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "id" => Some(self.id.0.clone().into()),
            other => self.observed.get(other).or_else(|| self.inputs.get(other)).cloned(),
        }
    }
}

/// The answer of a lookup, kept so that the same question gets the same answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    /// What was asked.
    pub query: Map,
    /// What was found.
    pub answer: Map,
}

/// Everything known of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Names this history of the stack; a UUID. Two lineages never mix.
    pub lineage: String,
    /// Grows by one with each snapshot.
    pub serial: u64,
    /// `<name>-<environment>`.
    pub stack: StackId,
    /// AWS region.
    pub region: String,
    /// The account the resources are in, once known.
    pub account: Option<String>,
    /// Every resource, by address.
    pub resources: BTreeMap<Address, Record>,
    /// Generations of addresses whose resource is gone: the next one counts on from here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub generations: BTreeMap<Address, u32>,
    /// Answers of lookups, by the lookup's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, Pin>,
}

impl State {
    /// The state of a stack that nothing is known of yet.
    pub fn new(lineage: String, stack: StackId, region: String) -> Self {
        Self {
            lineage,
            serial: 0,
            stack,
            region,
            account: None,
            resources: BTreeMap::new(),
            generations: BTreeMap::new(),
            pins: BTreeMap::new(),
        }
    }

    /// Whether nothing was ever recorded.
    pub fn is_blank(&self) -> bool {
        self.resources.is_empty() && self.generations.is_empty()
    }

    /// The generation that a resource created now at `address` has.
    pub fn next_generation(&self, address: &Address) -> u32 {
        match self.resources.get(address) {
            Some(record) => record.generation + 1,
            None => self.generations.get(address).copied().unwrap_or(0),
        }
    }

    /// The identity of the resource at `address`: the recorded one, or the one it would get.
    pub fn identity(&self, address: &Address) -> Identity {
        match self.resources.get(address) {
            Some(record) => record.identity.clone(),
            None => Identity::derive(&self.lineage, address, self.next_generation(address)),
        }
    }

    /// Forgets the resource at `address`; its generation stays used.
    pub fn forget(&mut self, address: &Address) {
        if let Some(record) = self.resources.remove(address) {
            self.generations.insert(address.clone(), record.generation + 1);
        }
    }

    /// Records the resource at `from` under `to` and nowhere else; it keeps its id and its
    /// identity. What needs it follows.
    pub fn rename(&mut self, from: &Address, to: &Address) {
        let Some(record) = self.resources.get(from).cloned() else { return };
        self.forget(from);
        self.resources.insert(to.clone(), record);
        for other in self.resources.values_mut() {
            if other.needs.remove(from) {
                other.needs.insert(to.clone());
            }
        }
    }

    /// This state, an earlier one, to take the place of `now`. No generation that was used since
    /// is used again. What stands in AWS now and this state does not know, or knows a
    /// predecessor of, keeps its generation: so it is recognised by its tags, and not made twice.
    #[must_use]
    pub fn in_place_of(mut self, now: &Self) -> Self {
        for (address, record) in &now.resources {
            let older = |had: &Record| had.generation < record.generation;
            if self.resources.get(address).is_none_or(older) {
                self.resources.remove(address);
                self.use_up(address, record.generation);
            }
        }
        for (address, generation) in &now.generations {
            self.use_up(address, *generation);
        }
        self.serial = now.serial;
        self
    }

    /// Makes sure that the next resource at `address` has at least this generation.
    fn use_up(&mut self, address: &Address, generation: u32) {
        let next = self.generations.entry(address.clone()).or_default();
        *next = (*next).max(generation);
    }

    /// The value a reference has according to this state.
    pub fn value_of(&self, reference: &Reference) -> Option<Value> {
        match reference.address.kind() {
            "lookup" => self.pins.get(reference.address.name())?.answer.get(&reference.attribute).cloned(),
            _ => self.resources.get(&reference.address)?.attribute(&reference.attribute),
        }
    }
}
