//! The kinds of what a stack names: secret, DNS record, key pair, and a security group as a source.

use std::{io::Write, time::Duration};

use lh_kind::{Change, ErrorKind, Mutate, Observe, Owner, Readiness, Seen};
use lh_model::{Identity, Map, SecretRef};
use lh_sim::world::{RecordSet, World};
use lh_testkit::Moto;
use serde_json::{Value, json};

use crate::{
    map,
    stage::{Made, Stage, op},
};

const REGION: &str = "us-east-1";
const ZONE: &str = "Z0LIGHTHOUSE000000001";
const RECORD: &str = "db.ultravioletadao.xyz";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDMXmqY0g0H8lVgnUZ9Jm3Q2y8V0p0yG8d5l1V0cD2q";

fn secret() -> Value {
    json!({
        "name": "contract/test/password", "generate": true, "description": "Contract test",
        "kms_key": null, "tags": {"Name": "contract-test", "Owner": "ops"},
    })
}

fn record(zone: &str) -> Value {
    json!({ "zone_id": zone, "name": RECORD, "value": "203.0.113.7", "ttl": 60, "marked": true })
}

fn key_pair() -> Value {
    json!({ "name": "contract-test", "public_key": KEY, "tags": {"Name": "contract-test", "Owner": "ops"} })
}

async fn whole_life(stage: &mut Stage, zone: &str) {
    stage.make("secret", secret()).await;
    stage.make("dns_record", record(zone)).await;
    stage.make("key_pair", key_pair()).await;
    stage.found_beside_absent().await;
    let tags = json!({"Name": "contract-test", "Team": "data"});
    stage.change("secret", json!({ "tags": tags })).await;
    stage.change("key_pair", json!({ "tags": tags })).await;
    stage.change("dns_record", json!({"value": "203.0.113.8", "ttl": 300})).await;
    stage.change("secret", json!({"description": "Another"})).await;
    stage.change("secret", json!({"kms_key": KMS_KEY})).await;
    stage.change("secret", json!({"kms_key": null})).await;
    if stage.sim.is_none() {
        // moto deletes key pairs by name only, and answers otherwise as if it had.
        assert_eq!(stage.made.pop().unwrap().target.address.kind(), "key_pair");
    }
    stage.remove_all().await;
}

const KMS_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555";

#[tokio::test]
async fn named_things_in_the_simulated_aws() {
    let mut stage = Stage::simulated(false).await;
    whole_life(&mut stage, ZONE).await;
    let world = stage.sim.as_ref().unwrap().snapshot();
    assert_eq!(world.route53.zones[ZONE].records.len(), 2, "only those of the zone itself are left");
}

#[tokio::test]
async fn named_things_over_http() {
    let Some(program) = std::env::var_os("LHCTL_TEST_MOTO") else {
        let text = "SKIPPED named_things_over_http: needs LHCTL_TEST_MOTO=path/to/moto_server";
        let _ = writeln!(std::io::stderr(), "{text}");
        return;
    };
    let moto = Moto::start(&program);
    let mut stage = Stage::over_http(&moto.url()).await;
    let route53 = &stage.aws.clients().route53;
    let made = route53.create_hosted_zone().name("ultravioletadao.xyz").caller_reference("1").send().await;
    let id = made.unwrap().hosted_zone.unwrap().id;
    let found = crate::named_lookups::answer(
        &stage.aws,
        "hosted_zone",
        json!({"zone": "ultravioletadao.xyz", "record": RECORD}),
    );
    let zone = found.await.unwrap()["id"].as_str().unwrap().to_owned();
    assert!(id.ends_with(&zone));
    whole_life(&mut stage, &zone).await;
}

/// Something changed behind the tool's back: the field that shows it, and that it is mended.
async fn mends(stage: &mut Stage, field: &str, edit: impl FnOnce(&mut World)) {
    let Made { target, .. } = stage.made.last().unwrap();
    stage.sim.as_ref().unwrap().edit(edit);
    let rules = stage.aws.book().rules(target.address.kind()).unwrap();
    let found = stage.see(target).await.unwrap();
    let diffs = match rules.diff(&target.props, &found.facts, Some(&target.props)) {
        Change::InPlace(diffs, _) => diffs,
        other => panic!("{field}: {other:?}"),
    };
    assert!(diffs.iter().any(|diff| diff.field == field), "{field}: {diffs:?}");
    let kind = target.address.kind();
    stage.aws.update(kind, &op(target), &found.id, &target.props, &diffs).await.unwrap();
    let after = stage.ready(target).await;
    let left = rules.diff(&target.props, &after.facts, Some(&target.props));
    assert!(matches!(&left, Change::Same(told) if told.is_empty()), "{field}: {left:?}");
}

