//! Backups: vault, plan, selection, role and bucket, from nothing to nothing; what is changed
//! behind the tool's back is seen and mended; what existed before is used and left alone.

use std::{collections::BTreeSet, io::Write};

use lh_kind::{Change, ErrorKind, Found, Mutate, Observe, Owner, Seen};
use lh_model::{Address, Identity, StackId};
use lh_sim::world::{BackupRule, LifecycleRule, PublicAccess, World};
use lh_testkit::Moto;
use serde_json::{Value, json};

use crate::stage::{Made, Stage, op};

const BUCKET: &str = "contract-test-dumps";
const VAULT: &str = "contract-test-vault";

fn to(reference: &str) -> Value {
    json!({ "$ref": reference })
}

fn tags() -> Value {
    json!({ "Name": "contract-test", "Owner": "ops" })
}

fn vault() -> (&'static str, Value) {
    ("backup_vault", json!({ "name": VAULT, "tags": tags() }))
}

fn bucket() -> (&'static str, Value) {
    let props = json!({
        "name": BUCKET, "account": to("lookup.caller#account"), "versioning": true, "encryption": "AES256",
        "private": true, "tls_only": true, "prefix": "contract-test/", "expire_days": 35,
        "noncurrent_days": 30, "abort_uploads_days": 7, "tags": tags(),
    });
    ("bucket", props)
}

/// Everything of the section `backup`, in the order it is made.
fn resources() -> Vec<(&'static str, Value)> {
    let policy = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup";
    vec![
        (
            "iam_role",
            json!({
                "name": "contract-test-backup", "service": "backup.amazonaws.com",
                "description": "Contract test", "tags": tags(),
            }),
        ),
        ("iam_policy_attachment", json!({ "role": "contract-test-backup", "policy_arn": policy })),
        bucket(),
        vault(),
        (
            "backup_plan",
            json!({
                "name": "contract-test", "vault": to("backup_vault.main#id"), "schedule": "cron(0 5 * * ? *)",
                "retain_days": 35, "cold_after_days": null, "other_rules": [], "tags": tags(),
            }),
        ),
        (
            "backup_selection",
            json!({
                "name": "contract-test", "plan_id": to("backup_plan.main#id"),
                "role_arn": to("iam_role.main#arn"),
                "resources": ["arn:aws:ec2:us-east-1:123456789012:volume/vol-1"],
                "tagged": { "Name": "contract-test-data" },
            }),
        ),
    ]
}

async fn made() -> Stage {
    let mut stage = Stage::simulated(false).await;
    stage.look_up().await;
    for (kind, props) in resources() {
        stage.make(kind, props).await;
    }
    stage
}

#[tokio::test]
async fn the_whole_life_of_backups() {
    let mut stage = made().await;
    stage.found_beside_absent().await;
    let tags = json!({ "tags": { "Name": "contract-test", "Team": "data" } });
    for (kind, change) in [
        ("backup_vault", tags.clone()),
        ("backup_plan", tags.clone()),
        ("backup_plan", json!({ "schedule": "cron(30 3 * * ? *)", "retain_days": 120 })),
        ("backup_plan", json!({ "cold_after_days": 30 })),
        ("bucket", tags),
        ("bucket", json!({ "expire_days": 60, "prefix": "elsewhere/" })),
        ("bucket", json!({ "tls_only": false, "private": false, "versioning": false })),
        ("bucket", json!({ "tls_only": true, "private": true, "versioning": true })),
    ] {
        stage.change(kind, change).await;
    }
    stage.remove_all().await;
}

fn place(stage: &Stage, kind: &str) -> usize {
    stage.made.iter().position(|made| made.target.address.kind() == kind).unwrap()
}

/// What differs from what was wanted.
fn difference(stage: &Stage, made: &Made, found: &Found) -> Change {
    let rules = stage.aws.book().rules(made.target.address.kind()).unwrap();
    rules.diff(&made.target.props, &found.facts, Some(&made.target.props))
}

