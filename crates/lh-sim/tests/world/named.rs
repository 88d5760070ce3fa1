//! Secrets, hosted zones and their records, KMS keys, key pairs: the rules that promises rest on.

use crate::{code, ec2, seconds};
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use lh_sim::Sim;

const ZONE: &str = "Z0LIGHTHOUSE000000001";

fn secrets(sim: &Sim) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::config::Builder::from(&sim.sdk_config());
    aws_sdk_secretsmanager::Client::from_conf(config.interceptor(sim.interceptor()).build())
}

fn route53(sim: &Sim) -> aws_sdk_route53::Client {
    let config = aws_sdk_route53::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    aws_sdk_route53::Client::from_conf(config.build())
}

fn record(kind: RrType, name: &str, ttl: i64, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(ttl).resource_records(value).build().unwrap()
}

async fn change(sim: &Sim, changes: &[(ChangeAction, ResourceRecordSet)]) -> Result<String, String> {
    let mut batch = ChangeBatch::builder();
    for (action, set) in changes {
        let one = Change::builder().action(action.clone()).resource_record_set(set.clone()).build();
        batch = batch.changes(one.unwrap());
    }
    let batch = batch.build().unwrap();
    let sent = route53(sim).change_resource_record_sets().hosted_zone_id(ZONE).change_batch(batch).send();
    match sent.await {
        Ok(answer) => Ok(answer.change_info.unwrap().id),
        Err(error) => Err(code::<(), _, _>(Err(error))),
    }
}

