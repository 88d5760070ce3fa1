//! Whether a resource is still as a step saw it: asked once more just before it is changed.

use std::collections::BTreeSet;

use lh_kind::{AnyRules, Seen};
use lh_model::Map;
use serde_json::Value;

use crate::{Act, Step};

/// The property that holds tags; those of others do not matter.
const TAGS: &str = "tags";

/// What has moved since `step` was planned, a sentence; `None` if nothing that matters has. A
/// deletion does not mind that its resource is gone, and what could not be read is no movement.
pub fn moved(step: &Step, now: &Seen, rules: &dyn AnyRules) -> Option<String> {
    let id = step.cloud_id.as_ref().map(ToString::to_string).unwrap_or_default();
    let found = match now {
        Seen::Unreadable(_) => return None,
        Seen::Absent if step.id.act == Act::Delete => return None,
        Seen::Absent => return Some(format!("{id} is gone since the plan was made")),
        Seen::Found(found) => found,
    };
    if step.cloud_id.as_ref() != Some(&found.id) {
        return Some(format!("it was {id} when the plan was made and is {} now", found.id));
    }
    let mut changed = Vec::new();
    for field in rules.fields() {
        let (then, now) = (value(&step.facts, field.name), value(&found.facts, field.name));
        if field.name == TAGS {
            changed.extend(changed_tags(step, then, now));
        } else if then != now {
            changed.push(format!("{} was {then} and is {now}", field.name));
        }
    }
    (!changed.is_empty()).then(|| format!("{id} has changed since the plan was made: {}", changed.join(", ")))
}

fn value<'a>(map: &'a Map, name: &str) -> &'a Value {
    map.get(name).unwrap_or(&Value::Null)
}

/// Tags that the stack wants, or that the step changes, and that are not as they were.
fn changed_tags(step: &Step, then: &Value, now: &Value) -> Vec<String> {
    let wanted = step.props.get(TAGS).and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let planned = step.changes.iter().filter_map(|diff| diff.field.strip_prefix("tags."));
    let keys: BTreeSet<&str> = wanted.map(String::as_str).chain(planned).collect();
    let tag = |tags: &Value, key: &str| tags.get(key).cloned().unwrap_or_default();
    let differs = |key: &&str| tag(then, key) != tag(now, key);
    keys.into_iter()
        .filter(differs)
        .map(|key| format!("the tag {key} was {} and is {}", tag(then, key), tag(now, key)))
        .collect()
}