/// Changes the world, sees exactly `field` differ, and makes it as it was.
async fn mended(stage: &Stage, kind: &str, field: &str, behind: impl FnOnce(&mut World)) {
    let made = &stage.made[place(stage, kind)];
    stage.sim.as_ref().unwrap().edit(behind);
    let found = stage.see(&made.target).await.unwrap();
    let Change::InPlace(diffs, _) = difference(stage, made, &found) else {
        panic!("{kind}.{field}: {found:?}")
    };
    let fields: Vec<&str> = diffs.iter().map(|diff| diff.field.as_str()).collect();
    assert_eq!(fields, [field], "{kind}");
    let target = &made.target;
    stage.aws.update(kind, &op(target), &found.id, &target.props, &diffs).await.unwrap();
    let after = stage.see(target).await.unwrap();
    assert!(matches!(difference(stage, made, &after), Change::Same(told) if told.is_empty()), "{after:?}");
    assert_eq!(after.owner, Owner::Stack(target.identity.clone()));
}

fn plan_of(world: &mut World) -> &mut Vec<BackupRule> {
    let plan = world.region_mut("us-east-1").backup.plans.values_mut().next().unwrap();
    &mut plan.versions.last_mut().unwrap().rules
}

#[tokio::test]
async fn every_field_of_a_plan_and_a_vault_that_was_changed_elsewhere_is_seen_and_mended() {
    let stage = made().await;
    type Behind = fn(&mut World);
    let cases: [(&str, &str, Behind); 9] = [
        ("backup_plan", "schedule", |w| plan_of(w)[0].schedule = Some("cron(0 6 * * ? *)".to_owned())),
        ("backup_plan", "retain_days", |w| plan_of(w)[0].delete_after_days = Some(1)),
        ("backup_plan", "cold_after_days", |w| plan_of(w)[0].cold_after_days = Some(1)),
        ("backup_plan", "vault", |w| plan_of(w)[0].vault = "other".to_owned()),
        ("backup_plan", "other_rules", |w| {
            let extra = BackupRule { name: "extra".to_owned(), ..plan_of(w)[0].clone() };
            plan_of(w).push(extra);
        }),
        ("backup_plan", "name", |w| {
            let plan = w.region_mut("us-east-1").backup.plans.values_mut().next().unwrap();
            plan.versions.last_mut().unwrap().name = "renamed".to_owned();
        }),
        ("backup_plan", "tags.Owner", |w| {
            let plan = w.region_mut("us-east-1").backup.plans.values_mut().next().unwrap();
            plan.tags.insert("Owner".to_owned(), "nobody".to_owned());
        }),
        ("backup_vault", "tags.Owner", |w| {
            w.region_mut("us-east-1").backup.vaults.get_mut(VAULT).unwrap().tags.remove("Owner");
        }),
        ("iam_role", "service", |w| {
            let role = w.iam.roles.get_mut("contract-test-backup").unwrap();
            role.trust = role.trust.replace("backup.amazonaws.com", "ec2.amazonaws.com");
        }),
    ];
    for (kind, field, behind) in cases {
        mended(&stage, kind, field, behind).await;
    }
}

#[tokio::test]
async fn every_setting_of_a_bucket_that_was_changed_elsewhere_is_seen_and_mended() {
    let stage = made().await;
    let theirs =
        LifecycleRule { id: "theirs".into(), expire_days: Some(1), enabled: true, ..Default::default() };
    let other = theirs.clone();
    let statement = r#"{"Sid":"Mine","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"x":"y"}}}"#;
    mended(&stage, "bucket", "versioning", |w| bucket_of(w).versioning = Some("Suspended".into())).await;
    mended(&stage, "bucket", "encryption", |w| bucket_of(w).encryption.algorithm = "aws:kms".into()).await;
    mended(&stage, "bucket", "private", |w| bucket_of(w).public_access = None).await;
    let half = |access: &mut PublicAccess| access.block_policy = false;
    mended(&stage, "bucket", "private", |w| half(bucket_of(w).public_access.as_mut().unwrap())).await;
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
    mended(&stage, "bucket", "tls_only", |w| bucket_of(w).policy = Some(policy)).await;
    mended(&stage, "bucket", "expire_days", |w| bucket_of(w).lifecycle[0].expire_days = Some(1)).await;
    mended(&stage, "bucket", "noncurrent_days", |w| bucket_of(w).lifecycle[0].noncurrent_days = None).await;
    mended(&stage, "bucket", "abort_uploads_days", |w| bucket_of(w).lifecycle[0].abort_uploads_days = None)
        .await;
    mended(&stage, "bucket", "prefix", |w| {
        bucket_of(w).lifecycle[0].prefix = "x/".into();
        bucket_of(w).lifecycle.push(theirs);
    })
    .await;
    mended(&stage, "bucket", "tags.Owner", |w| {
        bucket_of(w).tags.insert("Owner".into(), "nobody".into());
        bucket_of(w).tags.insert("Theirs".into(), "stays".into());
    })
    .await;
    let world = stage.sim.as_ref().unwrap().snapshot();
    let bucket = &world.s3.buckets[BUCKET];
    assert!(bucket.policy.as_ref().is_some_and(|text| text.contains("\"Mine\"")), "{:?}", bucket.policy);
    assert!(bucket.lifecycle.contains(&other), "{:?}", bucket.lifecycle);
    assert_eq!(bucket.tags.get("Theirs").map(String::as_str), Some("stays"));
}

