//! What a change of the file plans: exactly that, or a refusal that points at the line.

use serde_json::{Value, json};

use crate::{
    canonical,
    place::{DEV, Place, STATE},
};

#[test]
fn a_second_plan_is_empty() {
    let place = Place::applied();
    let (world, state) = (canonical::world(&place), canonical::state(&place));
    place
        .run("plan --local stacks/dev.yaml --detailed-exitcode")
        .expect(0)
        .says("No changes. AWS is as the stack file says.");
    for _ in 0..2 {
        place
            .run("apply --local stacks/dev.yaml --auto-approve")
            .expect(0)
            .says("0 added, 0 changed, 0 destroyed");
    }
    // The first of them may have recorded what AWS shows by now; the next has nothing to write.
    let file = place.text(STATE);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(file, place.text(STATE), "an apply that does nothing wrote the state anew");
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &world);
    canonical::assert_same("the state", &canonical::state(&place), &state);
}

#[test]
fn a_larger_volume_plans_only_that_and_applies() {
    let place = Place::applied();
    place.edit("  size: 20 ", "  size: 30 ");
    place
        .run("plan --local stacks/dev.yaml --detailed-exitcode")
        .expect(2)
        .says("size   20 → 30")
        .says("is changed  stacks/dev.yaml:21:9");
    assert_eq!(place.steps(""), ["update volume.data"]);
    let id = place.id("volume.data");
    place
        .run("apply --local stacks/dev.yaml --auto-approve")
        .expect(0)
        .says("0 added, 1 changed, 0 destroyed");
    assert_eq!(place.id("volume.data"), id, "the volume was replaced");
    assert_eq!(place.world()["regions"]["us-east-1"]["volumes"][&id]["size"], json!(30));
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn a_volume_that_is_still_being_modified_takes_no_other_modification() {
    let place = Place::applied();
    place.edit("  size: 20 ", "  size: 30 ");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    place.edit("  size: 30 ", "  size: 40 ");
    place
        .run("plan --local stacks/dev.yaml")
        .expect(5)
        .says("the volume's last modification is still optimizing")
        .says("stacks/dev.yaml:");
}

#[test]
fn another_source_plans_only_its_rule() {
    let place = Place::applied();
    place.edit(
        "allow_postgres_from: [203.0.113.7/32]",
        "allow_postgres_from: [203.0.113.7/32, 198.51.100.0/24]",
    );
    assert_eq!(place.steps(""), ["create security_group_rule.postgres-198.51.100.0/24"]);
    place
        .run("apply --local stacks/dev.yaml --auto-approve")
        .expect(0)
        .says("1 added, 0 changed, 0 destroyed");
    place.edit("[203.0.113.7/32, 198.51.100.0/24]", "[203.0.113.7/32]");
    assert_eq!(place.steps(""), ["delete security_group_rule.postgres-198.51.100.0/24"]);
}

#[test]
fn a_tag_plans_a_change_of_tags_wherever_there_are_tags_and_nothing_else() {
    let place = Place::applied();
    place.write(DEV, &(place.text(DEV) + "\ntags: { Team: lighthouse }\n"));
    let plan = place.plan("");
    let steps = plan["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for step in steps {
        assert_eq!(step["act"], "update", "{step}");
        let fields: Vec<&Value> = step["changes"].as_array().unwrap().iter().map(|c| &c["field"]).collect();
        assert!(fields.iter().all(|field| field.as_str().unwrap().starts_with("tags")), "{fields:?}");
        assert_eq!(step["downtime_seconds"], 0);
    }
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0).says("0 added, ");
    assert_eq!(place.steps(""), [""; 0]);
    assert_eq!(place.record("volumes", "volume.data")["tags"]["Team"], "lighthouse");
    place.edit("tags: { Team: lighthouse }", "");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert!(place.holds("volumes").iter().all(|volume| volume["tags"]["Team"].is_null()));
}

/// Everything a stack creates carries the user's tags; the root volume is created tagged, so
/// the bill by tag would fall apart after the first change.
#[test]
fn the_root_volume_follows_the_tags_of_its_instance() {
    let place = Place::applied();
    place.write(DEV, &(place.text(DEV) + "\ntags: { Team: lighthouse }\n"));
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    for volume in place.holds("volumes") {
        assert_eq!(volume["tags"]["Team"], "lighthouse", "{volume:#}");
    }
}

