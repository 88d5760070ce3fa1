//! Property values: JSON in which a value may still be a reference to another resource.
//!
//! A reference is written `{"$ref": "volume.data#id"}`; a text built from several parts is
//! written `{"$join": ["…", {"$ref": …}]}`. Both survive in plan files, where an id does not
//! exist yet, and are gone once resolved.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::{Value, json};

use crate::Address;

/// Properties of a resource by name.
pub type Map = serde_json::Map<String, Value>;

/// A value that another resource or lookup will have: `volume.data#id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Whose value.
    pub address: Address,
    /// Which value: `id`, or the name of one of its facts.
    pub attribute: String,
}

impl Reference {
    /// The attribute of the resource at `address`.
    pub fn new(address: Address, attribute: &str) -> Self {
        Self { address, attribute: attribute.to_owned() }
    }

    /// As it stands in property values.
    pub fn to_value(&self) -> Value {
        json!({ "$ref": self.to_string() })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let object = value.as_object().filter(|o| o.len() == 1)?;
        object.get("$ref")?.as_str()?.parse().ok()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.address, self.attribute)
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, attribute) =
            text.split_once('#').ok_or_else(|| format!("`{text}` is not a reference"))?;
        let address = address.parse().map_err(|e| format!("{e}"))?;
        Ok(Self { address, attribute: attribute.to_owned() })
    }
}

/// A text made of parts, some of which may be references.
pub fn join(parts: Vec<Value>) -> Value {
    json!({ "$join": parts })
}

/// A property whose value may not be known before another resource exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late<T> {
    /// Known now.
    Known(T),
    /// Known when the references in it are.
    Later(Value),
}

impl<T> Late<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Later(_) => None,
        }
    }
}

impl<T: Default> Default for Late<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Serialize> Serialize for Late<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Later(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Late<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if is_late(&value) {
            return Ok(Self::Later(value));
        }
        serde_json::from_value(value).map(Self::Known).map_err(D::Error::custom)
    }
}

/// Whether any reference is left in `value`.
pub fn is_late(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_late),
        Value::Object(object) if object.contains_key("$join") => true,
        Value::Object(_) if Reference::from_value(value).is_some() => true,
        Value::Object(object) => object.values().any(is_late),
        _ => false,
    }
}

/// All references in `value`, in the order met.
pub fn references(value: &Value) -> Vec<Reference> {
    if let Some(reference) = Reference::from_value(value) {
        return vec![reference];
    }
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(object) => object.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// `value` with every reference that `known` answers replaced by its answer. A join whose
/// parts are all known becomes a text; references without an answer stay.
pub fn resolve(value: &Value, known: &dyn Fn(&Reference) -> Option<Value>) -> Value {
    if let Some(reference) = Reference::from_value(value) {
        return known(&reference).unwrap_or_else(|| value.clone());
    }
    match value {
        Value::Array(items) => items.iter().map(|item| resolve(item, known)).collect(),
        Value::Object(object) => match object.get("$join").and_then(Value::as_array) {
            Some(parts) => resolve_join(parts, known),
            None => object.iter().map(|(k, v)| (k.clone(), resolve(v, known))).collect(),
        },
        other => other.clone(),
    }
}

fn resolve_join(parts: &[Value], known: &dyn Fn(&Reference) -> Option<Value>) -> Value {
    let parts: Vec<Value> = parts.iter().map(|part| resolve(part, known)).collect();
    if parts.iter().any(is_late) {
        return join(parts);
    }
    parts.iter().map(text_of).collect::<String>().into()
}

/// A scalar as text: strings without quotes, null as nothing.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// [`resolve`] for all properties of a map.
pub fn resolve_map(map: &Map, known: &dyn Fn(&Reference) -> Option<Value>) -> Map {
    map.iter().map(|(k, v)| (k.clone(), resolve(v, known))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume_id() -> Reference {
        Reference::new(Address::new("volume", "data"), "id")
    }

    #[test]
    fn a_join_becomes_text_only_when_every_part_is_known() {
        let text = join(vec!["serial ".into(), volume_id().to_value(), "!".into()]);
        assert!(is_late(&resolve(&text, &|_| None)));
        assert_eq!(resolve(&text, &|_| Some("vol-1".into())), Value::from("serial vol-1!"));
    }

    #[test]
    fn references_are_found_at_any_depth() {
        let value = json!({"a": [volume_id().to_value(), {"b": volume_id().to_value()}]});
        assert_eq!(references(&value), vec![volume_id(), volume_id()]);
    }

    #[test]
    fn a_late_field_keeps_its_reference_through_a_round_trip() {
        let late: Late<String> = serde_json::from_value(volume_id().to_value()).unwrap();
        assert_eq!(late.known(), None);
        assert_eq!(serde_json::to_value(&late).unwrap(), volume_id().to_value());
        let known: Late<String> = serde_json::from_value("vol-1".into()).unwrap();
        assert_eq!(known, Late::Known("vol-1".to_owned()));
    }
}