#[tokio::test]
async fn every_field_that_somebody_changed_is_seen_and_mended() {
    let mut stage = Stage::simulated(false).await;
    fn secret_in(world: &mut World) -> &mut lh_sim::world::Secret {
        world.region_mut(REGION).secrets.secrets.get_mut("contract/test/password").unwrap()
    }
    fn record_in<'w>(world: &'w mut World, kind: &str) -> &'w mut RecordSet {
        let records = &mut world.route53.zones.get_mut(ZONE).unwrap().records;
        records.iter_mut().find(|one| one.name.contains(RECORD) && one.kind == kind).unwrap()
    }
    stage.make("secret", secret()).await;
    mends(&mut stage, "description", |w| secret_in(w).description = Some("theirs".into())).await;
    mends(&mut stage, "kms_key", |w| secret_in(w).kms_key = Some(KMS_KEY.into())).await;
    mends(&mut stage, "tags.Owner", |w| drop(secret_in(w).tags.remove("Owner"))).await;
    stage.make("key_pair", key_pair()).await;
    mends(&mut stage, "tags.Owner", |w| {
        w.region_mut(REGION).key_pairs.get_mut("contract-test").unwrap().tags.clear();
    })
    .await;
    stage.make("dns_record", record(ZONE)).await;
    mends(&mut stage, "ttl", |w| record_in(w, "A").ttl = Some(5)).await;
    mends(&mut stage, "value", |w| record_in(w, "A").values = vec!["192.0.2.1".into()]).await;
    mends(&mut stage, "value", |w| record_in(w, "A").values.push("192.0.2.1".into())).await;
    mends(&mut stage, "marked", |w| record_in(w, "TXT").values = vec!["\"theirs\"".into()]).await;
}

#[tokio::test]
async fn another_key_under_the_name_is_seen() {
    let mut stage = Stage::simulated(false).await;
    stage.make("key_pair", key_pair()).await;
    let target = stage.made[0].target.clone();
    stage.sim.as_ref().unwrap().edit(|world| {
        let pair = world.region_mut(REGION).key_pairs.get_mut("contract-test").unwrap();
        pair.public_key = Some(format!("{} me@there", KEY.replace("AAAAIJ", "AAAAIK")));
    });
    let found = stage.see(&target).await.unwrap();
    let rules = stage.aws.book().rules("key_pair").unwrap();
    assert!(matches!(rules.diff(&target.props, &found.facts, None), Change::Replace(_)));
}

#[tokio::test]
async fn a_record_is_pending_until_all_name_servers_have_it() {
    let mut stage = Stage::simulated(false).await;
    stage.make("dns_record", record(ZONE)).await;
    let target = stage.made[0].target.clone();
    let props = Map::from_iter([map(record(ZONE)), map(json!({"ttl": 30}))].into_iter().flatten());
    let id = target.id.clone().unwrap();
    stage.aws.update("dns_record", &op(&target), &id, &props, &[]).await.unwrap();
    let rules = stage.aws.book().rules("dns_record").unwrap();
    let at_once = stage.see(&target).await.unwrap();
    assert!(matches!(rules.ready(&at_once.facts), Readiness::Pending(_)));
    stage.pass(Duration::from_secs(60)).await;
    let later = stage.see(&target).await.unwrap();
    assert_eq!(rules.ready(&later.facts), Readiness::Ready);
}

#[tokio::test]
async fn a_record_of_somebody_else_is_neither_overwritten_nor_taken_for_ours() {
    let stage = Stage::simulated(false).await;
    for (kind, value) in [("A", "192.0.2.1"), ("CNAME", "www.example.com.")] {
        let sim = stage.sim.as_ref().unwrap();
        let theirs = RecordSet::new(&format!("{RECORD}."), kind, 60, &[value]);
        sim.edit(|world| world.route53.zones.get_mut(ZONE).unwrap().records.push(theirs.clone()));
        let target = stage.target("dns_record", record(ZONE));
        let found = stage.see(&target).await.unwrap();
        assert_eq!(found.owner, Owner::Other);
        let error = stage.aws.create("dns_record", &op(&target), &target.props).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Exists, "{error}");
        sim.edit(|world| {
            let records = &mut world.route53.zones.get_mut(ZONE).unwrap().records;
            assert!(records.contains(&theirs), "{records:?}");
            records.retain(|one| *one != theirs);
            assert_eq!(records.len(), 2, "nothing of the refused transaction happened");
        });
    }
}

