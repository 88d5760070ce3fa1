//! `lhctl state`: versions, and changing the state by hand, on both stores.

use std::fs;

use serde_json::Value;

use crate::place::{DEV, Place, STATE};

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";

/// The dev stack with its state in S3, in the simulated AWS.
pub fn remote() -> Place {
    let place = Place::new();
    let text = place.text(DEV);
    let local = text.lines().find(|line| line.trim_start().starts_with("path: .lhctl")).unwrap();
    let s3 = "  bucket: lighthouse-state\n  key: dev.json\n  lock_table: lighthouse-locks";
    place.write(DEV, &text.replace(local, s3));
    place.run("bootstrap --local stacks/dev.yaml").expect(0);
    place.run(APPLY).expect(0);
    place
}

/// Runs `lhctl state VERB --local stacks/dev.yaml REST`.
fn state(place: &Place, verb: &str, rest: &str) -> crate::place::Ended {
    place.run(&format!("state {verb} --local stacks/dev.yaml {rest}"))
}

fn pulled(place: &Place) -> Value {
    state(place, "pull", "").expect(0).json()
}

fn versions(place: &Place) -> Vec<Value> {
    state(place, "history", "--json").expect(0).json().as_array().unwrap().clone()
}

#[test]
fn versions_are_listed_and_gone_back_to_under_a_new_serial() {
    for place in [Place::applied(), remote()] {
        let first = pulled(&place);
        state(&place, "rm", "security_group_rule.ssh-203.0.113.7/32 --auto-approve").expect(0);
        let serials: Vec<u64> = versions(&place).iter().map(|one| one["serial"].as_u64().unwrap()).collect();
        assert_eq!(serials, [2, 1]);
        assert_eq!(
            (&versions(&place)[0]["current"], &versions(&place)[0]["resources"]),
            (&true.into(), &13.into())
        );
        let told = state(&place, "rollback", "--auto-approve").expect(0);
        let told = told.says("+ security_group_rule.ssh-203.0.113.7/32").says("serial 2 to serial 3");
        told.says("What the next apply would do").says("No changes.");
        let now = pulled(&place);
        assert_eq!((&now["serial"], &now["resources"]), (&3.into(), &first["resources"]));
        let version = versions(&place)[1]["version"].as_str().unwrap().to_owned();
        state(&place, "rollback", &format!("{version} --auto-approve")).expect(0).says("is taken over");
        assert_eq!(pulled(&place)["serial"], 4);
        state(&place, "rollback", "1 --auto-approve").expect(0);
        assert_eq!(pulled(&place)["resources"], first["resources"]);
        state(&place, "rollback", "99 --auto-approve").expect(5).says("has no version 99");
    }
}

