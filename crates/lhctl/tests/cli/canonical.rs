//! The simulated AWS and the state in a form that two runs can be compared in.
//!
//! Ids are replaced by what they belong to, collections become sorted lists (so that a duplicate
//! is one entry more), and what depends on the clock or on chance is left out. Nothing that
//! exists is left out: terminated instances and cancelled spot requests count too.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::place::{Place, STATE};

/// Collections whose members AWS names; their keys say nothing.
const BY_ID: [&str; 9] =
    ["groups", "rules", "instances", "spot_requests", "volumes", "snapshots", "addresses", "vpcs", "subnets"];

/// What depends on the clock, on chance, or on the order of calls.
const FLEETING: [&str; 24] = [
    "client_token",
    "created_at",
    "ended_at",
    "handed_out",
    "id",
    "interface_id",
    "launched_at",
    "lhctl:id",
    "now",
    "private_ip",
    "public_ip",
    "random",
    "relaunch_at",
    "reservation_id",
    "revision",
    "seed",
    "since",
    "started_at",
    "changed_at",
    "state_since",
    "status",
    "tokens",
    "young",
    "value",
];

/// Everything the simulated AWS holds.
pub fn world(place: &Place) -> Value {
    let world = place.world();
    let mut names = Names::default();
    names.collect("", &world);
    names.clean(&world)
}

/// Everything the state records, by address.
pub fn state(place: &Place) -> Value {
    let mut names = Names::default();
    names.collect("", &place.world());
    let state: Value = serde_json::from_str(&place.text(STATE)).unwrap();
    let mut resources = Map::new();
    for (address, record) in state["resources"].as_object().unwrap() {
        let part = json!({
            "recorded": names.rename(record["id"].as_str().unwrap()), "inputs": names.clean(&record["inputs"]),
            "managed": record["managed"], "needs": record["needs"], "retained": record["retained"],
        });
        resources.insert(address.clone(), part);
    }
    Value::Object(resources)
}

/// Makes sure that each resource that carries the stack's tags is the one that is recorded,
/// under the identity that is recorded.
#[track_caller]
pub fn assert_owned(place: &Place) {
    let state: Value = serde_json::from_str(&place.text(STATE)).unwrap();
    let mut tagged = BTreeSet::new();
    tags(&place.world(), &mut tagged);
    for (address, identity) in tagged {
        let recorded = &state["resources"][&address]["identity"];
        assert_eq!(
            recorded.as_str(),
            Some(identity.as_str()),
            "{address} exists and is not what is recorded"
        );
    }
}

/// Address and identity of everything that is tagged and not on its way out.
fn tags(value: &Value, found: &mut BTreeSet<(String, String)>) {
    let gone = ["terminated", "shutting-down", "cancelled", "closed"];
    if value["state"].as_str().is_some_and(|state| gone.contains(&state)) {
        return;
    }
    let tag = |name: &str| value["tags"][name].as_str().map(str::to_owned);
    if let (Some(address), Some(identity)) = (tag("lhctl:resource"), tag("lhctl:id")) {
        found.insert((address, identity));
    }
    // Client tokens keep the volume as it was made, not as it is.
    let parts = value.as_object().into_iter().flatten().filter(|(key, _)| *key != "tokens");
    parts.for_each(|(_, part)| tags(part, found));
}

/// What ids stand for.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn collect(&mut self, collection: &str, value: &Value) {
        let Some(object) = value.as_object() else { return };
        if let Some(id) = object.get("id").and_then(Value::as_str) {
            let tag = |name: &str| value["tags"][name].as_str();
            let name = tag("lhctl:resource").or(tag("Name")).or(value["name"].as_str()).unwrap_or(id);
            self.0.insert(id.to_owned(), format!("({collection} {name})"));
        }
        for (key, part) in object.iter().filter(|(key, _)| *key != "tokens") {
            let below = if part["id"].is_string() { collection } else { key };
            self.collect(below, part);
        }
    }

    fn rename(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (id, name)| {
            // The host finds a disk by its serial number, which is the id without the dash.
            text.replace(id, name).replace(&id.replacen('-', "", 1), name)
        })
    }

    fn clean(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let kept = object.iter().filter(|(key, _)| !FLEETING.contains(&key.as_str()));
                Value::Object(kept.map(|(key, part)| (self.rename(key), self.member(key, part))).collect())
            }
            Value::Array(items) => items.iter().map(|item| self.clean(item)).collect(),
            Value::String(text) => self.rename(text).into(),
            other => other.clone(),
        }
    }

    fn member(&self, key: &str, part: &Value) -> Value {
        match part {
            Value::Object(members) if BY_ID.contains(&key) => {
                let mut members: Vec<Value> = members.values().map(|member| self.clean(member)).collect();
                members.sort_by_key(Value::to_string);
                members.into()
            }
            // Text for the host: digests of it are left out, as it names what was made.
            Value::String(_) if key == "user_data" && part.as_str().unwrap().starts_with("sha256:") => {
                Value::Null
            }
            Value::String(text) if key == "user_data" => {
                let bytes = BASE64_STANDARD.decode(text).unwrap();
                self.rename(&String::from_utf8(bytes).unwrap()).into()
            }
            Value::Array(changes) if key == "modifications" => {
                changes.iter().map(|change| json!([change["before"], change["after"]])).collect()
            }
            other => self.clean(other),
        }
    }
}

/// Makes sure that two places hold the same, and shows where they differ.
#[track_caller]
pub fn assert_same(what: &str, seen: &Value, wanted: &Value) {
    if seen != wanted {
        let (seen, wanted) = (format!("{seen:#}"), format!("{wanted:#}"));
        let (more, less) = (lacking(&wanted, &seen), lacking(&seen, &wanted));
        panic!(
            "{what} is not as after an undisturbed run ({} lines, should be {}).\nonly seen:\n{more}\nmissing:\n{less}",
            seen.lines().count(),
            wanted.lines().count()
        );
    }
}

/// The lines of `text` that `other` has not, or not as often.
fn lacking(other: &str, text: &str) -> String {
    let mut left: Vec<&str> = other.lines().collect();
    let is_missing = |line: &&str| match left.iter().position(|it| it == line) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    };
    text.lines().filter(is_missing).collect::<Vec<_>>().join("\n")
}
