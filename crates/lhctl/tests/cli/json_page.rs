//! The page of JSON layouts, against what the commands of day 2 answer.

use std::{fs, path::Path};

/// The names of the fields of each `pub struct` in a source file.
fn fields(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim).filter_map(|line| line.strip_prefix("pub "));
    let names = lines.filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
    names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect()
}

#[test]
fn every_field_that_day_2_answers_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let page = read("docs/json.md");
    let (_, page) = page.split_once("## `lhctl db … --json`").unwrap();
    let sources = ["answers", "changes"].map(|name| read(&format!("crates/lh-host/src/day2/{name}.rs")));
    let all: Vec<&str> = sources.iter().flat_map(|source| fields(source)).collect();
    assert!(all.len() > 60, "{all:?}");
    let missing: Vec<&&str> = all.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/json.md has no word of {missing:?}");
}