async fn names(sim: &Sim) -> Vec<String> {
    let answer = route53(sim).list_resource_record_sets().hosted_zone_id(ZONE).send().await.unwrap();
    answer.resource_record_sets.into_iter().map(|set| format!("{} {}", set.name, set.r#type)).collect()
}

#[tokio::test]
async fn the_same_token_and_value_make_one_secret_and_another_value_is_refused() {
    let sim = Sim::in_memory();
    let secrets = secrets(&sim);
    let create = |value: &str| {
        let token = "0123456789abcdef0123456789abcdef";
        secrets.create_secret().name("a/b").secret_string(value).client_request_token(token).send()
    };
    let first = create("one").await.unwrap();
    assert_eq!(create("one").await.unwrap().arn, first.arn);
    assert_eq!(code(create("two").await), "ResourceExistsException");
    let short = secrets.create_secret().name("c").secret_string("x").client_request_token("short");
    assert_eq!(code(short.send().await), "InvalidParameterException");
    let nowhere = secrets.create_secret().name("c").secret_string("x").kms_key_id("alias/none");
    assert_eq!(code(nowhere.send().await), "EncryptionFailure");
}

#[tokio::test]
async fn a_deleted_secret_keeps_its_name_until_the_window_ends() {
    let sim = Sim::in_memory();
    let secrets = secrets(&sim);
    let create = || secrets.create_secret().name("a").secret_string("one").send();
    create().await.unwrap();
    let delete = |days: i64| secrets.delete_secret().secret_id("a").recovery_window_in_days(days).send();
    assert_eq!(code(delete(6).await), "InvalidParameterException");
    delete(7).await.unwrap();
    assert_eq!(code(delete(7).await), "InvalidRequestException");
    assert_eq!(code(create().await), "InvalidRequestException");
    let value = || secrets.get_secret_value().secret_id("a").send();
    assert_eq!(code(value().await), "InvalidRequestException");
    let described = secrets.describe_secret().secret_id("a").send().await.unwrap();
    assert!(described.deleted_date().is_some());
    assert!(secrets.list_secrets().send().await.unwrap().secret_list().is_empty());
    secrets.restore_secret().secret_id("a").send().await.unwrap();
    assert_eq!(value().await.unwrap().secret_string(), Some("one"));
    delete(7).await.unwrap();
    sim.advance(seconds(7 * 24 * 3600));
    assert_eq!(code(value().await), "ResourceNotFoundException");
    create().await.unwrap();
}

#[tokio::test]
async fn a_filter_of_secrets_takes_prefixes() {
    let sim = Sim::in_memory();
    let secrets = secrets(&sim);
    for name in ["prod/db", "prod/db2", "dev/db"] {
        secrets.create_secret().name(name).secret_string("x").send().await.unwrap();
    }
    let by = |value: &str| Filter::builder().key(FilterNameStringType::Name).values(value).build();
    let count = |filter| {
        let request = secrets.list_secrets().filters(filter).send();
        async { request.await.unwrap().secret_list().len() }
    };
    assert_eq!((count(by("prod/db")).await, count(by("!prod")).await, count(by("x")).await), (2, 1, 0));
}

#[tokio::test]
async fn a_batch_of_changes_happens_whole_or_not_at_all() {
    let sim = Sim::in_memory();
    let (db, txt) = ("db.ultravioletadao.xyz", "_lhctl.db.ultravioletadao.xyz");
    let a = record(RrType::A, db, 60, "10.0.1.7");
    let mark = record(RrType::Txt, txt, 60, "\"x\"");
    let create = [(ChangeAction::Create, a.clone()), (ChangeAction::Upsert, mark.clone())];
    change(&sim, &create).await.unwrap();
    let all = names(&sim).await;
    assert_eq!(all[2..], ["db.ultravioletadao.xyz. A", "_lhctl.db.ultravioletadao.xyz. TXT"]);
    for refused in [
        vec![(ChangeAction::Delete, mark.clone()), (ChangeAction::Create, a.clone())],
        vec![
            (ChangeAction::Delete, mark.clone()),
            (ChangeAction::Delete, record(RrType::A, db, 60, "10.0.1.8")),
        ],
        vec![(ChangeAction::Upsert, record(RrType::Cname, db, 60, "x.example.com"))],
        vec![(ChangeAction::Upsert, record(RrType::A, "db.example.com", 60, "10.0.1.7"))],
        vec![(ChangeAction::Upsert, record(RrType::A, db, 60, "10.0.1"))],
        vec![(ChangeAction::Upsert, record(RrType::Txt, txt, 60, "no quotes"))],
    ] {
        assert_eq!(change(&sim, &refused).await, Err("InvalidChangeBatch".to_owned()), "{refused:?}");
        assert_eq!(names(&sim).await, all);
    }
    change(&sim, &[(ChangeAction::Delete, a), (ChangeAction::Delete, mark)]).await.unwrap();
    assert_eq!(names(&sim).await.len(), 2);
}

#[tokio::test]
async fn a_change_is_pending_before_it_is_in_sync() {
    let sim = Sim::in_memory();
    let a = record(RrType::A, "db.ultravioletadao.xyz", 60, "10.0.1.7");
    let id = change(&sim, &[(ChangeAction::Upsert, a)]).await.unwrap();
    let status = || async {
        let answer = route53(&sim).get_change().id(&id).send().await.unwrap();
        answer.change_info.unwrap().status
    };
    assert_eq!(status().await, ChangeStatus::Pending);
    sim.advance(seconds(60));
    assert_eq!(status().await, ChangeStatus::Insync);
    assert_eq!(code(route53(&sim).get_change().id("C0").send().await), "NoSuchChange");
}

#[tokio::test]
async fn zones_are_listed_from_a_name_on() {
    let sim = Sim::in_memory();
    let list = |name: &str| route53(&sim).list_hosted_zones_by_name().dns_name(name).send();
    assert_eq!(
        list("ultravioletadao.xyz").await.unwrap().hosted_zones()[0].id,
        format!("/hostedzone/{ZONE}")
    );
    assert!(list("zzz.xyz").await.unwrap().hosted_zones().is_empty());
    assert_eq!(code(route53(&sim).get_hosted_zone().id("Z1").send().await), "NoSuchHostedZone");
}

#[tokio::test]
async fn a_key_pair_is_deleted_by_its_id_and_deleting_it_again_is_no_error() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let pairs = ec2.describe_key_pairs().send().await.unwrap();
    let id = pairs.key_pairs()[0].key_pair_id().unwrap();
    for _ in 0..2 {
        ec2.delete_key_pair().key_pair_id(id).send().await.unwrap();
    }
    assert_eq!(ec2.describe_key_pairs().send().await.unwrap().key_pairs().len(), pairs.key_pairs().len() - 1);
}
