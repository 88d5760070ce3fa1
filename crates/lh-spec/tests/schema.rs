//! The JSON Schema says what the reader says: same keys, same files.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use serde_json::{Value, json};

mod checker;
mod world;

use checker::{Checker, of_yaml};
use world::{BASE, World, reference};

fn faults(text: &str) -> Vec<String> {
    Checker::new(lh_spec::schema()).check(&of_yaml(text))
}

#[test]
fn the_reference_files_and_new_ones_fit() {
    for name in ["dev", "prod"] {
        assert_eq!(faults(&reference(name)), [""; 0], "{name}");
    }
    assert_eq!(faults(BASE), [""; 0]);
    assert_eq!(faults(&lh_spec::new_stack_file("lantern").unwrap()), [""; 0]);
}

#[test]
fn what_is_wrong_does_not_fit() {
    let cases = [
        ("type: t4g.micro", "type: t3.micro"),
        ("size: 20", "size: 70000"),
        ("size: 20", "sise: 20"),
        ("volume: { size: 20 }", "volume: [20]"),
        ("public_ip: true", "public_ip: perhaps"),
        ("version: 1", "version: 2"),
        ("region: us-east-1\n", ""),
        ("size: 20", "iops: 3000"),
        ("ssm: /lighthouse/dev/db/password, ", ""),
        ("ssm: /lighthouse/dev/db/password, ", "ssm: /a/b, secret: c, "),
    ];
    for (from, to) in cases {
        assert!(BASE.contains(from), "{from}");
        assert_ne!(faults(&BASE.replace(from, to)), [""; 0], "{from} → {to}");
    }
}

#[test]
fn what_only_a_run_or_a_base_file_knows_fits() {
    let cases = [
        ("size: 20", "size: '${SIZE:-20}'"),
        ("type: t4g.micro", "type: '${TYPE}'"),
        ("region: us-east-1\n", "extends: base.yaml\n"),
        ("public_ip: true", "public_ip: null"),
        ("region: us-east-1", "region: us-new-9"),
    ];
    for (from, to) in cases {
        assert_eq!(faults(&BASE.replace(from, to)), [""; 0], "{from} → {to}");
    }
}

/// Every mapping of the schema, as a path of keys; `[]` is the item of a list.
fn mappings(schema: &Value, path: &str, found: &mut Vec<(String, BTreeSet<String>)>) {
    if let Some(keys) = schema["properties"].as_object() {
        found.push((path.to_owned(), keys.keys().cloned().collect()));
        for (key, value) in keys {
            mappings(value, &format!("{path}/{key}"), found);
        }
    }
    for variant in schema["items"]["anyOf"].as_array().into_iter().flatten() {
        mappings(variant, &format!("{path}/[]"), found);
    }
}

/// The keys that the reader says it knows there.
fn known_at(path: &str) -> BTreeSet<String> {
    let mut value = json!({ "nonsense": 1 });
    for key in path.split('/').filter(|key| !key.is_empty()).rev() {
        value = if key == "[]" { json!([value]) } else { json!({ key: value }) };
    }
    // A mapping in braces is YAML as it stands.
    let loaded = World::new().with("a.yaml", value.to_string()).load("a.yaml");
    let told =
        loaded.diagnostics.iter().find(|finding| finding.message.contains("nonsense` is not a known key"));
    let told = told.unwrap_or_else(|| panic!("{path}: {:#?}", loaded.diagnostics));
    let reason = told.reason.clone().unwrap_or_default();
    let (_, keys) = reason.split_once("has the keys").unwrap();
    keys.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn schema_and_reader_know_the_same_keys() {
    let mut found = Vec::new();
    mappings(&lh_spec::schema(), "", &mut found);
    assert!(found.len() > 14, "{found:?}");
    for (path, keys) in found {
        assert_eq!(keys, known_at(&path), "at `{path}`");
    }
}

#[test]
fn every_key_is_explained() {
    fn walk(schema: &Value, path: &str) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            assert!(value["description"].as_str().is_some_and(|text| text.len() > 3), "{path}");
            walk(value, &path);
        }
    }
    walk(&lh_spec::schema(), "");
}