#[tokio::test]
async fn a_secret_that_was_deleted_comes_back_with_its_value() {
    let mut stage = Stage::simulated(false).await;
    stage.make("secret", secret()).await;
    let Made { target, facts } = stage.made.pop().unwrap();
    let name = target.id.clone().unwrap();
    let reference = SecretRef::Secret(name.0.clone());
    let before = stage.aws.reveal(&reference).await.unwrap();
    stage.aws.delete("secret", &op(&target), &name, &facts).await.unwrap();
    assert!(stage.see(&target).await.is_none());
    assert!(stage.aws.reveal(&reference).await.is_err());
    stage.pass(Duration::from_secs(29 * 24 * 3600)).await;
    let mut next = target.clone();
    next.id = None;
    next.identity = "another generation".parse().unwrap();
    let id = stage.aws.create("secret", &op(&next), &next.props).await.unwrap();
    assert_eq!(id, name);
    let found = stage.see(&next).await.unwrap();
    assert_eq!(found.owner, Owner::Stack(next.identity.clone()));
    let after = stage.aws.reveal(&reference).await.unwrap();
    assert!(before.expose() == after.expose(), "the value is another one");
}

#[tokio::test]
async fn a_deleted_secret_of_somebody_else_is_left_alone() {
    let stage = Stage::simulated(false).await;
    let secrets = &stage.aws.clients().secrets;
    let name = "contract/test/password";
    secrets.create_secret().name(name).secret_string("theirs").send().await.unwrap();
    secrets.delete_secret().secret_id(name).send().await.unwrap();
    let target = stage.target("secret", secret());
    let found = stage.see(&target).await.unwrap();
    assert_eq!(found.owner, Owner::Other);
    let rules = stage.aws.book().rules("secret").unwrap();
    assert!(matches!(rules.ready(&found.facts), Readiness::Leaving(_)));
    let error = stage.aws.create("secret", &op(&target), &target.props).await.unwrap_err();
    assert!(error.message.contains("restore-secret --secret-id contract/test/password"), "{error}");
}

#[tokio::test]
async fn many_secrets_cost_few_calls() {
    let stage = Stage::simulated(false).await;
    let mut targets = Vec::new();
    for n in 0..25 {
        let mut target = stage.target("secret", secret());
        target.props.insert("name".into(), json!(format!("contract/test/{n}")));
        target.identity = Identity::derive("contract", &target.address, n);
        stage.aws.create("secret", &op(&target), &target.props).await.unwrap();
        targets.push(target);
    }
    let sim = stage.sim.as_ref().unwrap();
    sim.forget_calls();
    let seen = stage.aws.observe("secret", &targets).await;
    assert!(seen.iter().all(|seen| matches!(seen, Seen::Found(_))), "{seen:?}");
    assert!(sim.calls().len() <= 3, "{}", sim.calls().len());
}

#[tokio::test]
async fn the_password_of_a_json_secret_is_its_member() {
    let stage = Stage::simulated(false).await;
    let create = stage.aws.clients().secrets.create_secret().name("rds");
    create.secret_string(r#"{"username":"postgres","password":"p w"}"#).send().await.unwrap();
    let value = stage.aws.reveal(&SecretRef::Secret("rds".into())).await.unwrap();
    assert_eq!(value.expose(), "p w");
    let missing = stage.aws.reveal(&SecretRef::Secret("none".into())).await;
    assert_eq!(missing.err().map(|error| error.kind), Some(ErrorKind::NotFound));
}

#[tokio::test]
async fn a_security_group_can_be_the_source_of_a_rule() {
    let mut stage = Stage::simulated(false).await;
    let query = json!({"group": "lighthouse-prod-backend-sg", "vpc": "lighthouse-prod-vpc"});
    let group = crate::named_lookups::answer(&stage.aws, "security_group/backend", query).await.unwrap();
    let vpc = &group["vpc_id"];
    let props = json!({"name": "contract-test", "description": "Contract test", "vpc_id": vpc, "tags": {}});
    stage.make("security_group", props).await;
    let own = stage.made[0].target.id.clone().unwrap().0;
    let rule = json!({
        "group_id": own, "protocol": "tcp", "port": 5432, "source_group": group["id"],
        "description": "PostgreSQL", "tags": {"Name": "contract-test"},
    });
    stage.make("security_group_rule", rule).await;
    stage.change("security_group_rule", json!({"description": "Database"})).await;
    assert_eq!(stage.made[1].facts["source_group"], group["id"]);
    stage.remove_all().await;
}
