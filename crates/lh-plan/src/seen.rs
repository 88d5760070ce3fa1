//! What AWS showed, and what has to be looked at.

use std::collections::BTreeMap;

use lh_kind::{Found, RuleBook, Seen, Target};
use lh_model::{
    Address, Desired, Diagnostic, Map, Reference, Resource,
    identity::sha256,
    value::{Map as Values, resolve_map},
};
use lh_state::State;
use serde_json::{Value, json};

/// What AWS showed at one time.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Resources, by address.
    pub resources: BTreeMap<Address, Seen>,
    /// Answers of lookups, by the lookup's name.
    pub lookups: BTreeMap<String, Result<Map, Diagnostic>>,
}

impl Observed {
    /// The resource at `address`, if AWS shows it.
    pub fn found(&self, address: &Address) -> Option<&Found> {
        match self.resources.get(address)? {
            Seen::Found(found) => Some(found),
            _ => None,
        }
    }

    /// The value a reference has according to what AWS showed, else to what state pinned.
    pub fn value_of(&self, reference: &Reference, state: &State) -> Option<Value> {
        if reference.address.kind() == "lookup" {
            return match self.lookups.get(reference.address.name()) {
                Some(Ok(answer)) => answer.get(&reference.attribute).cloned(),
                _ => state.value_of(reference),
            };
        }
        let found = match self.resources.get(&reference.address)? {
            Seen::Found(found) => found,
            // What needs it is compared with what it was: nobody says that it is being replaced.
            Seen::Unreadable(_) => return state.value_of(reference),
            Seen::Absent => return None,
        };
        match reference.attribute.as_str() {
            "id" => Some(found.id.0.clone().into()),
            name => found.facts.get(name).cloned().filter(|value| !value.is_null()),
        }
    }

    /// A digest of the managed properties shown; equal as long as nothing moved.
    pub fn fingerprint(&self, book: &dyn RuleBook) -> String {
        let shown: BTreeMap<String, Value> = self
            .resources
            .iter()
            .map(|(address, seen)| {
                let text = match seen {
                    Seen::Found(found) => managed_part(found, address.kind(), book),
                    Seen::Absent => Value::Null,
                    Seen::Unreadable(error) => json!(error.code),
                };
                (address.to_string(), text)
            })
            .collect();
        sha256(json!(shown).to_string().as_bytes())
    }
}

fn managed_part(found: &Found, kind: &str, book: &dyn RuleBook) -> Value {
    let fields = book.rules(kind).map(|rules| rules.fields()).unwrap_or_default();
    let facts: Map = fields
        .iter()
        .filter_map(|field| Some((field.name.to_owned(), found.facts.get(field.name)?.clone())))
        .collect();
    json!([found.id, facts])
}

/// Everything to look at: what the spec wants and what state records, with references
/// resolved as far as `known` and state tell. Each address once.
pub fn targets(desired: &Desired, state: &State, known: &Observed) -> BTreeMap<Address, Target> {
    let answer =
        |reference: &Reference| known.value_of(reference, state).or_else(|| state.value_of(reference));
    let target = |address: &Address, props: &Values| Target {
        address: address.clone(),
        stack: desired.stack.clone(),
        id: state.resources.get(address).map(|record| record.id.clone()),
        identity: state.identity(address),
        props: resolve_map(props, &answer),
        used: state.resources.get(address).is_some_and(|record| !record.managed),
    };
    let recorded = state.resources.iter().map(|(address, record)| (address, &record.inputs));
    let wanted = desired.resources.iter().map(|Resource { address, props, .. }| (address, props));
    let mut all: BTreeMap<Address, Target> = BTreeMap::new();
    for (address, props) in wanted.chain(recorded) {
        // What state recorded is how the resource can be found; the spec's new wishes come second.
        let props = state.resources.get(address).map_or(props, |record| &record.inputs);
        all.entry(address.clone()).or_insert_with(|| target(address, props));
    }
    all
}
