//! What the schema is put together from. Every value may be null, which drops what a base file
//! sets; numbers and choices may also be a variable, whose value only a run knows.

use serde_json::{Value, json};

/// What is special about a variable.
pub(super) const VARIABLE: &str = "\\$\\{";

fn variable() -> Value {
    json!({ "$ref": "#/$defs/variable" })
}

/// A text with a length from and to; none where it has no limits of its own.
pub(super) fn text(doc: &str, length: Option<(usize, usize)>) -> Value {
    let mut schema = json!({ "description": doc, "type": ["string", "number", "null"] });
    if let Some((least, most)) = length {
        schema["anyOf"] = json!([{ "type": ["number", "null"] }, { "type": "string", "minLength": least, "maxLength": most }, variable()]);
    }
    schema
}

/// One of these words.
pub(super) fn choice(doc: &str, words: &[&str], default: Option<&str>) -> Value {
    with_default(
        json!({ "description": doc, "anyOf": [{ "enum": words }, { "type": "null" }, variable()] }),
        default,
    )
}

/// A text for which these words are known.
pub(super) fn suggested(doc: &str, words: &[&str]) -> Value {
    json!({ "description": doc, "anyOf": [{ "enum": words }, { "type": ["string", "null"] }] })
}

/// A whole number between two.
pub(super) fn whole(doc: &str, least: u32, most: u32) -> Value {
    let number = json!({ "type": "integer", "minimum": least, "maximum": most });
    json!({ "description": doc, "anyOf": [number, { "type": "null" }, variable()] })
}

/// The same with a default.
pub(super) fn whole_or(doc: &str, least: u32, most: u32, default: u32) -> Value {
    with_default(whole(doc, least, most), Some(default))
}

/// `true` or `false`.
pub(super) fn flag(doc: &str, default: bool) -> Value {
    let schema = json!({ "description": doc, "anyOf": [{ "type": ["boolean", "null"] }, variable()] });
    with_default(schema, Some(default))
}

/// The same schema with what holds where the key is left out.
pub(super) fn with_default(mut schema: Value, default: Option<impl Into<Value>>) -> Value {
    if let Some(default) = default {
        schema["default"] = default.into();
    }
    schema
}

/// A list.
pub(super) fn list(doc: &str, item: &Value) -> Value {
    json!({ "description": doc, "type": ["array", "null"], "items": item })
}

/// A section with these keys and no other.
pub(super) fn section(doc: &str, keys: Value) -> Value {
    json!({ "description": doc, "type": ["object", "null"], "additionalProperties": false, "properties": keys })
}

/// Of two keys at most one has a value.
pub(super) fn exclusive(first: &str, second: &str) -> Value {
    let given = json!({ "not": { "type": "null" } });
    json!({ "not": { "type": "object", "required": [first, second], "properties": { first: given, second: given } } })
}
