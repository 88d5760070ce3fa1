//! AWS Backup and the settings of buckets: names and request ids, versions, what keeps what from
//! being deleted.

use super::{REGION, code, iam};
use aws_sdk_backup::types::{
    BackupPlanInput, BackupRuleInput, BackupSelection, Condition, ConditionType, Lifecycle,
};
use aws_sdk_s3::types::{CreateBucketConfiguration, Tag};
use lh_sim::{Faults, Sim};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup";
const VOLUME: &str = "arn:aws:ec2:us-east-1:123456789012:volume/vol-1";

fn backup(sim: &Sim) -> aws_sdk_backup::Client {
    let config = aws_sdk_backup::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    aws_sdk_backup::Client::from_conf(config.build())
}

pub fn s3(sim: &Sim) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    aws_sdk_s3::Client::from_conf(config.build())
}

fn plan(schedule: &str, keep: i64, cold: Option<i64>) -> BackupPlanInput {
    let life = Lifecycle::builder().delete_after_days(keep).set_move_to_cold_storage_after_days(cold);
    let rule = BackupRuleInput::builder()
        .rule_name("daily")
        .target_backup_vault_name("vault")
        .schedule_expression(schedule)
        .lifecycle(life.build())
        .build()
        .unwrap();
    BackupPlanInput::builder().backup_plan_name("plan").rules(rule).build().unwrap()
}

async fn with_plan(client: &aws_sdk_backup::Client) -> String {
    client.create_backup_vault().backup_vault_name("vault").send().await.unwrap();
    let request = client.create_backup_plan().backup_plan(plan("cron(0 5 * * ? *)", 35, None));
    request.creator_request_id("one").send().await.unwrap().backup_plan_id.unwrap()
}

#[tokio::test]
async fn the_same_request_again_makes_no_second_one() {
    let sim = Sim::in_memory();
    let client = backup(&sim);
    let vault =
        |id: &str| client.create_backup_vault().backup_vault_name("vault").creator_request_id(id).send();
    let first = vault("one").await.unwrap().backup_vault_arn;
    assert_eq!(vault("one").await.unwrap().backup_vault_arn, first);
    assert_eq!(code(vault("two").await), "AlreadyExistsException");
    let make = |id: &str, keep: i64| {
        let request = client.create_backup_plan().backup_plan(plan("cron(0 5 * * ? *)", keep, None));
        request.creator_request_id(id).send()
    };
    let first = make("one", 35).await.unwrap().backup_plan_id;
    assert_eq!(make("one", 60).await.unwrap().backup_plan_id, first);
    assert_eq!(code(make("two", 35).await), "AlreadyExistsException");
    assert_ne!(make("two", 60).await.unwrap().backup_plan_id, first);
    let odd = client.create_backup_vault().backup_vault_name("my vault").send().await;
    assert_eq!(code(odd), "InvalidParameterValueException");
}

#[tokio::test]
async fn a_plan_has_versions_and_takes_only_what_aws_takes() {
    let sim = Sim::in_memory();
    let client = backup(&sim);
    let id = with_plan(&client).await;
    let update =
        |body: BackupPlanInput| client.update_backup_plan().backup_plan_id(&id).backup_plan(body).send();
    let get = || client.get_backup_plan().backup_plan_id(&id).send();
    let before = get().await.unwrap().version_id;
    let after = update(plan("cron(0 6 * * ? *)", 120, Some(30))).await.unwrap().version_id;
    assert_ne!(before, after);
    assert_eq!(get().await.unwrap().version_id, after);
    for wrong in [plan("rate(1 day)", 35, None), plan("cron(0 6 * * ? *)", 60, Some(30))] {
        assert_eq!(code(update(wrong).await), "InvalidParameterValueException");
    }
    client.delete_backup_plan().backup_plan_id(&id).send().await.unwrap();
    // A deleted plan is still shown, with its end, and no longer listed.
    assert!(get().await.unwrap().deletion_date.is_some());
    assert!(client.list_backup_plans().send().await.unwrap().backup_plans_list().is_empty());
}

