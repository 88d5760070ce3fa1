//! Three-way drift: what was applied last, what AWS shows, what the spec wants.

use lh_kind::{AnyRules, change::digested, diff_fields};
use lh_model::{Address, Map};
use lh_state::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A managed property that AWS shows otherwise than it was applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Which resource.
    pub address: Address,
    /// Which property; `id` for a resource that is gone.
    pub field: String,
    /// As applied last.
    pub recorded: Value,
    /// As AWS shows it.
    pub actual: Value,
    /// As the spec wants it.
    pub wanted: Value,
}

/// How `facts` differ from what `record` says was applied.
pub fn of_found(
    address: &Address,
    rules: &dyn AnyRules,
    record: &Record,
    facts: &Map,
    want: Option<&Map>,
) -> Vec<Drift> {
    let differing = diff_fields(rules.fields(), &record.inputs, facts, Some(&record.inputs));
    let shown = differing.into_iter().filter(|diff| {
        // What AWS never shows cannot drift visibly.
        let name = diff.field.split_once("tags.").map_or(diff.field.as_str(), |_| "tags");
        // What another verb changed to what the spec wants has not drifted.
        let is_done = diff.effect.is_none() && want.and_then(|want| want.get(name)) == facts.get(name);
        facts.contains_key(name) && !is_done
    });
    let as_told = |field: &str, value: Value| {
        let is_digest = rules.fields().iter().any(|it| it.name == field && it.digest);
        if is_digest { digested(&value) } else { value }
    };
    shown
        .map(|diff| Drift {
            address: address.clone(),
            wanted: as_told(&diff.field, want.map(|want| value_at(want, &diff.field)).unwrap_or_default()),
            field: diff.field,
            recorded: diff.new,
            actual: diff.old,
        })
        .collect()
}

/// A resource that state records and AWS no longer shows.
pub fn of_lost(address: &Address, record: &Record, want: bool) -> Drift {
    Drift {
        address: address.clone(),
        field: "id".to_owned(),
        recorded: record.id.0.clone().into(),
        actual: Value::Null,
        wanted: if want { "a new one".into() } else { Value::Null },
    }
}

/// The property `field` of `map`; `tags.Owner` is a tag.
pub(crate) fn value_at(map: &Map, field: &str) -> Value {
    let found = match field.strip_prefix("tags.") {
        Some(key) => map.get("tags").and_then(|tags| tags.get(key)),
        None => map.get(field),
    };
    found.cloned().unwrap_or_default()
}
