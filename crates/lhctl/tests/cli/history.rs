//! `lhctl history`: every run is told, with its calls, however it ended.

use serde_json::Value;

use crate::place::Place;

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";
const HISTORY: &str = "history --local stacks/dev.yaml --json";

fn results(history: &Value) -> Vec<(String, String)> {
    let text = |run: &Value, key: &str| run[key].as_str().unwrap().to_owned();
    let runs = history.as_array().unwrap().iter();
    runs.map(|run| (text(run, "operation"), text(run, "result"))).collect()
}

fn of(operation: &str, result: &str) -> (String, String) {
    (operation.to_owned(), result.to_owned())
}

#[test]
fn each_apply_is_told_with_its_calls_and_their_request_ids() {
    let place = Place::applied();
    place.run(APPLY).expect(0);
    place.edit("  size: 20 ", "  size: 25 ");
    place.run(APPLY).expect(0);
    let history = place.run(HISTORY).expect(0).json();
    assert_eq!(results(&history), [of("apply", "ok"), of("apply", "ok"), of("apply", "ok")]);
    assert_eq!(history[0]["changes"], serde_json::json!(["update volume.data"]));
    assert_eq!(history[1]["changes"], serde_json::json!([]), "an apply that had nothing to do is told too");
    assert_eq!(history[2]["changes"].as_array().unwrap().len(), 14);
    for run in history.as_array().unwrap() {
        assert!(run["began"].as_str() <= run["ended"].as_str() && run["ended"].is_string(), "{run}");
        assert_eq!(run["plan"].as_str().unwrap().len(), 64);
    }
    let created = history[2]["calls"].as_array().unwrap();
    let volume = created.iter().find(|call| call["operation"] == "ec2:CreateVolume").unwrap();
    assert_eq!((&volume["step"], &volume["status"]), (&"create volume.data".into(), &200.into()));
    assert!(created.iter().all(|call| call["request_id"].as_str().is_some_and(|id| !id.is_empty())));
    let calls = place.run("history --local stacks/dev.yaml --calls").expect(0);
    assert!(calls.out.contains(volume["request_id"].as_str().unwrap()), "{}", calls.out);
}

#[test]
fn a_run_that_died_is_told_as_interrupted_before_and_after_the_next() {
    let place = Place::new();
    place.faulty("fuse=after:6", APPLY);
    let before = place.run(HISTORY).expect(0).json();
    assert_eq!(results(&before), [of("apply", "interrupted")]);
    assert!(before[0]["ended"].is_null());
    assert!(!before[0]["changes"].as_array().unwrap().is_empty());
    place.run(APPLY).expect(0);
    let after = place.run(HISTORY).expect(0).json();
    assert_eq!(results(&after), [of("apply", "ok"), of("apply", "interrupted")]);
    assert_eq!(after[1], before[0], "what was told of it stays");
}

#[test]
fn a_failed_run_and_a_destroy_are_told() {
    let place = Place::new();
    place.faulty("deny=ec2:CreateVolume", APPLY);
    place.run("destroy --local stacks/dev.yaml --auto-approve").expect(0);
    let history = place.run(HISTORY).expect(0).json();
    assert_eq!(history[0]["operation"], "destroy");
    assert_eq!(results(&history).len(), 2);
}

#[test]
fn no_secret_is_in_the_history() {
    let place = Place::applied();
    let world = place.world();
    let parameter = &world["regions"]["us-east-1"]["parameters"]["/lighthouse/dev/db/password"];
    let secret = parameter["value"].as_str().unwrap();
    assert!(secret.len() > 8);
    assert!(!place.run(HISTORY).expect(0).out.contains(secret));
}
