//! Kill at any call, then run again: no orphan, no duplicate, the end of an undisturbed run.
//!
//! Each mutating call of each scenario is met twice: the process dies before the call has an
//! effect, and after it had, before the answer is known.

use crate::{
    enumeration::{Death, Scenario, each},
    place::{DEV, Place},
};

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";
const DESTROY: &str = "destroy --local stacks/dev.yaml --auto-approve";

#[test]
fn an_apply_killed_at_any_call_converges() {
    let scenario = Scenario::new(Place::new(), APPLY);
    assert!(scenario.calls >= 14, "{} calls make no stack", scenario.calls);
    each(&scenario.deaths(), |death| scenario.survives(&[*death]));
}

#[test]
fn an_apply_killed_twice_converges() {
    let scenario = Scenario::new(Place::new(), APPLY);
    // Each death followed by another soon after: in the settling, or in the first new calls.
    let pairs: Vec<[Death; 2]> = (1..=scenario.calls)
        .step_by(4)
        .flat_map(|call| [[Death::After(call), Death::Before(1)], [Death::After(call), Death::After(2)]])
        .collect();
    each(&pairs, |pair| scenario.survives(pair));
}

#[test]
fn a_destroy_killed_at_any_call_converges() {
    let scenario = Scenario::new(Place::applied(), DESTROY);
    each(&scenario.deaths(), |death| scenario.survives(&[*death]));
}

#[test]
fn an_update_killed_at_any_call_converges() {
    let place = Place::applied();
    place.edit("allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: [198.51.100.0/24]");
    place.write(DEV, &(place.text(DEV) + "\ntags: { Team: lighthouse }\n"));
    let scenario = Scenario::new(place, APPLY);
    each(&scenario.alternating_deaths(), |death| scenario.survives(&[*death]));
}

/// AWS allows few modifications of a volume a day, so a second one is not harmless: on real AWS
/// the next apply would be refused, or wait for hours.
#[test]
fn a_growing_volume_is_not_modified_twice() {
    let place = Place::applied();
    place.edit("  size: 20 ", "  size: 30 ");
    let scenario = Scenario::new(place, APPLY);
    each(&scenario.deaths(), |death| scenario.survives(&[*death]));
}

#[test]
fn a_replacement_killed_at_any_call_converges() {
    let place = Place::applied();
    place.edit("purchase: spot ", "purchase: on-demand ");
    place.edit("  spot: { interruption: stop }   # stop | terminate\n", "");
    let scenario = Scenario::new(place, APPLY);
    each(&scenario.alternating_deaths(), |death| scenario.survives(&[*death]));
}

#[test]
fn an_apply_killed_then_destroyed_leaves_nothing() {
    let scenario = Scenario::new(Place::new(), APPLY);
    each(&scenario.alternating_deaths(), |death| {
        let place = Place::new();
        place.faulty(&death.fault(), APPLY);
        let ended = place.run(DESTROY);
        assert_eq!(ended.code, Some(0), "{death:?}:\n{}\n{}", ended.out, ended.err);
        let living = place.holds("instances").into_iter().filter(|i| i["state"] != "terminated").count();
        let count = |collection: &str| place.holds(collection).len();
        let left = [living, count("volumes"), count("addresses"), count("parameters")];
        assert_eq!(
            left, [0; 4],
            "after {death:?} a destroy left instances, volumes, addresses or parameters"
        );
        let iam = &place.world()["iam"];
        assert!(iam["roles"].as_object().unwrap().is_empty(), "after {death:?} a destroy left a role");
        assert!(count("groups") == 3, "after {death:?} a destroy left a group");
    });
}

#[test]
fn a_killed_apply_whose_file_changed_meanwhile_converges_to_the_new_file() {
    let wanted = Place::new();
    wanted.edit("  size: 20 ", "  size: 40 ");
    wanted.run(APPLY).expect(0);
    let world = crate::canonical::world(&wanted);
    let deaths: Vec<Death> = (1..=17).step_by(2).map(Death::After).collect();
    each(&deaths, |death| {
        let place = Place::new();
        place.faulty(&death.fault(), APPLY);
        place.edit("  size: 20 ", "  size: 40 ");
        let ended = place.run(APPLY);
        assert_eq!(ended.code, Some(0), "{death:?}:\n{}\n{}", ended.out, ended.err);
        let mut seen = crate::canonical::world(&place);
        // A volume that was made with 20 GiB has grown since, and remembers it.
        for volume in seen["regions"]["us-east-1"]["volumes"].as_array_mut().unwrap() {
            volume["modifications"] = serde_json::json!([]);
        }
        crate::canonical::assert_same(&format!("after {death:?}, AWS"), &seen, &world);
        assert_eq!(place.steps(""), [""; 0]);
    });
}