#[tokio::test]
async fn a_selection_needs_a_role_that_can_work_and_keeps_its_plan() {
    let sim = Sim::in_memory();
    let (client, iam) = (backup(&sim), iam(&sim));
    let id = with_plan(&client).await;
    let tag = Condition::builder().condition_type(ConditionType::Stringequals);
    let body = BackupSelection::builder()
        .selection_name("data")
        .iam_role_arn("arn:aws:iam::123456789012:role/backup")
        .resources(VOLUME)
        .list_of_tags(tag.condition_key("Name").condition_value("data").build().unwrap())
        .build()
        .unwrap();
    let make = || client.create_backup_selection().backup_plan_id(&id).backup_selection(body.clone()).send();
    let told = make().await.unwrap_err().into_service_error().to_string();
    assert!(told.contains("cannot be assumed by AWS Backup"), "{told}");
    iam.create_role().role_name("backup").assume_role_policy_document(TRUST).send().await.unwrap();
    let told = make().await.unwrap_err().into_service_error().to_string();
    assert!(told.contains("is not authorized to call tag:GetResources"), "{told}");
    iam.attach_role_policy().role_name("backup").policy_arn(POLICY).send().await.unwrap();
    let made = make().await.unwrap().selection_id.unwrap();
    assert_eq!(code(client.delete_backup_plan().backup_plan_id(&id).send().await), "InvalidRequestException");
    let request = client.get_backup_selection().backup_plan_id(&id).selection_id(&made);
    assert_eq!(request.send().await.unwrap().backup_selection.unwrap().resources(), [VOLUME]);
    client.delete_backup_selection().backup_plan_id(&id).selection_id(&made).send().await.unwrap();
    client.delete_backup_plan().backup_plan_id(&id).send().await.unwrap();
}

#[tokio::test]
async fn recovery_points_keep_their_vault_and_are_listed_by_resource() {
    let sim = Sim::in_memory();
    let client = backup(&sim);
    client.create_backup_vault().backup_vault_name("vault").send().await.unwrap();
    for resource in [VOLUME, "arn:aws:ec2:us-east-1:123456789012:volume/vol-2"] {
        assert!(sim.edit(|world| world.add_recovery_point(REGION, "vault", resource)).is_some());
    }
    assert_eq!(sim.edit(|world| world.add_recovery_point(REGION, "nowhere", VOLUME)), None);
    let list = client.list_recovery_points_by_backup_vault().backup_vault_name("vault");
    let points = list.by_resource_arn(VOLUME).send().await.unwrap();
    assert_eq!(points.recovery_points().len(), 1);
    let delete = client.delete_backup_vault().backup_vault_name("vault").send().await;
    assert_eq!(code(delete), "InvalidRequestException");
    let vaults = client.list_backup_vaults().send().await.unwrap();
    assert_eq!(vaults.backup_vault_list()[0].number_of_recovery_points(), 2);
    let missing = client.describe_backup_vault().backup_vault_name("nowhere").send().await;
    assert_eq!(code(missing), "AccessDeniedException");
}

#[tokio::test]
async fn lists_of_vaults_come_in_pages_and_new_ones_late() {
    let sim = Sim::in_memory();
    let client = backup(&sim);
    for n in 0..5 {
        client.create_backup_vault().backup_vault_name(format!("vault-{n}")).send().await.unwrap();
    }
    sim.set_faults(Faults { page: Some(2), ..Faults::default() });
    let all = client.list_backup_vaults().into_paginator().items().send();
    assert_eq!(all.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 5);
    sim.set_faults(Faults { lag: 1, ..Faults::default() });
    client.create_backup_vault().backup_vault_name("young").send().await.unwrap();
    let count = async || client.list_backup_vaults().send().await.unwrap().backup_vault_list().len();
    assert_eq!((count().await, count().await), (5, 6));
}

#[tokio::test]
async fn a_bucket_gets_its_tags_with_its_creation_and_goes_only_when_empty() {
    let sim = Sim::in_memory();
    let client = s3(&sim);
    let tag = Tag::builder().key("Owner").value("ops").build().unwrap();
    let settings = CreateBucketConfiguration::builder().tags(tag).build();
    client.create_bucket().bucket("dumps").create_bucket_configuration(settings).send().await.unwrap();
    let tags = client.get_bucket_tagging().bucket("dumps").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].value(), "ops");
    client.delete_bucket_tagging().bucket("dumps").send().await.unwrap();
    assert_eq!(code(client.get_bucket_tagging().bucket("dumps").send().await), "NoSuchTagSet");
    let rules = client.get_bucket_lifecycle_configuration().bucket("dumps").send().await;
    assert_eq!(code(rules), "NoSuchLifecycleConfiguration");
    client.put_object().bucket("dumps").key("a").send().await.unwrap();
    assert_eq!(code(client.delete_bucket().bucket("dumps").send().await), "BucketNotEmpty");
    client.delete_object().bucket("dumps").key("a").send().await.unwrap();
    client.delete_bucket().bucket("dumps").send().await.unwrap();
    assert_eq!(code(client.get_bucket_policy().bucket("dumps").send().await), "NoSuchBucket");
}