fn bucket_of(world: &mut World) -> &mut lh_sim::world::Bucket {
    world.s3.buckets.get_mut(BUCKET).unwrap()
}

#[tokio::test]
async fn a_selection_that_was_changed_elsewhere_is_changed_back_new_before_old() {
    let stage = made().await;
    let made = &stage.made[place(&stage, "backup_selection")];
    type Edit = fn(&mut lh_sim::world::Selection);
    let selection = |world: &mut World, edit: Edit| {
        let plan = world.region_mut("us-east-1").backup.plans.values_mut().next().unwrap();
        edit(plan.selections.values_mut().next().unwrap());
    };
    let edits: [(&str, Edit); 4] = [
        ("name", |s| s.name = "renamed".into()),
        ("role_arn", |s| s.role = "arn:aws:iam::123456789012:role/other".into()),
        ("resources", |s| s.resources.clear()),
        ("tagged", |s| s.tags.clear()),
    ];
    let mut seen = BTreeSet::new();
    for (field, edit) in edits {
        stage.sim.as_ref().unwrap().edit(|world| selection(world, edit));
        let found = stage.see(&made.target).await.unwrap();
        let Change::InPlace(diffs, _) = difference(&stage, made, &found) else {
            panic!("{field}: {found:?}")
        };
        seen.insert(field);
        assert_eq!(diffs.iter().map(|diff| diff.field.as_str()).collect::<BTreeSet<_>>(), seen);
    }
    let sim = stage.sim.as_ref().unwrap();
    let (op, old) = (op(&made.target), made.target.id.clone().unwrap());
    sim.forget_calls();
    // Repeated, as after a lost answer, it makes no third one.
    for _ in 0..2 {
        stage.aws.update("backup_selection", &op, &old, &made.target.props, &[]).await.unwrap();
    }
    let calls: Vec<_> = sim.calls().into_iter().map(|call| call.operation).collect();
    let both = ["CreateBackupSelection", "DeleteBackupSelection"];
    assert_eq!(calls, [both, both].concat());
    let found = stage.see(&made.target).await.unwrap();
    assert_ne!(found.id, old);
    assert!(matches!(difference(&stage, made, &found), Change::Same(_)), "{found:?}");
    let world = sim.snapshot();
    let plans = &world.region("us-east-1").unwrap().backup.plans;
    assert_eq!(plans.values().map(|plan| plan.selections.len()).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_vault_and_a_bucket_that_existed_are_used_and_each_read_with_one_call() {
    let mut stage = Stage::simulated(false).await;
    stage.look_up().await;
    let clients = stage.aws.clients();
    clients.backup.create_backup_vault().backup_vault_name(VAULT).send().await.unwrap();
    clients.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    for ((kind, props), call) in [(vault(), "backup:ListBackupVaults"), (bucket(), "s3:ListBucket")] {
        let mut target = stage.target(kind, props);
        let found = stage.see(&target).await.unwrap();
        assert_eq!(found.owner, Owner::Other);
        let refused = stage.aws.create(kind, &op(&target), &target.props).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Exists, "{refused}");
        target.id = Some(found.id);
        target.used = true;
        let sim = stage.sim.as_ref().unwrap();
        sim.forget_calls();
        assert_eq!(stage.see(&target).await.unwrap().owner, Owner::Other);
        let calls: Vec<String> = sim.calls().iter().map(lh_sim::Call::action).collect();
        assert_eq!(calls, [call]);
    }
}

#[tokio::test]
async fn the_bucket_of_another_account_is_never_written_to() {
    let mut stage = Stage::simulated(false).await;
    stage.look_up().await;
    let theirs = lh_sim::world::Bucket {
        owner: "999999999999".into(),
        region: "us-east-1".into(),
        ..Default::default()
    };
    stage.sim.as_ref().unwrap().edit(|world| world.s3.buckets.insert(BUCKET.into(), theirs));
    let (kind, props) = bucket();
    let target = stage.target(kind, props);
    let seen = stage.aws.observe(kind, std::slice::from_ref(&target)).await.remove(0);
    let Seen::Unreadable(error) = seen else { panic!("{seen:?}") };
    assert!(error.message.contains("belongs to another AWS account"), "{error}");
    assert!(stage.aws.create(kind, &op(&target), &target.props).await.is_err());
    assert!(stage.sim.as_ref().unwrap().snapshot().s3.buckets[BUCKET].tags.is_empty());
}

#[tokio::test]
async fn a_vault_with_recovery_points_and_a_bucket_with_dumps_are_not_deleted() {
    let stage = made().await;
    let sim = stage.sim.clone().unwrap();
    let volume = "arn:aws:ec2:us-east-1:123456789012:volume/vol-1";
    assert!(sim.edit(|world| world.add_recovery_point("us-east-1", VAULT, volume)).is_some());
    let clients = stage.aws.clients();
    let dump = clients.s3.put_object().bucket(BUCKET).key("contract-test/a.sql.gz");
    dump.body(aws_sdk_s3::primitives::ByteStream::from_static(b"dump")).send().await.unwrap();
    for (kind, code, contents) in [
        ("backup_vault", "InvalidRequestException", Some("1 recovery point")),
        ("bucket", "BucketNotEmpty", None),
    ] {
        let target = &stage.made[place(&stage, kind)].target;
        let found = stage.see(target).await.unwrap();
        let rules = stage.aws.book().rules(kind).unwrap();
        assert_eq!(rules.contents(&found.facts).as_deref(), contents);
        let refused = stage.aws.delete(kind, &op(target), &found.id, &found.facts).await.unwrap_err();
        assert_eq!(refused.code, code);
    }
    let world = sim.snapshot();
    assert!(world.region("us-east-1").unwrap().backup.vaults[VAULT].points.len() == 1);
    assert_eq!(world.s3.buckets[BUCKET].keys(), ["contract-test/a.sql.gz"]);
}

#[tokio::test]
async fn a_plan_of_a_lost_state_is_found_by_its_name_and_tags() {
    let stage = made().await;
    for kind in ["backup_plan", "backup_selection"] {
        let mut target = stage.made[place(&stage, kind)].target.clone();
        let id = target.id.take();
        target.identity = Identity::derive("another lineage", &target.address, 0);
        assert_eq!(stage.see(&target).await.map(|found| found.id), id, "{kind}");
        target.stack = StackId("another-stack".to_owned());
        target.address = Address::new(kind, "other");
        if kind == "backup_plan" {
            assert_eq!(stage.see(&target).await, None, "{kind}");
        }
    }
}

/// What moto has of it: the list of its gaps says why not more.
#[tokio::test]
async fn an_emulator_keeps_vault_plan_and_bucket_over_http() {
    let Some(program) = std::env::var_os("LHCTL_TEST_MOTO") else {
        let text = "SKIPPED an_emulator_keeps_vault_plan_and_bucket_over_http: needs LHCTL_TEST_MOTO=path/to/moto_server";
        let _ = writeln!(std::io::stderr(), "{text}");
        return;
    };
    let moto = Moto::start(&program);
    let mut stage = Stage::over_http(&moto.url()).await;
    stage.look_up().await;
    for (kind, mut props) in resources() {
        if kind == "backup_plan" {
            props["tags"] = json!({});
        }
        if kind != "backup_selection" {
            stage.make(kind, props).await;
        }
    }
    stage.change("backup_vault", json!({ "tags": { "Name": "contract-test", "Team": "data" } })).await;
    stage.change("bucket", json!({ "expire_days": 60, "tags": { "Owner": "data" } })).await;
    stage.remove_all().await;
}
