//! Lookups of what a stack names and does not make: zones, keys, groups, secrets.

use lh_aws::Aws;
use lh_kind::{Observe, Probe};
use lh_model::{Diagnostic, Lookup, Map};
use lh_sim::world::Zone;
use serde_json::{Value, json};

use crate::{map, stage::Stage};

fn probe(name: &str, query: Value) -> Probe {
    Probe { lookup: Lookup { name: name.to_owned(), query: map(query), origin: None }, pinned: None }
}

pub async fn answer(aws: &Aws, name: &str, query: Value) -> Result<Map, Diagnostic> {
    aws.look_up(&[probe(name, query)]).await.remove(0)
}

async fn refused(stage: &Stage, name: &str, query: Value) -> (String, String) {
    let finding = answer(&stage.aws, name, query).await.unwrap_err();
    assert!(finding.fix.is_some(), "{finding:?}");
    (finding.code, finding.reason.unwrap_or_default())
}

#[tokio::test]
async fn a_hosted_zone_is_found_by_name_and_by_id_and_then_kept() {
    let stage = Stage::simulated(false).await;
    let query = |zone: &str| json!({"zone": zone, "record": "db.ultravioletadao.xyz"});
    let by_name = answer(&stage.aws, "hosted_zone", query("ultravioletadao.xyz")).await.unwrap();
    let id = by_name["id"].as_str().unwrap().to_owned();
    assert_eq!(answer(&stage.aws, "hosted_zone", query(&id)).await.unwrap(), by_name);
    let sim = stage.sim.as_ref().unwrap();
    sim.forget_calls();
    let pinned =
        Probe { pinned: Some(by_name.clone()), ..probe("hosted_zone", query("ultravioletadao.xyz")) };
    assert_eq!(stage.aws.look_up(&[pinned]).await, [Ok(by_name)]);
    assert_eq!(sim.calls(), []);
}

#[tokio::test]
async fn zones_that_do_not_fit_are_told_with_those_that_are_there() {
    let stage = Stage::simulated(false).await;
    let query = |zone: &str| json!({"zone": zone, "record": "db.ultravioletadao.xyz"});
    let (code, reason) = refused(&stage, "hosted_zone", query("ultravioleta.xyz")).await;
    assert_eq!(code, "E0560");
    assert!(reason.contains("the zones `ultravioletadao.xyz`"), "{reason}");
    stage.sim.as_ref().unwrap().edit(|world| {
        let private = Zone::new("Z0PRIVATE", "ultravioletadao.xyz.", true);
        let other = Zone::new("Z0OTHER00", "example.com.", false);
        world.route53.zones.extend([(private.id.clone(), private), (other.id.clone(), other)]);
    });
    let (code, reason) = refused(&stage, "hosted_zone", query("ultravioletadao.xyz")).await;
    assert_eq!(code, "E0561");
    assert!(reason.contains("`Z0LIGHTHOUSE000000001` (public), `Z0PRIVATE` (private)"), "{reason}");
    assert_eq!(refused(&stage, "hosted_zone", query("Z0OTHER00")).await.0, "E0562");
    assert_eq!(refused(&stage, "hosted_zone", query("Z0NOWHERE")).await.0, "E0560");
    assert!(answer(&stage.aws, "hosted_zone", query("Z0PRIVATE")).await.is_ok());
}

