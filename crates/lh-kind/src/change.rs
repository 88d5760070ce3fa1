//! Comparing what is wanted with what is there, property by property.

use lh_model::{
    Map,
    identity::sha256,
    value::{is_late, text_of},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Field, Mutability, Refusal};

/// The name of the property that holds tags; compared key by key.
const TAGS: &str = "tags";

/// How much a change disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing stops.
    Online,
    /// The instance is stopped and started.
    StopStart,
    /// A new one takes its place.
    Replace,
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// The property, `tags.Owner` for a tag.
    pub field: String,
    /// What AWS shows; null for nothing.
    pub old: Value,
    /// What is wanted; null for nothing; a reference where it is known only after apply.
    pub new: Value,
    /// How the change disturbs; `None` for one that no apply makes.
    pub effect: Option<Effect>,
}

/// What it takes to make a resource as wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing; the differences that matter at creation only are told.
    Same(Vec<FieldDiff>),
    /// A change in place.
    InPlace(Vec<FieldDiff>, Effect),
    /// A new resource instead.
    Replace(Vec<FieldDiff>),
    /// It cannot be done.
    Refuse(Refusal),
}

impl Change {
    /// The change that these differences add up to.
    pub fn of(diffs: Vec<FieldDiff>) -> Self {
        match diffs.iter().filter_map(|diff| diff.effect).max() {
            None => Self::Same(diffs),
            Some(Effect::Replace) => Self::Replace(diffs),
            Some(effect) => Self::InPlace(diffs, effect),
        }
    }
}

/// The differences between `want` and `have` in the properties of `fields`. A property that
/// `want` does not name is not managed. Tags are managed by key: those wanted, and those that
/// `recorded` shows to have been ours.
pub fn diff_fields(fields: &[Field], want: &Map, have: &Map, recorded: Option<&Map>) -> Vec<FieldDiff> {
    let mut diffs = Vec::new();
    for field in fields.iter().filter(|field| field.change != Mutability::Unread) {
        let Some(new) = want.get(field.name) else { continue };
        let old = have.get(field.name).unwrap_or(&Value::Null);
        if field.name == TAGS {
            diff_tags(old, new, recorded.and_then(|r| r.get(TAGS)), &mut diffs);
        } else if differs(field, old, new) {
            let (old, new) = (old.clone(), if field.digest { digested(new) } else { new.clone() });
            diffs.push(FieldDiff { field: field.name.to_owned(), old, new, effect: effect_of(field) });
        }
    }
    diffs
}

fn effect_of(field: &Field) -> Option<Effect> {
    match field.change {
        Mutability::Online => Some(Effect::Online),
        Mutability::StopStart => Some(Effect::StopStart),
        Mutability::Replace | Mutability::Fixed(_) => Some(Effect::Replace),
        Mutability::AtCreation | Mutability::Apart(_) | Mutability::Unread => None,
    }
}

/// State and facts hold digested properties as `sha256:…`. A digested text with references
/// still open cannot be compared and counts as the same: it never acts after creation.
fn differs(field: &Field, old: &Value, new: &Value) -> bool {
    if !field.digest {
        return old != new;
    }
    !is_late(new) && digested(new) != *old
}

/// `sha256:…` of a text; other values as they are.
pub fn digested(value: &Value) -> Value {
    match value {
        Value::String(text) if !text.starts_with("sha256:") => {
            format!("sha256:{}", sha256(text.as_bytes())).into()
        }
        other => other.clone(),
    }
}

fn diff_tags(old: &Value, new: &Value, recorded: Option<&Value>, diffs: &mut Vec<FieldDiff>) {
    let empty = Map::new();
    let as_map = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let (old, new, ours) = (as_map(Some(old)), new.as_object().unwrap_or(&empty), as_map(recorded));
    let mut differing: Vec<&String> =
        new.iter().filter(|(key, value)| old.get(*key) != Some(*value)).map(|(key, _)| key).collect();
    differing.extend(ours.keys().filter(|key| !new.contains_key(*key) && old.contains_key(*key)));
    differing.sort();
    for key in differing {
        let value = |map: &Map| map.get(key).cloned().unwrap_or(Value::Null);
        let field = format!("{TAGS}.{key}");
        diffs.push(FieldDiff { field, old: value(&old), new: value(new), effect: Some(Effect::Online) });
    }
}

/// The tag changes among `diffs`: to set (key, value), and keys to remove.
pub fn tag_changes(diffs: &[FieldDiff]) -> (Vec<(String, String)>, Vec<String>) {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for diff in diffs {
        let Some(key) = diff.field.strip_prefix("tags.") else { continue };
        match &diff.new {
            Value::Null => remove.push(key.to_owned()),
            value => set.push((key.to_owned(), text_of(value))),
        }
    }
    (set, remove)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[
        Field::online("size", "GiB"),
        Field::replace("zone", "zone"),
        Field::online("tags", "tags"),
        Field::with("user_data", "cloud-init", Mutability::AtCreation).digest(),
    ];

    fn map(value: Value) -> Map {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_gravest_difference_decides() {
        let have = map(json!({"size": 20, "zone": "a"}));
        let change = |want: Value| Change::of(diff_fields(FIELDS, &map(want), &have, None));
        assert!(matches!(change(json!({"size": 20, "zone": "a"})), Change::Same(d) if d.is_empty()));
        assert!(matches!(change(json!({"size": 30, "zone": "a"})), Change::InPlace(_, Effect::Online)));
        assert!(matches!(change(json!({"size": 30, "zone": "b"})), Change::Replace(d) if d.len() == 2));
    }

    #[test]
    fn tags_of_others_are_left_alone_and_ours_are_removed() {
        let have = map(json!({"tags": {"Owner": "x", "Theirs": "y"}}));
        let recorded = map(json!({"tags": {"Owner": "x"}}));
        let diffs = diff_fields(FIELDS, &map(json!({"tags": {}})), &have, Some(&recorded));
        assert_eq!(tag_changes(&diffs), (vec![], vec!["Owner".to_owned()]));
    }

    #[test]
    fn user_data_is_compared_by_digest_and_never_acts() {
        let have = map(json!({"user_data": digested(&"old".into())}));
        let same = diff_fields(FIELDS, &map(json!({"user_data": "old"})), &have, None);
        assert!(same.is_empty());
        let other = diff_fields(FIELDS, &map(json!({"user_data": "new"})), &have, None);
        assert_eq!(other[0].new, digested(&"new".into()), "a plan tells the digest, not the text");
        assert!(matches!(Change::of(other), Change::Same(told) if told.len() == 1));
    }
}
