//! Backups from the stack file to AWS: made, kept to the plan, retained when they leave the file,
//! and left alone by a destroy when they hold something.

use lh::{Act, Cloud, Mode, Plan};
use lh_sim::world::World;

use crate::{apply, deployment, kept};

const VAULT: &str = "prod-vault";
const BUCKET: &str = "prod-dumps";
const BACKUP: &str = "backup={vault: prod-vault, bucket: prod-dumps, retain_days: 35}";

fn world(cloud: &Cloud) -> World {
    cloud.sim().unwrap().snapshot()
}

fn has_vault(cloud: &Cloud) -> bool {
    world(cloud).region("us-east-1").unwrap().backup.vaults.contains_key(VAULT)
}

fn has_bucket(cloud: &Cloud) -> bool {
    world(cloud).s3.buckets.contains_key(BUCKET)
}

/// A recovery point of the volume.
fn back_up(cloud: &Cloud) {
    let volume = "arn:aws:ec2:us-east-1:123456789012:volume/vol-1";
    cloud.sim().unwrap().edit(|world| world.add_recovery_point("us-east-1", VAULT, volume)).unwrap();
}

fn notes(plan: &Plan) -> Vec<&str> {
    plan.notes.iter().map(|note| note.text.as_str()).collect()
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.to_string()).collect()
}

#[tokio::test]
async fn backups_are_made_and_a_plan_after_that_is_empty_and_cheap() {
    let cloud = Cloud::simulated();
    let applied = apply(&cloud, &[BACKUP]).await;
    let unknown: Vec<_> =
        applied.plan.cost_after.unknown.iter().map(|(a, why)| (a.to_string(), why)).collect();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert!(unknown[0].0 == "bucket.prod-dumps" && unknown[0].1.contains("a GB-month"), "{unknown:?}");
    let outputs = deployment(&cloud, &[BACKUP]).outputs().await.unwrap();
    assert!(outputs.iter().any(|output| output.name == "backup_vault_name"));
    let sim = cloud.sim().unwrap();
    sim.forget_calls();
    let plan = deployment(&cloud, &[BACKUP]).plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    // Sixteen of the stack itself; role, plan, selection, vaults, tags, and five settings.
    let (requests, rounds) = (sim.calls().len(), sim.rounds());
    assert!(requests <= 28 && rounds <= 2, "{requests} requests in {rounds} rounds");
    let plans = &world(&cloud).regions["us-east-1"].backup.plans;
    let plan = plans.values().next().unwrap();
    assert_eq!(plan.current().rules[0].vault, VAULT);
    let volume = &applied.state.resources[&"volume.data".parse().unwrap()].id;
    let selected = &plan.selections.values().next().unwrap().resources;
    assert_eq!(selected[0], format!("arn:aws:ec2:us-east-1:123456789012:volume/{volume}"));
}

#[tokio::test]
async fn schedule_and_retention_change_in_place() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[BACKUP]).await;
    let changed =
        "backup={vault: prod-vault, bucket: prod-dumps, retain_days: 60, schedule: cron(0 6 * * ? *)}";
    let applied = apply(&cloud, &[changed]).await;
    let updated: Vec<_> = applied.plan.steps.iter().filter(|s| s.id.act == Act::Update).collect();
    let fields: Vec<(String, Vec<&str>)> = updated
        .iter()
        .map(|s| (s.id.address.to_string(), s.changes.iter().map(|c| c.field.as_str()).collect()))
        .collect();
    assert_eq!(
        fields,
        [
            ("backup_plan.data".to_owned(), vec!["schedule", "retain_days"]),
            ("bucket.prod-dumps".to_owned(), vec!["expire_days"]),
        ]
    );
    assert_eq!(applied.plan.steps.len(), 2, "{:?}", steps(&applied.plan));
}

#[tokio::test]
async fn vault_and_bucket_that_leave_the_file_are_retained_and_taken_back() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[BACKUP]).await;
    back_up(&cloud);
    let applied = apply(&cloud, &[]).await;
    for address in ["backup_vault.prod-vault", "bucket.prod-dumps"] {
        assert!(steps(&applied.plan).contains(&format!("retain {address}")), "{:?}", steps(&applied.plan));
    }
    let told = notes(&applied.plan);
    assert!(
        told.iter().any(|note| note.starts_with("prod-vault is no longer in the spec but holds data")),
        "{told:?}"
    );
    assert!(has_vault(&cloud) && has_bucket(&cloud));
    let again = deployment(&cloud, &[]).plan(Mode::Apply).await.unwrap();
    assert!(again.is_empty(), "{:?}", steps(&again));
    // Another vault and another bucket do not take the old ones' places.
    let other = "backup={vault: other-vault, bucket: other-dumps}";
    apply(&cloud, &[other]).await;
    assert!(has_vault(&cloud) && has_bucket(&cloud));
    let back = apply(&cloud, &[BACKUP]).await;
    assert!(
        steps(&back.plan).contains(&"adopt backup_vault.prod-vault".to_owned()),
        "{:?}",
        steps(&back.plan)
    );
    assert!(world(&cloud).s3.buckets.contains_key("other-dumps"));
}