#[tokio::test]
async fn all_groups_of_a_stack_are_found_by_one_call() {
    let stage = Stage::simulated(false).await;
    let query = |group: &str| json!({"group": group, "vpc": "lighthouse-prod-vpc"});
    let (first, second) = ("lighthouse-prod-backend-sg", "default");
    let probes = [
        probe("network", json!({"vpc": "lighthouse-prod-vpc", "instance_type": "t4g.small"})),
        probe("security_group/a", query(first)),
        probe("security_group/b", query(second)),
    ];
    let sim = stage.sim.as_ref().unwrap();
    let of_groups = || {
        let calls = sim.calls();
        let named = |name: &str| calls.iter().filter(|call| call.operation == name).count();
        (named("DescribeVpcs"), named("DescribeSecurityGroups"))
    };
    let answers: Vec<Map> = stage.aws.look_up(&probes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(of_groups(), (1, 1));
    assert_eq!(answers[0]["vpc_id"], answers[1]["vpc_id"]);
    assert_ne!(answers[1]["id"], answers[2]["id"]);
    let id = answers[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(answer(&stage.aws, "security_group/c", query(&id)).await.unwrap(), answers[1]);
    sim.forget_calls();
    let pinned: Vec<Probe> = probes
        .into_iter()
        .zip(&answers)
        .map(|(probe, answer)| Probe { pinned: Some(answer.clone()), ..probe })
        .collect();
    let again: Vec<Map> = stage.aws.look_up(&pinned).await.into_iter().map(Result::unwrap).collect();
    assert_eq!((again, of_groups(), sim.rounds()), (answers, (0, 1), 1));
    // A group that has gone is looked for by its name again.
    sim.edit(|world| {
        let groups = &mut world.region_mut("us-east-1").groups;
        let mut group = groups.remove(&id).unwrap();
        group.id = "sg-anew".to_owned();
        groups.insert(group.id.clone(), group);
    });
    let anew = stage.aws.look_up(&pinned).await;
    assert_eq!(anew[1].as_ref().unwrap()["id"], "sg-anew");
}

#[tokio::test]
async fn groups_that_are_missing_or_ambiguous_are_told() {
    let stage = Stage::simulated(false).await;
    let query = |group: &str| json!({"group": group, "vpc": "lighthouse-prod-vpc"});
    let (code, reason) = refused(&stage, "security_group/a", query("lighthouse-prod-backend")).await;
    assert_eq!(code, "E0563");
    assert!(reason.contains("`lighthouse-prod-backend-sg`"), "{reason}");
    stage.sim.as_ref().unwrap().edit(|world| {
        for group in world.region_mut("us-east-1").groups.values_mut() {
            group.tags.insert("Name".into(), "twins".into());
        }
    });
    let (code, reason) = refused(&stage, "security_group/a", query("twins")).await;
    assert_eq!(code, "E0564");
    assert_eq!(reason.matches("`sg-").count(), 2, "{reason}");
    assert_eq!(refused(&stage, "security_group/a", json!({"group": "x", "vpc": "no"})).await.0, "E0563");
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_told_before_anything_is_made() {
    let stage = Stage::simulated(false).await;
    let query = |key: &str| json!({"key": key, "region": "us-east-1"});
    let found = answer(&stage.aws, "kms_key/k", query("alias/lighthouse")).await.unwrap();
    let (id, arn) = (found["id"].as_str().unwrap(), found["arn"].as_str().unwrap());
    assert!(arn.ends_with(id));
    for name in [id, arn] {
        assert_eq!(answer(&stage.aws, "kms_key/k", query(name)).await.unwrap(), found);
    }
    assert_eq!(refused(&stage, "kms_key/k", query("alias/none")).await.0, "E0565");
    let (code, reason) = refused(&stage, "kms_key/k", query(&arn.replace("us-east-1", "eu-west-1"))).await;
    assert_eq!(code, "E0566");
    assert!(reason.contains("eu-west-1"), "{reason}");
    let sim = stage.sim.clone().unwrap();
    for (field, told) in [("state", "Disabled"), ("usage", "symmetric")] {
        sim.edit(|world| {
            let key = world.region_mut("us-east-1").kms.keys.get_mut(id).unwrap();
            match field {
                "state" => key.state = "Disabled".into(),
                _ => (key.state, key.usage) = ("Enabled".into(), "SIGN_VERIFY".into()),
            }
        });
        let (code, reason) = refused(&stage, "kms_key/k", query(arn)).await;
        assert_eq!(code, "E0566");
        assert!(reason.contains(told), "{reason}");
    }
}

#[tokio::test]
async fn a_secret_that_has_to_exist_is_found_or_told() {
    let stage = Stage::simulated(false).await;
    let query = json!({"name": "lighthouse/db"});
    assert_eq!(refused(&stage, "secret", query.clone()).await.0, "E0567");
    let secrets = &stage.aws.clients().secrets;
    secrets.create_secret().name("lighthouse/db").secret_string("theirs").send().await.unwrap();
    let found = answer(&stage.aws, "secret", query.clone()).await.unwrap();
    assert!(found["arn"].as_str().unwrap().contains(":secret:lighthouse/db-"), "{found:?}");
    assert_eq!(answer(&stage.aws, "secret", json!({"name": found["arn"]})).await.unwrap(), found);
    secrets.delete_secret().secret_id("lighthouse/db").send().await.unwrap();
    let (code, reason) = refused(&stage, "secret", query).await;
    assert_eq!(code, "E0568");
    assert!(reason.contains("somebody deleted it on 2025-01-01"), "{reason}");
}
