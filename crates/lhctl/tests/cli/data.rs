//! Destroying: what holds data goes only after a copy, and only when it was asked for.

use serde_json::Value;

use crate::{
    canonical,
    place::{DEV, Place},
};

const DESTROY: &str = "destroy --local stacks/dev.yaml --auto-approve";

fn names(place: &Place, collection: &str) -> Vec<String> {
    let text = |value: &Value| value["name"].as_str().or(value["id"].as_str()).unwrap_or_default().to_owned();
    place.holds(collection).iter().map(text).collect()
}

/// What lives of the stack, apart from data: nothing, after a destroy.
fn assert_no_servers(place: &Place) {
    assert!(place.holds("instances").iter().all(|i| i["state"] == "terminated"), "an instance lives");
    let over = |request: &Value| request["state"] == "cancelled" || request["state"] == "closed";
    assert!(place.holds("spot_requests").iter().all(over), "a spot request could begin an instance");
    assert_eq!(names(place, "addresses"), [""; 0]);
    assert!(!names(place, "groups").contains(&"lighthouse-dev-timescaledb".to_owned()));
    let iam = &place.world()["iam"];
    assert_eq!((iam["roles"].as_object().unwrap().len(), iam["profiles"].as_object().unwrap().len()), (0, 0));
}

#[test]
fn the_volume_goes_after_a_complete_final_snapshot() {
    let place = Place::applied();
    let volume = place.id("volume.data");
    place
        .run(DESTROY)
        .expect(0)
        .says("volume.data: its final copy, snapshot.final-data-0, is complete before it goes, and stays.")
        .says("Destroy complete! Resources: 1 added, 0 changed, 14 destroyed.");
    assert_no_servers(&place);
    assert_eq!(names(&place, "volumes"), [""; 0]);
    assert_eq!(names(&place, "parameters"), [""; 0]);
    let snapshots = place.holds("snapshots");
    assert_eq!(snapshots.len(), 1);
    assert_eq!(snapshots[0]["volume_id"], volume.as_str());
    assert_eq!(snapshots[0]["completed"], true);
    assert_eq!(snapshots[0]["size"], 20);
    place
        .run("state list --local stacks/dev.yaml")
        .expect(0)
        .says("snapshot.final-data-0")
        .says("(retained)");
}

#[test]
fn a_second_destroy_finds_nothing_to_do() {
    let place = Place::applied();
    place.run(DESTROY).expect(0);
    place.run(DESTROY).expect(0).says("0 added, 0 changed, 0 destroyed");
    assert_eq!(place.holds("snapshots").len(), 1, "the final copy is gone, or there is a second");
}

#[test]
fn destroying_what_never_was_is_fine() {
    let place = Place::new();
    place.run(DESTROY).expect(0).says("0 added, 0 changed, 0 destroyed");
    assert_eq!(place.holds("snapshots").len(), 0);
}

#[test]
fn retained_data_stays_and_is_found_again() {
    let place = Place::applied();
    let (volume, password) = (place.id("volume.data"), place.holds("parameters")[0]["value"].clone());
    place.run(&format!("{DESTROY} --retain-data")).expect(0).says("volume.data").says("parameter.password");
    assert_no_servers(&place);
    assert_eq!(names(&place, "volumes"), [volume.as_str()]);
    assert_eq!(place.holds("volumes")[0]["state"], "available");
    assert_eq!(place.holds("snapshots").len(), 0);
    assert_eq!(place.holds("parameters")[0]["value"], password);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(place.id("volume.data"), volume, "the data was left behind by the new server");
    assert_eq!(place.holds("parameters")[0]["value"], password, "the data's password was changed");
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn after_a_destroy_a_new_stack_has_new_identities() {
    let place = Place::applied();
    let before =
        ["volume.data", "instance.main", "elastic_ip.main", "security_group.main"].map(|a| place.id(a));
    let identity = |place: &Place| place.holds("addresses")[0]["tags"]["lhctl:id"].clone();
    let (first, password) = (identity(&place), place.holds("parameters")[0]["value"].clone());
    place.run(DESTROY).expect(0);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0).says("14 added");
    for (old, address) in
        before.iter().zip(["volume.data", "instance.main", "elastic_ip.main", "security_group.main"])
    {
        assert_ne!(*old, place.id(address));
    }
    assert_ne!(first, identity(&place));
    assert_ne!(password, place.holds("parameters")[0]["value"]);
    assert_eq!(place.steps(""), [""; 0]);
    // The second end keeps a second copy, and leaves the first.
    place.run(DESTROY).expect(0);
    assert_eq!(place.holds("snapshots").len(), 2);
}

#[test]
fn a_protected_stack_is_not_destroyed() {
    let place = Place::applied();
    place.write(DEV, &(place.text(DEV) + "\nprotect: true\n"));
    let before = canonical::world(&place);
    for options in ["", " --retain-data"] {
        place.run(&format!("{DESTROY}{options}")).expect(5).says("protect").says("Nothing was changed.");
    }
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &before);
    // Protection reaches into AWS: nobody can terminate the instance by hand either.
    place.run("plan --local stacks/dev.yaml").expect(0).says("disable_api_termination   false → true");
    assert_eq!(place.steps(""), ["update instance.main"]);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    place.run(DESTROY).expect(5);
    // Without protection again, a destroy lifts the lock of the instance by itself.
    place.edit("\nprotect: true\n", "");
    place.run(DESTROY).expect(0);
    assert_no_servers(&place);
}

#[test]
fn a_renamed_password_would_lock_the_data_away_and_is_refused() {
    let place = Place::applied();
    place.edit("ssm: /lighthouse/dev/db/password", "ssm: /lighthouse/other");
    for command in ["plan", "apply --auto-approve"] {
        place
            .run(&format!("{command} --local stacks/dev.yaml"))
            .expect(5)
            .says("error[E0606]: parameter.password")
            .says("--> stacks/dev.yaml:26:20");
    }
    assert_eq!(names(&place, "parameters"), ["/lighthouse/dev/db/password"]);
}

/// A password that is gone while its volume lives locks everybody out of the data.
#[test]
fn the_password_outlives_the_volume() {
    let place = Place::applied();
    let mut calls = 1;
    loop {
        let tried = place.copy();
        let ended = tried.faulty(&format!("fuse=after:{calls}"), DESTROY);
        if ended.signal.is_none() {
            break;
        }
        let volume = names(&tried, "volumes").contains(&tried.id("volume.data"));
        assert!(
            !volume || tried.holds("parameters").len() == 1,
            "after call {calls} the data has no password"
        );
        calls += 1;
    }
}
