//! `lhctl release`: what is given up is kept unmanaged, or deleted after its checks.

use serde_json::json;

use crate::{
    canonical,
    enumeration::{Death, each},
    place::{DEV, Ended, Place, STATE},
};

const ACCOUNT: &str = "123456789012";

/// How many mutating calls a release makes where the state is in S3.
const CALLS_IN_S3: usize = 12;

fn release(place: &Place, rest: &str) -> Ended {
    place.run(&format!("release --local stacks/dev.yaml {rest}"))
}

/// The dev stack, destroyed but for its data.
fn retained() -> Place {
    let place = Place::applied();
    place.run("destroy --local stacks/dev.yaml --retain-data --auto-approve").expect(0);
    place
}

/// Makes a snapshot of the data volume behind the tool's back, complete or not.
fn snapshot(place: &Place, volume: &str, completed: bool) {
    let donor = Place::applied();
    donor.run("destroy --local stacks/dev.yaml --auto-approve").expect(0);
    let mut made = donor.holds("snapshots")[0].clone();
    made["volume_id"] = json!(volume);
    made["completed"] = json!(completed);
    made["tags"] = json!({});
    let id = made["id"].as_str().unwrap().to_owned();
    place.meddle(|region| region["snapshots"][id] = made);
}

fn confirmed(id: &str) -> String {
    format!("--delete --confirm {ACCOUNT}/dev/{id}")
}

#[test]
fn a_volume_is_deleted_only_with_its_backup_and_the_right_words() {
    let place = retained();
    let id = place.id("volume.data");
    let before = canonical::world(&place);
    release(&place, "volume.data").expect(1).says("--keep").says("--delete");
    release(&place, "volume.data --delete").expect(5).says("--confirm");
    release(&place, &format!("volume.data {}", confirmed(&id)))
        .expect(5)
        .says("E0634")
        .says("no verified backup");
    snapshot(&place, &id, false);
    release(&place, &format!("volume.data {}", confirmed(&id))).expect(5).says("none is complete");
    for wrong in ["210987654321/dev/", "123456789012/prod/"] {
        let ended = release(&place, &format!("volume.data --delete --without-backup --confirm {wrong}{id}"));
        ended.expect(5).says("Not approved");
    }
    release(&place, "volume.data --delete --without-backup --confirm 123456789012/dev/vol-1").expect(5);
    assert_eq!(place.holds("volumes").len(), 1);
    assert_eq!(
        canonical::world(&place)["regions"]["us-east-1"]["volumes"],
        before["regions"]["us-east-1"]["volumes"]
    );
    snapshot(&place, &id, true);
    let told = release(&place, &format!("volume.data {}", confirmed(&id))).expect(0);
    told.says("is its newest complete backup")
        .says("Release complete! Resources: 0 added, 0 changed, 1 destroyed.");
    assert_eq!(place.holds("volumes").len(), 0);
    let history = place.run("history --local stacks/dev.yaml --json").expect(0).json();
    assert_eq!(
        (&history[0]["operation"], &history[0]["changes"][0]),
        (&"release".into(), &"delete volume.data".into())
    );
}

#[test]
fn without_a_backup_it_takes_the_option_of_that_name() {
    let place = retained();
    let id = place.id("volume.data");
    let told = release(&place, &format!("volume.data --without-backup {}", confirmed(&id))).expect(0);
    told.says("its data is lost for good");
    assert_eq!(place.holds("volumes").len(), 0);
    release(&place, &format!("volume.data {}", confirmed(&id))).expect(5).says("E0631");
}

#[test]
fn what_is_in_use_or_protected_is_not_deleted() {
    let place = Place::applied();
    let before = place.text(STATE);
    let id = place.id("volume.data");
    let way = format!("volume.data --without-backup {}", confirmed(&id));
    release(&place, &way).expect(5).says("E0633").says("is in use").says("lhctl destroy STACK --retain-data");
    release(&place, "volume.data --keep --auto-approve").expect(5).says("E0633");
    place.run("destroy --local stacks/dev.yaml --retain-data --auto-approve").expect(0);
    place.edit("region: us-east-1\n", "region: us-east-1\nprotect: true\n");
    release(&place, &way).expect(5).says("E0620");
    assert!(before != place.text(STATE) && place.holds("volumes").len() == 1);
}

