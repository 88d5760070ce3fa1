//! No input makes the loader panic, and what it says is always complete.
#![allow(clippy::unwrap_used)]

mod world;

use lh_model::Severity;
use lh_spec::desire;
use proptest::prelude::*;
use world::{BASE, World};

fn check(text: &str, set: &[&str]) {
    let world = World::new().with("s.yaml", text).env("A", "b: [c");
    let loaded = world.load_with("s.yaml", set);
    let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    assert_eq!(loaded.stack.is_none(), errors > 0, "{text:?} {:?}", loaded.diagnostics);
    for finding in &loaded.diagnostics {
        assert!(finding.reason.is_some() && finding.fix.is_some(), "{finding:?}");
        let origin = finding.origin.as_ref().unwrap();
        assert!(origin.line > 0 && origin.column > 0 && origin.length > 0);
        assert!(loaded.sources.contains_key(&origin.file), "{finding:?}");
    }
    if let Some(stack) = &loaded.stack {
        drop(desire(stack));
    }
}

/// A piece of YAML that means something somewhere.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        " ",
        "\n",
        "  ",
        "\t",
        ":",
        ": ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        "\"",
        "#",
        "&a ",
        "*a",
        "!t ",
        "|",
        ">",
        "? ",
        "---\n",
        "...\n",
        "%YAML",
        "${A}",
        "${",
        "$$",
        "null",
        "~",
        "<<",
        "\r",
        "\u{feff}",
        "\0",
        "é",
        "0",
        "volume",
        "size",
        "extends: s.yaml\n",
        "cron(",
        ")",
        "0.0.0.0/0",
        "::/0",
        "/",
        "@",
        "-",
        "\\",
        "99999999999",
    ];
    prop_oneof![prop::sample::select(words.to_vec()).prop_map(str::to_owned), "[ -~]{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        check(&text, &[]);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes), &[]);
    }

    #[test]
    fn arbitrary_yaml_never_panics(text in prop::collection::vec(pieces(), 0..60)) {
        check(&text.concat(), &[]);
    }

    #[test]
    fn a_stack_with_something_in_its_middle_never_panics(
        at in 0..BASE.len(), cut in 0..20usize, piece in pieces()
    ) {
        let end = (at + cut).min(BASE.len());
        check(&format!("{}{piece}{}", &BASE[..at], &BASE[end..]), &[]);
    }

    #[test]
    fn any_set_argument_never_panics(path in "[a-z.\\[]{0,20}", value in prop::collection::vec(pieces(), 0..6)) {
        check(BASE, &[&format!("{path}={}", value.concat()), &path]);
    }

    #[test]
    fn any_value_of_a_key_never_panics(
        key in prop::sample::select(vec![
            "instance.type", "instance.image", "volume.size", "region", "network.zone", "network.allow_postgres_from",
            "database.image", "database.password.kms_key", "backup.schedule", "backup.vault", "dns.record", "dns.zone",
            "ssh.public_key", "ssh.bastion", "account", "monitoring.emails", "state.path", "tags.x",
        ]),
        value in "\\PC{0,30}",
    ) {
        check(BASE, &[&format!("{key}={value}")]);
    }
}