#[test]
fn going_back_makes_nothing_twice() {
    let place = Place::applied();
    // The address is released and taken anew, under its next generation.
    place.edit("public_ip: true ", "public_ip: false ");
    place.run(APPLY).expect(0);
    place.edit("public_ip: false ", "public_ip: true ");
    place.run(APPLY).expect(0);
    state(&place, "rollback", "1 --auto-approve").expect(0);
    place.run(APPLY).expect(0);
    assert_eq!(place.holds("addresses").len(), 1);
    crate::canonical::assert_owned(&place);
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn what_holds_data_is_not_forgotten_in_passing() {
    let place = Place::applied();
    let before = place.text(STATE);
    state(&place, "rm", "volume.data").expect(5).says("no terminal");
    state(&place, "rm", "volume.data --auto-approve").expect(5).says("holds data").says("--forget-data");
    state(&place, "rm", "volume.nope --auto-approve").expect(5).says("has no volume.nope");
    assert_eq!(place.text(STATE), before);
    state(&place, "rm", "volume.data --auto-approve --forget-data").expect(0).says("is paid for");
    assert_eq!(place.holds("volumes").len(), 2, "AWS is not changed");
    // The stack file asks for it, and its tags say whose it is: no second one is made.
    place.run(APPLY).expect(0).says("is taken over");
    assert_eq!(place.holds("volumes").len(), 2);
    place.run("plan --local stacks/dev.yaml --detailed-exitcode").expect(0);
}

#[test]
fn a_resource_is_moved_within_its_kind() {
    let place = Place::applied();
    let id = place.id("elastic_ip.main");
    state(&place, "mv", "elastic_ip.main volume.main --auto-approve").expect(5).says("kind");
    state(&place, "mv", "elastic_ip.main elastic_ip.main --auto-approve").expect(0).says("already");
    state(&place, "mv", "elastic_ip.none elastic_ip.other --auto-approve")
        .expect(5)
        .says("has no elastic_ip.none");
    state(&place, "mv", "elastic_ip.main elastic_ip.other --auto-approve").expect(0).says("lhctl:resource");
    assert_eq!(place.id("elastic_ip.other"), id);
    let steps = place.steps("");
    assert!(steps.contains(&"create elastic_ip.main".to_owned()), "{steps:?}");
    assert!(steps.contains(&"delete elastic_ip.other".to_owned()), "{steps:?}");
    state(&place, "mv", "elastic_ip.other elastic_ip.main --auto-approve").expect(0);
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn only_a_newer_state_of_the_same_lineage_is_pushed() {
    for place in [Place::applied(), remote()] {
        let first = state(&place, "pull", "").expect(0).out;
        place.write("first.json", &first);
        state(&place, "push", "first.json --auto-approve").expect(0).says("already");
        place.edit("  size: 20 ", "  size: 25 ");
        place.run(APPLY).expect(0);
        state(&place, "push", "first.json --auto-approve").expect(5).says("not newer").says("--force");
        place.write("altered.json", &first.replace("us-east-1a", "us-east-1b"));
        state(&place, "push", "altered.json --auto-approve --force").expect(5).says("SHA-256");
        place.write("cut.json", &first[..first.len() / 2]);
        state(&place, "push", "cut.json --auto-approve --force").expect(5).says("damaged or cut off");
        assert_eq!(pulled(&place)["serial"], 2);
        state(&place, "push", "first.json --auto-approve --force").expect(0);
        let (now, then): (Value, Value) = (pulled(&place), serde_json::from_str(&first).unwrap());
        assert_eq!((&now["serial"], &now["resources"]), (&3.into(), &then["resources"]));
    }
}

#[test]
fn a_state_of_another_stack_or_lineage_is_not_pushed_in_passing() {
    let (place, other) = (Place::applied(), Place::applied());
    place.write("other.json", &other.text(STATE));
    let lineage = pulled(&place)["lineage"].clone();
    if lineage != pulled(&other)["lineage"] {
        state(&place, "push", "other.json --auto-approve").expect(5).says("another lineage");
    }
    assert_eq!(pulled(&place)["lineage"], lineage);
    other.write("stacks/two.yaml", &other.text(DEV).replace("environment: dev", "environment: two"));
    other.run("apply --local stacks/two.yaml --auto-approve").expect(0);
    place.write("two.json", &other.text(".lhctl/local/state/lighthouse-two.json"));
    state(&place, "push", "two.json --auto-approve --force").expect(5).says("lighthouse-two");
}

#[test]
fn a_damaged_state_is_replaced_by_an_earlier_version() {
    let place = Place::applied();
    place.edit("  size: 20 ", "  size: 25 ");
    place.run(APPLY).expect(0);
    let text = place.text(STATE);
    fs::write(place.path(STATE), &text[..text.len() / 2]).unwrap();
    place.run(APPLY).expect(5);
    state(&place, "rollback", "--auto-approve").expect(0).says("a state that cannot be used");
    place.run(APPLY).expect(0);
    assert_eq!(place.steps(""), [""; 0]);
    assert_eq!(versions(&place).iter().filter(|one| one["problem"].is_string()).count(), 1, "it is kept");
}

#[test]
fn without_a_state_there_is_nothing_to_pull_or_to_go_back_to() {
    let place = Place::new();
    state(&place, "pull", "").expect(1).says("has no state yet");
    state(&place, "history", "").expect(0).says("has no state yet");
    state(&place, "rollback", "--auto-approve").expect(5).says("no earlier version");
}

#[test]
fn an_interrupted_run_is_settled_before_the_state_is_changed_by_hand() {
    let place = Place::new();
    place.faulty("fuse=after:6", APPLY);
    for verb in ["rm volume.data", "rollback"] {
        let (verb, rest) = verb.split_once(' ').unwrap_or((verb, ""));
        let ended = state(&place, verb, &format!("{rest} --auto-approve")).expect(5);
        assert!(ended.err.contains("has to be settled first"), "{}", ended.err);
    }
}

#[test]
fn a_dead_owners_lease_is_broken_and_its_run_told() {
    let place = remote();
    place.edit("  size: 20 ", "  size: 25 ");
    // The first calls are those of the lease and the journal.
    assert!(place.faulty("fuse=after:3", APPLY).signal.is_some());
    state(&place, "unlock", "").expect(5).says("Locked by").says("fencing number").says("--auto-approve");
    state(&place, "unlock", "--auto-approve").expect(0).says("Unlocked.");
    state(&place, "unlock", "").expect(0).says("is not locked");
    place.run(APPLY).expect(0);
    let history = place.run("history --local stacks/dev.yaml --json").expect(0).json();
    assert_eq!((&history[0]["result"], &history[1]["result"]), (&"ok".into(), &"interrupted".into()));
}

#[test]
fn the_lock_of_a_living_process_is_not_taken() {
    let place = Place::applied();
    let path = place.path(&format!("{STATE}.lock"));
    let holder = r#"{"who":"ada@lighthouse","pid":4711,"operation":"apply","since":"2026-01-02T03:04:05Z"}"#;
    fs::write(&path, holder).unwrap();
    let lock = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    lock.lock().unwrap();
    let ended = state(&place, "unlock", "--auto-approve").expect(3);
    ended.says("Locked by ada@lighthouse").says("is alive on this host").says("kill -INT 4711");
    state(&place, "rm", "volume.data --auto-approve --forget-data").expect(3).says("ada@lighthouse");
    lock.unlock().unwrap();
    state(&place, "unlock", "--auto-approve").expect(0).says("is not locked");
}