#[test]
fn what_is_kept_loses_its_tags_and_its_record() {
    let place = retained();
    release(&place, "volume.data --keep").expect(5).says("--auto-approve");
    release(&place, "volume.data --keep --auto-approve").expect(0).says("lhctl no longer knows it");
    let volume = &place.holds("volumes")[0];
    let tags = volume["tags"].to_string();
    assert!(!tags.contains("lhctl:") && tags.contains("Name"), "{tags}");
    let done = place.run("state show --local stacks/dev.yaml --json").expect(0).json();
    assert!(done["resources"].get("volume.data").is_none(), "it is forgotten");
    // Nothing stands in the way of a new one.
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(
        place.holds("volumes").iter().filter(|v| v["tags"].to_string().contains("volume.data")).count(),
        1
    );
}

#[test]
fn a_release_killed_at_any_call_is_done_by_the_next() {
    let start = retained();
    let id = start.id("volume.data");
    for (how, calls) in
        [("--keep --auto-approve".to_owned(), 1), (format!("--without-backup {}", confirmed(&id)), 1)]
    {
        for call in 1..=calls {
            for when in ["before", "after"] {
                let place = start.copy();
                let command = format!("release --local stacks/dev.yaml volume.data {how}");
                let died = place.faulty(&format!("fuse={when}:{call}"), &command);
                assert!(died.signal.is_some(), "{}", died.err);
                place.run(&command);
                let done = place.run("state show --local stacks/dev.yaml --json").expect(0).json();
                assert!(done["resources"].get("volume.data").is_none(), "{how} {when} {call}");
            }
        }
    }
}

/// The dev stack with its state in S3 and its lock in DynamoDB, destroyed but for its data.
fn retained_in_s3() -> Place {
    let place = Place::new();
    let from = place.text(DEV).lines().find(|line| line.starts_with("  path: ")).unwrap().to_owned();
    place.edit(&from, "  bucket: lighthouse-state\n  key: dev.json\n  lock_table: lighthouse-locks");
    place.run("bootstrap --local stacks/dev.yaml").expect(0);
    place.run("apply --local stacks/dev.yaml --auto-approve --no-wait").expect(0);
    place.run("destroy --local stacks/dev.yaml --retain-data --auto-approve").expect(0);
    place
}

/// The id that a state in S3 records; none if it records nothing there.
fn recorded(place: &Place, address: &str) -> Option<String> {
    let state = place.run("state show --local stacks/dev.yaml --json").expect(0).json();
    Some(state["resources"].get(address)?["id"].as_str().unwrap().to_owned())
}

/// How many volumes there are that are not on their way out.
fn living(place: &Place) -> usize {
    place.holds("volumes").iter().filter(|volume| volume["state"] != "deleting").count()
}

/// Calls to S3 and DynamoDB count as well: the lock, its renewals, the journal, the snapshot.
#[test]
fn a_release_with_its_state_in_s3_killed_at_any_call_is_done_by_the_next() {
    let start = retained_in_s3();
    let id = recorded(&start, "volume.data").unwrap();
    let unchecked = confirmed(&id);
    for (how, volumes) in [("--keep --auto-approve", 1), (&*format!("--without-backup {unchecked}"), 0)] {
        let command = format!("release --local stacks/dev.yaml volume.data {how}");
        let deaths: Vec<Death> =
            (1..=CALLS_IN_S3).flat_map(|call| [Death::Before(call), Death::After(call)]).collect();
        let beyond = start.copy().faulty(&Death::Before(CALLS_IN_S3 + 1).fault(), &command);
        beyond.expect(0).says("Release complete!");
        each(&deaths, |death| {
            let place = start.copy();
            let died = place.faulty(&death.fault(), &command);
            assert!(died.signal.is_some(), "{how} {death:?}: {}", died.err);
            // What a dead run had been allowed, the next is not.
            let before = living(&place);
            release(&place, &format!("volume.data {unchecked}"));
            assert_eq!(living(&place), before, "{how} {death:?}");
            let ended = place.run(&command);
            let gone = ended.code == Some(5) && ended.err.contains("E0631");
            assert!(gone || ended.code == Some(0), "{how} {death:?}:\n{}\n{}", ended.out, ended.err);
            assert_eq!(recorded(&place, "volume.data"), None, "{how} {death:?}");
            assert!(recorded(&place, "parameter.password").is_some(), "{how} {death:?}");
            assert_eq!(living(&place), volumes, "{how} {death:?}");
            let tags =
                place.holds("volumes").iter().map(|volume| volume["tags"].to_string()).collect::<String>();
            assert!(!tags.contains("lhctl:"), "{how} {death:?}: {tags}");
            place.run("state unlock --local stacks/dev.yaml").expect(0).says("is not locked");
        });
    }
}
