//! Codes of findings: each in the reference, and each with one meaning.

use std::collections::{BTreeMap, BTreeSet};

use crate::{docs, sources::Source, violation::Violation};

/// Crates whose codes are no product's: a toy cloud for tests, and this one.
const NOT_SHIPPED: [&str; 2] = ["lh-testkit", "xtask"];

/// Codes that the sources raise and `docs/errors.md` does not explain, or the other way round;
/// and codes of a stack file's findings that are used for something else too.
pub(crate) fn check(sources: &[Source], errors: &str) -> Vec<Violation> {
    let raised = raised(sources);
    let explained = explained(errors);
    let mut found = Vec::new();
    for (code, places) in raised.iter().filter(|(code, _)| !explained.contains(**code)) {
        found.push(Violation::new(
            places[0].clone(),
            format!("The code {code} is not in {}.", docs::ERRORS),
            format!("Explain it in {}; for the codes of lh-spec, `cargo xtask docs` does.", docs::ERRORS),
        ));
    }
    for code in explained.iter().filter(|code| !raised.contains_key(code.as_str())) {
        found.push(Violation::new(
            docs::ERRORS,
            format!("No source raises the code {code}."),
            "Remove it; for the codes of lh-spec, `cargo xtask docs` does.",
        ));
    }
    found.extend(doubled(&raised));
    found
}

/// The codes that stand as literals in sources outside tests, with their places.
fn raised(sources: &[Source]) -> BTreeMap<&str, Vec<String>> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !NOT_SHIPPED.contains(&source.krate())) {
        for (line, text) in source.code() {
            for literal in text.split('"').skip(1).step_by(2).filter(|literal| is_code(literal)) {
                found.entry(literal).or_default().push(format!("{}:{line}", source.path));
            }
        }
    }
    found
}

/// The codes that a text names.
fn explained(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_code(word)).map(str::to_owned).collect()
}

/// `E0123` or `W0123`.
fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'W']).unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number that the table of lh-spec gives to a finding, and another library to something else.
fn doubled(raised: &BTreeMap<&str, Vec<String>>) -> Vec<Violation> {
    let by_spec = |place: &&String| place.starts_with(docs::CODES);
    let of_spec = raised.iter().filter(|(_, places)| places.iter().any(|place| by_spec(&place)));
    let spec: BTreeMap<&str, &str> = of_spec.map(|(code, _)| (&code[1..], *code)).collect();
    let mut found = Vec::new();
    for (code, places) in raised {
        let Some(meant) = spec.get(&code[1..]) else { continue };
        // The edge, `lhctl`, asks which code a finding has; libraries raise them.
        let elsewhere = places
            .iter()
            .find(|place| !place.starts_with("crates/lh-spec/") && !place.starts_with("crates/lhctl/"));
        if let Some(place) = elsewhere {
            found.push(Violation::new(
                place.clone(),
                format!("The number of {code} is already that of {meant} in {}.", docs::CODES),
                "Give one of the two a free number: a code has one meaning.",
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::source;

    fn sources() -> Vec<Source> {
        vec![
            source(docs::CODES, "//! Codes.\nUNREADABLE = \"E0101\", \"unreadable\",\n"),
            source("crates/lh-plan/src/a.rs", "//! A.\nerror(\"E0601\", \"a text with E0999\")\n"),
            source("crates/lh-testkit/src/a.rs", "//! A.\nerror(\"E0500\")\n"),
        ]
    }

    #[test]
    fn codes_and_reference_agree() {
        assert_eq!(check(&sources(), "### E0101\n\n| E0601 | no |"), []);
    }

    #[test]
    fn a_code_without_an_explanation_is_found_at_its_line() {
        let found = check(&sources(), "E0101");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/lh-plan/src/a.rs:2");
    }

    #[test]
    fn an_explanation_without_a_code_is_found() {
        let found = check(&sources(), "E0101 E0601 W0602, and XE0603 is none");
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("W0602"));
    }

    #[test]
    fn one_number_for_two_things_is_found() {
        let mut sources = sources();
        sources.push(source("crates/lh-plan/src/b.rs", "//! B.\nerror(\"W0101\")\n"));
        sources.push(source("crates/lhctl/src/b.rs", "//! B.\n[\"E0101\"].contains(code)\n"));
        let found = check(&sources, "E0101 W0101 E0601");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/lh-plan/src/b.rs:2");
    }
}
