//! State that cannot be used, or is lost: refused with what to do, and never overwritten.

use std::fs;

use serde_json::{Value, json};

use crate::{
    canonical,
    place::{Place, STATE},
};

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";

/// Puts `text` in the state's place; every command must refuse it and leave it as it is.
#[track_caller]
fn assert_refused(text: &[u8], reason: &str) {
    let place = Place::applied();
    fs::write(place.path(STATE), text).unwrap();
    let before = canonical::world(&place);
    for command in [
        "plan",
        "apply --auto-approve",
        "destroy --auto-approve",
        "recover --auto-approve",
        "state list",
        "output",
    ] {
        place
            .run(&format!("{command} --local stacks/dev.yaml"))
            .expect(5)
            .says(&format!("error: {STATE}: "))
            .says(reason)
            .says("fix: ");
        assert!(fs::read(place.path(STATE)).unwrap() == text, "`{command}` wrote over an unusable state");
    }
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &before);
}

#[test]
fn an_empty_state_is_refused() {
    assert_refused(b"", "the state is empty");
    assert_refused(b"  \n", "the state is empty");
}

#[test]
fn a_truncated_state_is_refused() {
    let text = Place::applied().text(STATE);
    assert_refused(&text.as_bytes()[..text.len() / 2], "the state is damaged or cut off");
}

#[test]
fn a_state_changed_by_hand_is_refused() {
    let text = Place::applied().text(STATE);
    assert_refused(
        text.replace("us-east-1a", "us-east-1b").as_bytes(),
        "its SHA-256 does not match its content",
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert_refused(b"\xff\xfe{}", "it is not UTF-8 text");
}

#[test]
fn foreign_states_are_refused() {
    assert_refused(b"[]", "this is no state of lhctl");
    assert_refused(br#"{"version": 4, "terraform_version": "1.11.0"}"#, "it is a state of Terraform");
    let place = Place::new();
    place.write(
        "stacks/other.yaml",
        &place.text(crate::place::DEV).replace("environment: dev", "environment: other"),
    );
    place.run("apply --local stacks/other.yaml --auto-approve").expect(0);
    let other = place.text(".lhctl/local/state/lighthouse-other.json");
    assert_refused(other.as_bytes(), "it is the state of stack lighthouse-other, not of lighthouse-dev");
}

#[test]
fn a_newer_state_is_refused() {
    let text = Place::applied().text(STATE);
    let mut state: Value = serde_json::from_str(&text).unwrap();
    state["format"] = json!(2);
    state["lhctl"] = json!("9.1.0");
    assert_refused(state.to_string().as_bytes(), "written by lhctl 9.1.0");
}

#[test]
fn a_damaged_journal_is_refused() {
    let place = Place::new();
    place.faulty("fuse=after:6", APPLY);
    let journal = format!("{STATE}.journal");
    let text = place.text(&journal).replacen("\"event\"", "\"evnt\"", 1);
    place.write(&journal, &text);
    let ended = place.run(APPLY).expect(5);
    assert!(ended.err.contains(".json.journal: "), "{}", ended.err);
    assert_eq!(place.text(&journal), text);
}

#[test]
fn a_journal_cut_off_in_its_last_line_is_understood() {
    let place = Place::new();
    place.faulty("fuse=after:6", APPLY);
    let journal = format!("{STATE}.journal");
    let text = place.text(&journal);
    place.write(&journal, &text[..text.len() - 7]);
    place.run(APPLY).expect(0);
    assert_eq!(place.steps(""), [""; 0]);
    canonical::assert_owned(&place);
}

#[test]
fn a_lost_state_beside_living_resources_is_noticed() {
    let place = Place::applied();
    let (before, recorded) = (canonical::world(&place), canonical::state(&place));
    fs::remove_file(place.path(STATE)).unwrap();
    for command in ["plan --local stacks/dev.yaml", APPLY] {
        place.run(command).expect(5).says("error[E0602]").says("lhctl recover").says("Nothing was changed.");
    }
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &before);
    place
        .run("recover --local stacks/dev.yaml --auto-approve")
        .expect(0)
        .says("Recover complete! Resources: 14 taken over.");
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &before);
    place.run("plan --local stacks/dev.yaml --detailed-exitcode").expect(0).says("No changes.");
    canonical::assert_owned(&place);
    canonical::assert_same("the recovered state", &canonical::state(&place), &recorded);
    place.run("recover --local stacks/dev.yaml --auto-approve").expect(0).says("AWS shows nothing");
}

#[test]
fn a_recovered_stack_can_be_changed_and_destroyed() {
    let place = Place::applied();
    fs::remove_file(place.path(STATE)).unwrap();
    place.run("recover --local stacks/dev.yaml --auto-approve").expect(0);
    place.edit("  size: 20 ", "  size: 25 ");
    place.run(APPLY).expect(0).says("0 added, 1 changed, 0 destroyed");
    place.run("destroy --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(place.holds("volumes").len(), 0);
    assert_eq!(place.holds("snapshots").len(), 1);
}

#[test]
fn a_half_recovered_state_is_finished() {
    let place = Place::new();
    // Only part of the stack exists when the state and its journal are lost.
    place.faulty("fuse=after:9", APPLY);
    fs::remove_dir_all(place.path(".lhctl/local/state")).unwrap();
    place.run(APPLY).expect(5).says("error[E0602]");
    place.run("recover --local stacks/dev.yaml --auto-approve").expect(0);
    place.run(APPLY).expect(0);
    let whole = Place::applied();
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &canonical::world(&whole));
    assert_eq!(place.steps(""), [""; 0]);
}