#[test]
fn another_type_stops_and_starts_the_instance_and_keeps_it() {
    let place = Place::applied();
    place.edit("purchase: spot ", "purchase: on-demand ");
    place.edit("  spot: { interruption: stop }   # stop | terminate\n", "");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    let id = place.id("instance.main");
    place.edit("t4g.micro", "t4g.small");
    place
        .run("plan --local stacks/dev.yaml")
        .expect(0)
        .says(" ~! instance.main")
        .says("\"t4g.micro\" → \"t4g.small\"");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(place.id("instance.main"), id);
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn a_replaced_instance_keeps_volume_address_and_password() {
    let place = Place::applied();
    let kept = ["volume.data", "elastic_ip.main", "parameter.password", "security_group.main"];
    let before: Vec<String> = kept.iter().map(|address| place.id(address)).collect();
    let (password, instance) = (password(&place), place.id("instance.main"));
    place.edit("purchase: spot ", "purchase: on-demand ");
    place.edit("  spot: { interruption: stop }   # stop | terminate\n", "");
    place.run("plan --local stacks/dev.yaml").expect(0).says("-/+ instance.main");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_ne!(place.id("instance.main"), instance);
    assert_eq!(before, kept.map(|address| place.id(address)));
    assert_eq!(self::password(&place), password);
    let living = place.holds("instances").into_iter().filter(|i| i["state"] == "running").count();
    assert_eq!(living, 1);
    assert_eq!(place.steps(""), [""; 0]);
}

fn password(place: &Place) -> Value {
    place.holds("parameters")[0]["value"].clone()
}

#[test]
fn a_smaller_volume_is_refused_with_the_line_and_the_way() {
    let place = Place::applied();
    place.edit("  size: 20 ", "  size: 10 ");
    for command in ["plan", "apply --auto-approve"] {
        place
            .run(&format!("{command} --local stacks/dev.yaml"))
            .expect(5)
            .says("error[E0605]: volume.data.size cannot be changed so")
            .says("--> stacks/dev.yaml:21:9")
            .says("fix: Back up the database, create a new stack with the volume as wanted")
            .says("Nothing was changed.");
    }
    assert_eq!(place.plan_refused()["steps"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_is_looked_up_and_missing_is_refused_with_the_line() {
    let place = Place::new();
    for (set, line) in [
        ("ssh.key_name=nobody", "ssh.key_name=nobody"),
        ("network.vpc=vpc-0123456789abcdef0", "network.vpc=vpc-0123456789abcdef0"),
        ("network.vpc=some-vpc", "network.vpc=some-vpc"),
        ("instance.image=ami-0123456789abcdef0", "instance.image=ami-0123456789abcdef0"),
    ] {
        let ended = place.run(&format!("apply --local stacks/dev.yaml --auto-approve --set {set}")).expect(1);
        let ended =
            ended.says(line).says("fix: ").says("This plan is refused: 1 finding. Nothing was changed.");
        assert!(ended.err.contains(" --> --set:1:"), "no place in:\n{}", ended.err);
    }
    place.edit("key_name: lighthouse-dev", "key_name: nobody");
    place.run("plan --local stacks/dev.yaml").expect(1).says(" --> stacks/dev.yaml:28:18");
    assert_eq!(place.holds("instances"), [Value::Null; 0], "something was created");
}

#[test]
fn two_stacks_are_planned_together() {
    let place = Place::new();
    std::fs::remove_file(place.path("stacks/prod.yaml")).unwrap();
    place.write("stacks/other.yaml", &place.text(DEV).replace("environment: dev", "environment: other"));
    let plans = place.run("plan --local --json").expect(0).json();
    let names: Vec<&Value> = plans.as_array().unwrap().iter().map(|plan| &plan["stack"]).collect();
    assert_eq!(names, ["lighthouse-dev", "lighthouse-other"]);
    place
        .run("plan --local --out p.json")
        .expect(1)
        .says("--out p.json keeps one plan, and 2 stacks were found.");
}

#[test]
fn two_stacks_in_one_account_leave_each_other_alone() {
    let place = Place::applied();
    let other =
        place.text(DEV).replace("environment: dev", "environment: test").replace("/dev/db", "/test/db");
    place.write("stacks/test.yaml", &other);
    place.run("apply --local stacks/test.yaml --auto-approve").expect(0).says("14 added");
    assert_eq!(place.steps(""), [""; 0]);
    place.run("destroy --local stacks/test.yaml --auto-approve").expect(0);
    assert_eq!(place.steps(""), [""; 0]);
}

impl Place {
    /// What the simulated AWS holds of the resource at `address`.
    fn record(&self, collection: &str, address: &str) -> Value {
        let found = self.holds(collection).into_iter().find(|it| it["tags"]["lhctl:resource"] == address);
        found.unwrap_or_else(|| panic!("no {address} among the {collection}"))
    }

    /// The plan of a change that is refused, as JSON.
    fn plan_refused(&self) -> Value {
        self.run("plan --local stacks/dev.yaml --json").expect(5).json()
    }
}
