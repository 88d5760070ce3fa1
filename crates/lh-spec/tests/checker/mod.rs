//! As much of JSON Schema 2020-12 as the stack file's schema uses; a keyword that is not known here
//! fails the test. And YAML as JSON, by the core schema's rules for scalars.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

pub struct Checker(Value);

impl Checker {
    pub fn new(schema: Value) -> Self {
        Self(schema)
    }

    /// What is wrong with `value`, with the path to it.
    pub fn check(&self, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.at(&self.0, value, "", &mut faults);
        faults
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.at(schema, value, "", &mut faults);
        faults.is_empty()
    }

    fn at(&self, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(keywords) = schema.as_object() else {
            if schema == &json!(false) {
                faults.push(format!("{path} is not allowed"));
            }
            return;
        };
        for (keyword, rule) in keywords {
            if !self.holds(keyword, rule, keywords, value, path, faults) {
                faults.push(format!("{path}: {keyword} {rule} does not hold for {value}"));
            }
        }
    }

    fn holds(
        &self,
        keyword: &str,
        rule: &Value,
        all: &Map<String, Value>,
        value: &Value,
        path: &str,
        faults: &mut Vec<String>,
    ) -> bool {
        let list = || rule.as_array().unwrap().iter();
        let length = || value.as_str().map(|text| text.chars().count() as u64);
        match keyword {
            "description" | "title" | "default" | "examples" | "$schema" | "$id" | "$defs" | "then"
            | "else" => true,
            "type" => match rule {
                Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            },
            "enum" => list().any(|one| one == value),
            "anyOf" => list().any(|one| self.fits(one, value)),
            "allOf" => list().all(|one| self.fits(one, value)),
            "not" => !self.fits(rule, value),
            "if" => {
                let branch = if self.fits(rule, value) { "then" } else { "else" };
                all.get(branch).is_none_or(|branch| self.fits(branch, value))
            }
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                self.fits(&self.0["$defs"][name], value)
            }
            "required" => {
                value.as_object().is_none_or(|map| list().all(|key| map.contains_key(key.as_str().unwrap())))
            }
            "properties" => {
                for (key, schema) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(key) {
                        self.at(schema, inner, &format!("{path}.{key}"), faults);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = all.get("properties").and_then(Value::as_object);
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(key)) {
                        self.at(rule, inner, &format!("{path}.{key}"), faults);
                    }
                }
                true
            }
            "propertyNames" => {
                value.as_object().is_none_or(|map| map.keys().all(|key| self.fits(rule, &json!(key))))
            }
            "maxProperties" => value.as_object().is_none_or(|map| map.len() as u64 <= rule.as_u64().unwrap()),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.at(rule, item, &format!("{path}[{number}]"), faults);
                }
                true
            }
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minLength" => length().is_none_or(|length| length >= rule.as_u64().unwrap()),
            "maxLength" => length().is_none_or(|length| length <= rule.as_u64().unwrap()),
            "pattern" if rule == "\\$\\{" => value.as_str().is_none_or(|text| text.contains("${")),
            other => panic!("the checker does not know {other} {rule}"),
        }
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

/// What an editor sees of this YAML.
pub fn of_yaml(text: &str) -> Value {
    let mut events = Parser::new_from_str(text).map(|event| event.unwrap().0);
    let start = events.find(|event| !matches!(event, Event::StreamStart | Event::DocumentStart(_)));
    node(start.unwrap(), &mut events)
}

fn node<'a>(event: Event<'a>, rest: &mut impl Iterator<Item = Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
        Event::Scalar(text, ..) => json!(text),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match rest.next().unwrap() {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(node(event, rest)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match rest.next().unwrap() {
                    Event::MappingEnd => return Value::Object(map),
                    Event::Scalar(key, ..) => {
                        let event = rest.next().unwrap();
                        map.insert(key.to_string(), node(event, rest));
                    }
                    other => panic!("{other:?} is no key"),
                }
            }
        }
        other => panic!("{other:?} is no value"),
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        text => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) if text.starts_with(|c: char| c.is_ascii_digit()) => json!(number),
            _ => json!(text),
        },
    }
}
