//! `docs/kinds.md` is made from the registry, and stays true: a kind that changes and a page that
//! does not is a test that fails. `LHCTL_BLESS=1` writes the page anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fmt::Write, fs, path::Path};

use lh_aws::Registry;
use lh_kind::{AnyRules, AtDestroy, Idempotency, Mutability, RuleBook};

const HEAD: &str = "# Kinds

What a stack is made of, and what a change of each property means. Made from the registry by
`LHCTL_BLESS=1 cargo test --workspace --test kinds_page`; a test fails when it is not true.

*Online*: nothing stops. *Stop and start*: the instance is stopped, changed and started. *Replaced*: a new
one takes its place, and what holds data is kept. *Refused*: it cannot be done, and the plan says the way
to get there all the same. *Told*: it mattered at creation; a difference is reported, never acted on.
";

fn meaning(change: Mutability) -> String {
    match change {
        Mutability::Online => "online".to_owned(),
        Mutability::StopStart => "stop and start".to_owned(),
        Mutability::Replace => "replaced".to_owned(),
        Mutability::Fixed(way) => format!("refused. {way}"),
        Mutability::AtCreation => "told".to_owned(),
        Mutability::Apart(way) => format!("told: {way}"),
        Mutability::Unread => "at creation".to_owned(),
    }
}

fn repeated(create: Idempotency) -> &'static str {
    match create {
        Idempotency::Token => "a client token",
        Idempotency::NaturalKey => "its name, and the ownership tag on what has it",
        Idempotency::TagOnCreation => "the ownership tag written with it",
        Idempotency::Upsert => "nothing: repeating is harmless",
    }
}

fn data(rules: &dyn AnyRules) -> String {
    let kept = match rules.at_destroy() {
        AtDestroy::Delete => "`destroy` deletes it".to_owned(),
        AtDestroy::AfterCopy(copy) => format!("`destroy` deletes it once a {copy} of it is complete"),
        AtDestroy::Keep => "`destroy` leaves it".to_owned(),
        AtDestroy::IfEmpty => "`destroy` deletes it if it is empty and leaves it otherwise".to_owned(),
    };
    match rules.holds_data() {
        true => format!("Holds data: it is retained when it leaves the stack file; {kept}."),
        false => format!("Holds no data: it is deleted when it leaves the stack file; {kept}."),
    }
}

fn page(book: &dyn RuleBook) -> String {
    let mut page = HEAD.to_owned();
    let mut kinds = book.kinds();
    kinds.sort_unstable();
    for rules in kinds.iter().filter_map(|kind| book.rules(kind)) {
        writeln!(page, "\n## {}\n\n{}.\n", rules.name(), rules.doc()).unwrap();
        writeln!(page, "{} Made once by {}.", data(rules), repeated(rules.create())).unwrap();
        page += "\n| property | what it is | a change |\n|---|---|---|\n";
        for field in rules.fields() {
            writeln!(page, "| `{}` | {} | {} |", field.name, field.doc, meaning(field.change)).unwrap();
        }
        let calls = rules.calls();
        page += "\n| | calls |\n|---|---|\n";
        for (verb, calls) in [
            ("read", calls.observe),
            ("create", calls.create),
            ("change", calls.update),
            ("delete", calls.delete),
        ] {
            let calls: Vec<String> = calls.iter().map(|call| format!("`{call}`")).collect();
            writeln!(page, "| {verb} | {} |", calls.join(", ")).unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_kinds_is_what_the_registry_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/kinds.md");
    let page = page(&Registry);
    if std::env::var_os("LHCTL_BLESS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == page, "docs/kinds.md is out of date: run this test with LHCTL_BLESS=1");
}

/// What `doctor`, `verify` and `status` may read is what their page says, so that a policy can be
/// made of it.
#[test]
fn the_page_of_commands_names_every_read_of_an_inspector() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = fs::read_to_string(file).unwrap();
    for call in lh_aws::inspect::READS.iter().chain(lh_aws::inspect::TRIES) {
        assert!(page.contains(&format!("`{call}`")), "docs/commands.md does not name {call}");
    }
    for call in lh_aws::inspect::REHEARSED {
        let (_, operation) = call.split_once(':').unwrap();
        assert!(page.contains(&format!("`{operation}`")), "docs/commands.md does not name {call}");
    }
}
