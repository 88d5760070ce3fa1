//! What somebody else changed in AWS: told as drift, and put right.

use serde_json::{Value, json};

use crate::place::Place;

#[test]
fn a_volume_that_was_grown_is_shown_and_kept_from_shrinking() {
    let place = Place::applied();
    let id = place.id("volume.data");
    place.meddle(|region| region["volumes"][&id]["size"] = json!(150));
    place
        .run("plan --local stacks/dev.yaml")
        .expect(5)
        .says("volume.data.size")
        .says("150")
        .says("stacks/dev.yaml:21:9");
    place.edit("  size: 20 ", "  size: 150 ");
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn slower_performance_is_drift_and_put_right() {
    let place = Place::applied();
    let id = place.id("volume.data");
    place.meddle(|region| region["volumes"][&id]["throughput"] = json!(250));
    place
        .run("plan --local stacks/dev.yaml")
        .expect(0)
        .says("Drift (recorded / actual / wanted)")
        .says("volume.data.throughput: 125 / 250 / 125");
    assert_eq!(place.steps(""), ["update volume.data"]);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn changed_and_foreign_tags() {
    let place = Place::applied();
    let id = place.id("security_group.main");
    place.meddle(|region| {
        region["groups"][&id]["tags"]["Name"] = json!("renamed");
        region["groups"][&id]["tags"]["CostCenter"] = json!("42");
    });
    place.run("plan --local stacks/dev.yaml").expect(0).says("Drift").says("\"renamed\"");
    assert_eq!(place.steps(""), ["update security_group.main"]);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    let group = place.world()["regions"]["us-east-1"]["groups"][&id].clone();
    assert_eq!(group["tags"]["Name"], "lighthouse-dev-timescaledb");
    assert_eq!(group["tags"]["CostCenter"], "42", "a tag that is not ours was removed");
}

#[test]
fn what_somebody_deleted_is_created_again() {
    let place = Place::applied();
    let id = place.id("security_group.main");
    let rules = |region: &mut Value| region["groups"][&id]["rules"].as_object_mut().unwrap().clear();
    place.meddle(rules);
    place
        .run("apply --local stacks/dev.yaml --auto-approve")
        .expect(0)
        .says("2 added, 0 changed, 0 destroyed");
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn a_terminated_instance_comes_back_to_its_volume_and_address() {
    let place = Place::applied();
    let (instance, volume, address) =
        (place.id("instance.main"), place.id("volume.data"), place.id("elastic_ip.main"));
    place.meddle(|region| {
        region["instances"][&instance]["state"] = json!("terminated");
        let spot = region["spot_requests"].as_object_mut().unwrap();
        spot.values_mut().for_each(|request| request["state"] = json!("cancelled"));
        let volumes = region["volumes"].as_object_mut().unwrap();
        volumes.retain(|id, _| *id == volume);
        volumes[&volume]["attachment"] = Value::Null;
        volumes[&volume]["state"] = json!("available");
        region["addresses"][&address]["association"] = Value::Null;
    });
    place.run("plan --local stacks/dev.yaml").expect(0).says("instance.main");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_ne!(place.id("instance.main"), instance);
    assert_eq!(place.id("volume.data"), volume);
    assert_eq!(place.id("elastic_ip.main"), address);
    assert_eq!(place.steps(""), [""; 0]);
}

/// A spot instance that AWS stopped starts by itself; one that somebody stopped never does.
#[test]
fn a_stopped_instance_is_started() {
    let place = Place::new();
    place.edit("purchase: spot ", "purchase: on-demand ");
    place.edit("  spot: { interruption: stop }   # stop | terminate\n", "");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    let id = place.id("instance.main");
    place.meddle(|region| region["instances"][&id]["state"] = json!("stopped"));
    place.run("plan --local stacks/dev.yaml --detailed-exitcode").expect(2).says("instance.main");
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert_eq!(place.world()["regions"]["us-east-1"]["instances"][&id]["state"], "running");
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn a_lost_data_volume_is_never_replaced_silently() {
    let place = Place::applied();
    let id = place.id("volume.data");
    place.meddle(|region| {
        region["volumes"].as_object_mut().unwrap().remove(&id);
    });
    let ended = place.run("plan --local stacks/dev.yaml");
    assert!(
        ended.code == Some(5) || ended.out.contains("Data at risk   volume.data"),
        "{}\n{}",
        ended.out,
        ended.err
    );
}
