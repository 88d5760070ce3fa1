//! Saved plans: carried out as they were looked at, or not at all.

use crate::place::Place;

const PLAN: &str = "plan --local stacks/dev.yaml --out dev.plan";
const APPLY: &str = "apply --local dev.plan --auto-approve";

#[test]
fn a_saved_plan_is_carried_out() {
    let place = Place::new();
    place.run(PLAN).expect(0).says("The plan is in dev.plan; carry it out with `lhctl apply dev.plan`.");
    // The plan stands alone: the stack file may change or go.
    std::fs::remove_file(place.path("stacks/dev.yaml")).unwrap();
    place.run(APPLY).expect(0).says("14 added");
    place.run(APPLY).expect(5).says("The saved plan is stale");
}

#[test]
fn a_saved_change_is_carried_out_once() {
    let place = Place::applied();
    place.run(&format!("{PLAN} --set volume.size=25")).expect(0);
    place.run(APPLY).expect(0).says("0 added, 1 changed, 0 destroyed");
    place.run(APPLY).expect(5).says("it was made for serial 1 of the state, which is at 2 now; plan again");
}

#[test]
fn a_plan_is_stale_when_the_state_has_moved() {
    let place = Place::applied();
    place.run(&format!("{PLAN} --set volume.size=25")).expect(0);
    place.run("apply --local stacks/dev.yaml --auto-approve --set volume.size=22").expect(0);
    let ended = place.run(APPLY).expect(5).says("Nothing was changed.");
    ended.says("Make a new plan with `lhctl plan STACK --out FILE`");
    assert!(place.holds("volumes").iter().all(|volume| volume["size"] != 25));
}

#[test]
fn a_plan_is_stale_when_another_state_took_its_place() {
    let place = Place::applied();
    place.run(&format!("{PLAN} --set volume.size=25")).expect(0);
    place.run("local reset").expect(0);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    place.run(APPLY).expect(5).says("it was made for state ");
}

#[test]
fn a_plan_is_stale_when_aws_has_moved() {
    let place = Place::applied();
    place.run(&format!("{PLAN} --set volume.size=25")).expect(0);
    let id = place.id("security_group.main");
    place.meddle(|region| {
        region["groups"][&id]["rules"].as_object_mut().unwrap().retain(|_, r| r["to_port"] != 22)
    });
    place.run(APPLY).expect(5).says("resources in AWS have changed since it was made; plan again");
    assert!(place.holds("volumes").iter().all(|volume| volume["size"] != 25));
}

#[test]
fn a_plan_belongs_to_the_cloud_it_was_made_in() {
    let place = Place::new();
    place.run(PLAN).expect(0);
    place
        .run("apply dev.plan --auto-approve")
        .expect(5)
        .says("dev.plan was made in the simulated AWS.")
        .says("fix: Add --local, or make a new plan.");
    let plan = place.text("dev.plan").replace("\"local\": true", "\"local\": false");
    place.write("dev.plan", &plan);
    place.run(APPLY).expect(5).says("dev.plan was made for real AWS.").says("Leave --local out");
}

#[test]
fn overrides_and_damage_are_refused() {
    let place = Place::new();
    place.run(PLAN).expect(0);
    place
        .run(&format!("{APPLY} --set volume.size=30"))
        .expect(1)
        .says("--set has no meaning with a saved plan");
    let text = place.text("dev.plan");
    place.write("dev.plan", &text[..text.len() / 2]);
    place.run(APPLY).expect(1).says("dev.plan cannot be applied: it is damaged: ");
    place.write("dev.plan", &text.replacen("\"lhctl_plan\": 1", "\"lhctl_plan\": 99", 1));
    place.run(APPLY).expect(1).says("it was made by another version of lhctl; plan again");
    assert!(!place.path(crate::place::STATE).exists());
}

#[test]
fn a_plan_that_was_edited_is_refused() {
    let place = Place::new();
    place.run(PLAN).expect(0);
    let text = place.text("dev.plan");
    // A step is taken out from under those that need it.
    let mut saved: serde_json::Value = serde_json::from_str(&text).unwrap();
    let steps = saved["plan"]["steps"].as_array_mut().unwrap();
    steps.retain(|step| step["address"] != "security_group.main");
    place.write("dev.plan", &saved.to_string());
    place.run(APPLY).expect(1).says("the plan is not sound");
    assert_eq!(place.holds("instances").len(), 0);
}
