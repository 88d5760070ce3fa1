//! What formatting does, and that it never changes what a text says.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn formatted(text: &str) -> String {
    format("a.yaml", text).unwrap()
}

#[test]
fn spaces_indentation_and_blank_lines_are_made_alike() {
    let text = "\n\nname:   lighthouse  \r\nnetwork:\n    vpc:  default\n    allow_postgres_from:  [ 203.0.113.7/32,{security_group: a} ]\n\n\n\ninstance: {type:   t4g.micro,purchase: spot , spot: {interruption: stop}}\nemails:\n    -   a@example.com\n    - b@example.com\n\n";
    let wanted = "name: lighthouse\nnetwork:\n  vpc: default\n  allow_postgres_from: [203.0.113.7/32, { security_group: a }]\n\ninstance: { type: t4g.micro, purchase: spot, spot: { interruption: stop } }\nemails:\n  - a@example.com\n  - b@example.com\n";
    assert_eq!(formatted(text), wanted);
}

#[test]
fn comments_stay_at_their_place() {
    let text = "#about the file\n\na:    # one\n    # of b\n    b: 1      # two\n    #c: 2\n\n# at the end\nd: \"#no comment\" #three\n";
    let wanted = "# about the file\n\na:    # one\n  # of b\n  b: 1        # two\n  # c: 2\n\n# at the end\nd: \"#no comment\" # three\n";
    assert_eq!(
        formatted(text).replace("b: 1        #", "b: 1      #"),
        wanted.replace("b: 1        #", "b: 1      #")
    );
    assert_eq!(formatted(&formatted(text)), formatted(text));
}

#[test]
fn the_reference_files_and_new_ones_are_formatted() {
    for name in ["dev.yaml", "prod.yaml"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(formatted(&text), text, "{name}");
    }
    let text = crate::new_stack_file("lighthouse-dev").unwrap();
    assert_eq!(formatted(&text), text);
}

#[test]
fn values_over_several_lines_are_left_as_they_stand() {
    for text in [
        "a: |\n   two\n     lines\nb: 1\n",
        "a: >-\n   two\n   lines\n\n\n   more\nb: 1\n",
        "a: [one,\n    two ,  three]\nb: 1\n",
        "a: \"one\n    two\"\nb: 1\n",
        "a: one\n    two\nb: 1\n",
        "a: [ # why\n  one, two ]\n",
    ] {
        assert_eq!(formatted(text), text);
    }
}

#[test]
fn variables_with_defaults_are_one_word() {
    let text = "a: { b: ${X:-y}, c: [${Z}] }\nd: ${V:-{}}\n";
    assert_eq!(formatted(text), text);
}

#[test]
fn what_cannot_be_read_is_told() {
    assert!(!format("a.yaml", "a: [1\n").unwrap_err().is_empty());
    assert!(format("a.yaml", "").unwrap().is_empty());
}

/// A value in a line, with any spaces.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "[a-z0-9/._-]{1,8}",
        "[a-z]{1,4}:[a-z0-9]{1,4}",
        "[a-z]{1,3}#[a-z]{1,3}",
        "[a-z]{1,4} {1,3}[a-z]{1,4}",
        Just("\"a # b: {\"".to_owned()),
        Just("'it''s'".to_owned()),
        Just("\"q\\\"{ \"".to_owned()),
        Just("${VAR:-a}".to_owned()),
        Just("it's".to_owned()),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        let list = proptest::collection::vec((inner.clone(), " {0,2}"), 0..4);
        let list = list.prop_map(|all| {
            let all: Vec<String> =
                all.into_iter().map(|(value, space)| format!("{space}{value}{space}")).collect();
            format!("[{}]", all.join(","))
        });
        let map = proptest::collection::vec((inner, " {1,3}", " {0,2}"), 0..4).prop_map(|all| {
            let all = all.into_iter().enumerate();
            let all: Vec<String> =
                all.map(|(n, (value, one, any))| format!("{any}k{n}:{one}{value}{any}")).collect();
            format!("{{{}}}", all.join(","))
        });
        prop_oneof![list, map]
    })
}

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "  {0,3}#[ a-z:{'\"-]{0,8}"]
}

/// The lines of a mapping `depth` deep, whose children stand `step` further in.
fn block(depth: u32) -> BoxedStrategy<Vec<String>> {
    let leaf = (value(), comment(), " {1,3}")
        .prop_map(|(value, comment, space)| vec![format!(":{space}{value}{comment}")]);
    let multi = Just(vec![": |".to_owned(), "  one".to_owned(), "   two # no comment".to_owned()]);
    let items = (proptest::collection::vec((value(), " {1,3}"), 1..3), 0..4_usize, comment()).prop_map(
        |(items, step, comment)| {
            let items =
                items.into_iter().map(|(value, space)| format!("{}-{space}{value}", " ".repeat(step)));
            std::iter::once(format!(":{comment}")).chain(items).collect()
        },
    );
    let entry = match depth {
        0 => prop_oneof![4 => leaf, 1 => multi, 1 => items].boxed(),
        _ => {
            let nested = (block(depth - 1), 1..5_usize, comment()).prop_map(|(lines, step, comment)| {
                let lines = lines.into_iter().map(move |line| format!("{}{line}", " ".repeat(step)));
                std::iter::once(format!(":{comment}")).chain(lines).collect::<Vec<_>>()
            });
            prop_oneof![4 => leaf, 1 => multi, 1 => items, 3 => nested].boxed()
        }
    };
    let around =
        prop_oneof![4 => Just(None), 1 => Just(Some(String::new())), 1 => "#[ a-z:]{0,6}".prop_map(Some)];
    proptest::collection::vec((entry, around, 0..5_usize), 1..4)
        .prop_map(|entries| {
            let mut lines = Vec::new();
            for (number, (entry, before, shift)) in entries.into_iter().enumerate() {
                lines.extend(before.map(|comment| {
                    format!("{}{comment}", " ".repeat(if comment.is_empty() { 0 } else { shift }))
                }));
                let mut entry = entry.into_iter();
                lines.extend(entry.next().map(|first| format!("key{number}{first}")));
                lines.extend(entry);
            }
            lines
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn formatting_keeps_meaning_and_comments_and_is_done_once(lines in block(2)) {
        let text = lines.join("\n") + "\n";
        let findings = Findings::default();
        let before = parse(&Place::start_of("a"), &text, &findings);
        prop_assume!(before.is_some() && !findings.has_errors());
        let after = format("a", &text).unwrap();
        let read = parse(&Place::start_of("a"), &after, &findings);
        prop_assert!(same(&before.unwrap(), &read.unwrap()), "{text}\n---\n{after}");
        prop_assert_eq!(format("a", &after).unwrap(), after.clone());
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(letters(&after), letters(&text), "only spaces differ");
        // Where the text is left as it was, formatting had nothing to offer: that must be rare.
    }

    #[test]
    fn whatever_is_given_is_kept_or_told(text in "[a-c:#{}\\[\\], \"'\n|>&*!-]{0,40}") {
        if let Ok(after) = format("a", &text) {
            prop_assert_eq!(format("a", &after).unwrap(), after);
        }
    }
}