#[tokio::test]
async fn a_destroy_leaves_what_holds_something_and_names_it() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[BACKUP]).await;
    back_up(&cloud);
    cloud.sim().unwrap().forget_calls();
    let applied = kept(&cloud, deployment(&cloud, &[BACKUP]).destroy(false, |_| true).await);
    assert!(has_vault(&cloud) && has_bucket(&cloud));
    let told = notes(&applied.plan);
    assert!(told.contains(&"prod-vault holds 1 recovery point and is retained."), "{told:?}");
    assert!(told.contains(&"prod-dumps holds data and is retained."), "{told:?}");
    let plans = &world(&cloud).regions["us-east-1"].backup.plans;
    assert!(plans.values().all(|plan| plan.deleted_at.is_some() && plan.selections.is_empty()));
}

#[tokio::test]
async fn a_destroy_takes_an_empty_vault_along() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[BACKUP]).await;
    cloud.sim().unwrap().forget_calls();
    kept(&cloud, deployment(&cloud, &[BACKUP]).destroy(false, |_| true).await);
    assert!(!has_vault(&cloud) && has_bucket(&cloud));
}

#[tokio::test]
async fn what_existed_before_is_used_never_changed_and_never_deleted() {
    let cloud = Cloud::simulated();
    cloud.sim().unwrap().edit(|world| {
        let bucket = lh_sim::world::Bucket {
            owner: "123456789012".into(),
            region: "us-east-1".into(),
            ..Default::default()
        };
        world.s3.buckets.insert(BUCKET.into(), bucket);
        let vault = lh_sim::world::Vault {
            arn: format!("arn:aws:backup:us-east-1:123456789012:backup-vault:{VAULT}"),
            creator: None,
            key: "arn:aws:kms:us-east-1:123456789012:key/1".into(),
            created_at: 0,
            tags: Default::default(),
            points: Default::default(),
        };
        world.region_mut("us-east-1").backup.vaults.insert(VAULT.into(), vault);
    });
    let before = world(&cloud);
    let applied = apply(&cloud, &[BACKUP]).await;
    for address in ["backup_vault.prod-vault", "bucket.prod-dumps"] {
        assert!(steps(&applied.plan).contains(&format!("use {address}")), "{:?}", steps(&applied.plan));
    }
    assert!(applied.plan.cost_after.unknown.is_empty());
    cloud.sim().unwrap().forget_calls();
    assert!(deployment(&cloud, &[BACKUP]).plan(Mode::Apply).await.unwrap().is_empty());
    let calls = cloud.sim().unwrap().calls();
    let s3: Vec<&str> = calls.iter().filter(|c| c.service == "s3").map(|c| c.operation.as_str()).collect();
    assert_eq!(s3, ["HeadBucket"]);
    kept(&cloud, deployment(&cloud, &[BACKUP]).destroy(false, |_| true).await);
    let text = |world: &World| {
        let vault = &world.regions["us-east-1"].backup.vaults[VAULT];
        (format!("{:?}", world.s3.buckets[BUCKET]), format!("{vault:?}"))
    };
    assert_eq!(text(&world(&cloud)), text(&before));
}

#[tokio::test]
async fn what_is_not_managed_and_missing_is_told_with_its_line() {
    let cloud = Cloud::simulated();
    let set = "backup={vault: theirs, bucket: their-dumps, manage: false}";
    let plan = deployment(&cloud, &[set]).plan(Mode::Apply).await.unwrap();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, ["E0575", "E0576"]);
    assert!(plan.refusals.iter().all(|refusal| refusal.origin.is_some() && refusal.fix.is_some()));
}

/// The run is cut off after each change in AWS Backup and S3 in turn; the next one ends as an
/// undisturbed one.
#[tokio::test]
async fn a_run_that_is_cut_off_at_any_change_is_completed_by_the_next() {
    let whole = Cloud::simulated();
    apply(&whole, &[BACKUP]).await;
    let calls = whole.sim().unwrap().calls();
    let ours = calls.iter().filter(|call| ["backup", "s3"].contains(&call.service.as_str()));
    let changes: Vec<u64> = ours.filter_map(|call| call.mutation).collect();
    assert!(changes.len() >= 9, "{changes:?}");
    for fuse in changes {
        let cloud = Cloud::simulated();
        let sim = cloud.sim().unwrap();
        let fuse = lh_sim::Fuse::After(fuse);
        sim.set_faults(lh_sim::Faults { fuse: Some(fuse), ..Default::default() });
        let _ = deployment(&cloud, &[BACKUP]).apply(|_| true).await;
        sim.set_faults(lh_sim::Faults::default());
        apply(&cloud, &[BACKUP]).await;
        assert!(deployment(&cloud, &[BACKUP]).plan(Mode::Apply).await.unwrap().is_empty(), "{fuse:?}");
        let world = world(&cloud);
        let backup = &world.regions["us-east-1"].backup;
        let selections: usize = backup.plans.values().map(|plan| plan.selections.len()).sum();
        assert_eq!((backup.vaults.len(), backup.plans.len(), selections), (1, 1, 1), "{fuse:?}");
        assert!(world.s3.buckets[BUCKET].policy.is_some(), "{fuse:?}");
    }
}
