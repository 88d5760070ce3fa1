//! `apply` ends when the database serves, and says where it is stuck when it does not.

use std::{net::TcpListener, thread};

use crate::place::Place;

const APPLY: &str = "apply stacks/dev.yaml --local --auto-approve";

/// Beside the simulated AWS of `place`, something that takes connections and is no database.
fn no_database(place: &Place) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Until the test's process ends.
    thread::spawn(move || listener.incoming().for_each(drop));
    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    place.write(".lhctl/local/database.json", &serde_json::json!({ "url": url }).to_string());
    place.write(".lhctl/local/database/server.log", "it only looks like a database\n");
}

#[test]
fn a_database_that_never_answers_is_told_with_its_stage_and_the_end_of_its_log() {
    let place = Place::new();
    no_database(&place);
    let unwaited = place.run(&format!("{APPLY} --no-wait")).expect(0);
    assert!(
        !unwaited.out.contains("database is ready") && !unwaited.out.contains("waited for"),
        "{}",
        unwaited.out
    );
    let ended = place.run(APPLY).expect(1);
    assert!(ended.err.contains("after 10 minutes it is still at the stage `TCP`"), "{}", ended.err);
    assert!(ended.err.contains("  | it only looks like a database"), "{}", ended.err);
    assert!(ended.err.contains("Everything in AWS is made and recorded."), "{}", ended.err);
    place.run("plan stacks/dev.yaml --local --detailed-exitcode").expect(0);
}

/// No way out, no agent, no SSH: the console is all that is heard of such a host.
#[test]
fn a_host_that_cannot_be_asked_is_told_with_the_end_of_its_console() {
    let place = Place::applied();
    no_database(&place);
    place.meddle(|region| {
        for instance in region["instances"].as_object_mut().unwrap().values_mut() {
            instance["launch"]["user_data"] = serde_json::Value::Null;
            instance["console"] = "[   41.7] cloud-init: Failed to fetch http://ports.ubuntu.com\n".into();
        }
    });
    let ended = place.run(APPLY).expect(1);
    assert!(ended.err.contains("after 20 minutes it is still at the stage `cloud-init`"), "{}", ended.err);
    assert!(ended.err.contains("  | [   41.7] cloud-init: Failed to fetch"), "{}", ended.err);
}
