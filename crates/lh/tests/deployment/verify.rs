//! The chapters of verification about AWS, each both ways, in the simulated AWS.

use std::time::Duration;

use lh::{
    Cloud, CloudOptions, Deployment,
    db::{Check, Outcome},
};
use lh_sim::World;

use crate::{apply, deployment, stack};

const REGION: &str = "us-east-1";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alerts";
const MONITORING: &str =
    "monitoring={ alarms: { cpu_percent: 80, disk_percent: 80 }, topic: alerts, emails: [ops@example.com] }";
const BACKUP: &str = "backup={vault: prod-vault, bucket: prod-dumps}";
const BOTH: [&str; 2] = [MONITORING, BACKUP];
const DAY: u64 = 86_400;

fn edit<R>(cloud: &Cloud, change: impl FnOnce(&mut World) -> R) -> R {
    cloud.sim().unwrap().edit(change)
}

fn advance(cloud: &Cloud, seconds: u64) {
    cloud.sim().unwrap().advance(Duration::from_secs(seconds));
}

async fn applied() -> Cloud {
    let cloud = Cloud::simulated();
    apply(&cloud, &BOTH).await;
    cloud
}

async fn all(cloud: &Cloud, options: &CloudOptions) -> Vec<Check> {
    // The state is the first deployment's: it is in the cloud's memory.
    deployment(cloud, &BOTH).verify_cloud(options).await.unwrap()
}

async fn check(cloud: &Cloud, name: &str) -> Check {
    let options = CloudOptions { test_alarm: name == "alarm-test", ..CloudOptions::default() };
    all(cloud, &options).await.into_iter().find(|check| check.name == name).unwrap()
}

/// Why it fails, and what to do.
#[track_caller]
fn failed(check: &Check) -> (&str, &str) {
    match &check.outcome {
        Outcome::Failed { reason, fix } => (reason, fix),
        other => panic!("{}: {other:?} {:?}", check.name, check.evidence),
    }
}

#[track_caller]
fn passed(check: &Check) -> &[String] {
    assert_eq!(check.outcome, Outcome::Passed, "{}: {:?}", check.name, check.evidence);
    &check.evidence
}

#[track_caller]
fn skipped(check: &Check) -> &str {
    match &check.outcome {
        Outcome::Skipped { reason } => reason,
        other => panic!("{}: {other:?}", check.name),
    }
}

fn volume(cloud: &Cloud) -> String {
    let world = cloud.sim().unwrap().snapshot();
    let mut volumes = world.region(REGION).unwrap().volumes.values();
    let data = volumes
        .find(|volume| volume.tags.get("lhctl:resource").is_some_and(|at| at == "volume.data"))
        .unwrap();
    format!("arn:aws:ec2:{REGION}:123456789012:volume/{}", data.id)
}

fn back_up(cloud: &Cloud, status: &str) {
    let volume = volume(cloud);
    edit(cloud, |world| {
        let arn = world.add_recovery_point(REGION, "prod-vault", &volume).unwrap();
        let vault = world.region_mut(REGION).backup.vaults.get_mut("prod-vault").unwrap();
        vault.points.get_mut(&arn).unwrap().status = status.to_owned();
    });
}

#[tokio::test]
async fn a_stack_without_backups_and_monitoring_says_so() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    let checks = deployment(&cloud, &[]).verify_cloud(&CloudOptions::default()).await.unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, lh::CLOUD_CHECKS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for check in checks.iter().filter(|check| check.name != "shell" && check.name != "alarm-test") {
        let why = skipped(check);
        assert!(
            why.contains("`backup`") || why.contains("`monitoring`") || why.contains("backup.bucket"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_recovery_point_must_be_complete_and_as_young_as_its_schedule_promises() {
    let cloud = applied().await;
    let young = check(&cloud, "recovery-points").await;
    assert!(skipped(&young).contains("none of its backups had to be complete yet"), "{young:?}");
    advance(&cloud, 2 * DAY);
    let none = check(&cloud, "recovery-points").await;
    let (reason, fix) = failed(&none);
    assert!(reason.starts_with("prod-vault has no complete recovery point of vol-"), "{reason}");
    assert!(reason.contains("one was due at 2025-01-02T05:00:00Z (cron(0 5 * * ? *))"), "{reason}");
    assert!(fix.contains("start-backup-job"), "{fix}");
    back_up(&cloud, "PARTIAL");
    let partial = check(&cloud, "recovery-points").await;
    failed(&partial);
    assert!(partial.evidence.iter().any(|line| line.ends_with("is PARTIAL")), "{partial:?}");
    back_up(&cloud, "COMPLETED");
    let whole = check(&cloud, "recovery-points").await;
    assert!(
        passed(&whole)[0].contains("snapshot/snap-") && passed(&whole)[0].contains("1.0 GiB"),
        "{whole:?}"
    );
    advance(&cloud, 3 * DAY);
    let old = check(&cloud, "recovery-points").await;
    assert!(failed(&old).0.contains("is 3 days old"), "{old:?}");
}

fn put(cloud: &Cloud, key: &str, content: &str) {
    edit(cloud, |world| {
        let at = world.now;
        let version = lh_sim::world::ObjectVersion {
            id: format!("v{at}"),
            etag: "\"e\"".to_owned(),
            content: base64(content),
            elsewhere: None,
            marker: false,
            at,
        };
        let bucket = world.s3.buckets.get_mut("prod-dumps").unwrap();
        bucket.objects.entry(format!("lighthouse-dev/{key}")).or_default().push(version);
    });
}

/// Texts of a length that three divides need no padding.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded = format!("{text}{}", " ".repeat((3 - text.len() % 3) % 3));
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let mut out = String::new();
    for three in padded.as_bytes().chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        out.extend([18, 12, 6, 0].map(|shift| letter(bits >> shift)));
    }
    out
}

#[tokio::test]
async fn a_dump_counts_with_its_description_size_and_age() {
    let cloud = applied().await;
    assert!(skipped(&check(&cloud, "dump").await).contains("No dump was due yet (daily)"));
    advance(&cloud, 2 * DAY);
    assert!(
        failed(&check(&cloud, "dump").await)
            .0
            .starts_with("There is no dump in s3://prod-dumps/lighthouse-dev/")
    );
    put(&cloud, "lighthouse_dev_20250103_000000.sql.gz", "dump of the database");
    let torn = check(&cloud, "dump").await;
    assert!(failed(&torn).0.contains("has no description beside it"), "{torn:?}");
    let facts = |bytes: usize| {
        format!(
            r#"{{"bytes": {bytes}, "sha256": "{}", "server_version": "16.6", "timescaledb_version": "2.17.2"}}"#,
            "ab".repeat(32)
        )
    };
    let name = "lighthouse_dev_20250103_000000.sql.gz.json";
    put(&cloud, name, &facts(3));
    assert!(failed(&check(&cloud, "dump").await).0.contains("has 21 bytes, and its description says 3"));
    put(&cloud, name, &facts(21));
    let good = check(&cloud, "dump").await;
    assert!(
        passed(&good)[1].starts_with("PostgreSQL 16.6, timescaledb 2.17.2, sha256 abababababab"),
        "{good:?}"
    );
    advance(&cloud, 3 * DAY);
    let old = check(&cloud, "dump").await;
    let (_, fix) = failed(&old);
    assert!(fix.contains("lhctl db backup"), "{fix}");
    // Where the unit writes to.
    assert!(fix.contains("`lhctl ssh STACK -- tail /var/log/lhctl-host.log`"), "{fix}");
}

#[tokio::test]
async fn every_alarm_is_there_on_guard_and_quiet() {
    let cloud = applied().await;
    advance(&cloud, 600);
    let good = check(&cloud, "alarms").await;
    assert_eq!(passed(&good).len(), 3);
    assert!(good.evidence[0].starts_with("lighthouse-dev-timescaledb-cpu: OK for"), "{good:?}");
    let alarm = |change: fn(&mut lh_sim::world::Alarm)| {
        edit(&cloud, |world| {
            let alarms = &mut world.region_mut(REGION).cloudwatch.alarms;
            change(alarms.get_mut("lighthouse-dev-timescaledb-cpu").unwrap());
        });
    };
    alarm(|alarm| alarm.actions_enabled = false);
    assert!(failed(&check(&cloud, "alarms").await).0.contains("switched off: nobody is told"));
    alarm(|alarm| {
        alarm.actions_enabled = true;
        alarm.shows = 99.0;
    });
    advance(&cloud, 60);
    let loud = check(&cloud, "alarms").await;
    assert!(
        failed(&loud).0.starts_with("lighthouse-dev-timescaledb-cpu is in ALARM: Threshold Crossed"),
        "{loud:?}"
    );
    alarm(|alarm| {
        alarm.shows = 0.0;
        alarm.dimensions.clear();
    });
    advance(&cloud, 120);
    passed(&check(&cloud, "alarms").await);
    advance(&cloud, 2 * 3600);
    assert!(failed(&check(&cloud, "alarms").await).0.contains("has had no data for 2 hours"));
    edit(&cloud, |world| world.region_mut(REGION).cloudwatch.alarms.remove("lighthouse-dev-timescaledb-cpu"));
    assert!(
        failed(&check(&cloud, "alarms").await).0.contains("There is no alarm lighthouse-dev-timescaledb-cpu")
    );
}

/// No `stress-ng` over SSH: CloudWatch itself is told that the alarm goes off, its history shows
/// whom it told, and it is put back.
#[tokio::test]
async fn guide_defect_15_alarms_are_tested_by_set_alarm_state() {
    let cloud = applied().await;
    advance(&cloud, 600);
    assert!(skipped(&all(&cloud, &CloudOptions::default()).await[4]).contains("--test-alarm"));
    // The alarm told its topic, and its topic nobody: that is what the test is to find out.
    let unheard = check(&cloud, "alarm-test").await;
    let (reason, fix) = failed(&unheard);
    assert!(reason.contains("nobody was told") && reason.contains("alerts"), "{reason}");
    assert!(fix.contains("Follow the link"), "{fix}");
    let evidence = unheard.evidence.join("\n");
    assert!(evidence.contains(&format!("Successfully executed action {TOPIC}")), "{evidence}");
    assert!(evidence.contains("was put back to OK") && !evidence.contains("told: "), "{evidence}");
    edit(&cloud, |world| world.confirm_subscription(REGION, "alerts", "ops@example.com"));
    let tried = check(&cloud, "alarm-test").await;
    let evidence = passed(&tried).join("\n");
    for part in [
        "from OK to ALARM",
        &format!("Successfully executed action {TOPIC}"),
        "was put back to OK",
        "told: ops@example.com",
    ] {
        assert!(evidence.contains(part), "{part}: {evidence}");
    }
    let state = |cloud: &Cloud| {
        let world = cloud.sim().unwrap().snapshot();
        world.region(REGION).unwrap().cloudwatch.alarms["lighthouse-dev-timescaledb-cpu"].state.clone()
    };
    assert_eq!(state(&cloud), "OK");
    // A topic that is gone hears nothing.
    edit(&cloud, |world| world.region_mut(REGION).sns.topics.clear());
    let mute = check(&cloud, "alarm-test").await;
    assert!(failed(&mute).0.contains(&format!("did not tell {TOPIC}")), "{mute:?}");
    assert_eq!(state(&cloud), "OK");
}

#[tokio::test]
async fn guide_defect_15_a_subscription_that_nobody_confirmed_fails() {
    let cloud = applied().await;
    let pending = check(&cloud, "subscriptions").await;
    let (reason, fix) = failed(&pending);
    assert!(reason.contains("ops@example.com has not confirmed"), "{reason}");
    assert!(fix.contains("Follow the link") && fix.contains("lhctl apply"), "{fix}");
    assert_eq!(pending.evidence, ["alerts: email ops@example.com is pending"]);
    edit(&cloud, |world| world.confirm_subscription(REGION, "alerts", "ops@example.com"));
    assert_eq!(passed(&check(&cloud, "subscriptions").await), ["alerts: email ops@example.com is confirmed"]);
}

/// A complete backup that was never restored does not count for ever.
#[tokio::test]
async fn guide_defect_12_backups_that_were_never_restored_fail() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::local(folder.path()).unwrap();
    let of = || Deployment::new(stack(&BOTH), cloud.clone());
    assert!(of().apply(|_| true).await.unwrap().outcome.is_complete());
    let drill = async || {
        let checks = of().verify_cloud(&CloudOptions::default()).await.unwrap();
        checks
            .into_iter()
            .filter(|check| ["drill", "shell"].contains(&check.name.as_str()))
            .collect::<Vec<_>>()
    };
    let first = drill().await;
    assert!(skipped(&first[0]).contains("No restore was tried yet"), "{first:?}");
    assert!(passed(&first[1])[0].contains("Run Command on i-"), "{first:?}");
    advance(&cloud, 8 * DAY);
    let later = drill().await;
    let (reason, fix) = failed(&later[0]);
    assert_eq!(reason, "No restore of a backup was ever tried");
    assert!(fix.contains("lhctl db drill"), "{fix}");
    // What a drill notes on the data volume, by the host's own clock.
    let volumes = std::fs::read_dir(folder.path().join("volumes")).unwrap();
    let backups = volumes.flatten().next().unwrap().path().join("backups");
    let note = |result: &str, days: u64| {
        std::fs::create_dir_all(&backups).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let text = format!(
            r#"{{"result":"{result}","reason":"7 rows of 9","backup":"d.sql.gz","at":{},"seconds":4}}"#,
            now - days * DAY
        );
        std::fs::write(backups.join("last-drill.json"), text).unwrap();
    };
    note("passed", 1);
    let good = drill().await;
    assert!(passed(&good[0])[0].starts_with("d.sql.gz restored in 4 s"), "{good:?}");
    note("passed", 40);
    assert_eq!(failed(&drill().await[0]).0, "The last restore was tried 40 days ago");
    note("failed", 0);
    assert_eq!(failed(&drill().await[0]).0, "The last restore that was tried failed: 7 rows of 9");
}

#[tokio::test]
async fn without_a_way_to_the_host_the_shell_fails_and_the_rest_is_looked_at() {
    let cloud = applied().await;
    let checks = all(&cloud, &CloudOptions::default()).await;
    let shell = checks.iter().find(|check| check.name == "shell").unwrap();
    assert!(failed(shell).0.contains("No way leads to the instance i-"), "{shell:?}");
    assert!(
        checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed { .. })).count() < checks.len()
    );
}

#[tokio::test]
async fn checks_are_skipped_by_name_and_ask_nothing() {
    let cloud = applied().await;
    cloud.sim().unwrap().forget_calls();
    let skip = lh::CLOUD_CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let checks = all(&cloud, &CloudOptions { skip, test_alarm: true }).await;
    assert!(checks.iter().all(|check| skipped(check).starts_with("--skip ")));
    assert_eq!(cloud.sim().unwrap().calls(), vec![]);
}

/// What AWS does not answer fails its own check alone, and verification changes nothing.
#[tokio::test]
async fn a_verification_only_reads_and_says_what_aws_refused() {
    let cloud = applied().await;
    let sim = cloud.sim().unwrap();
    let before = sim.mutations();
    sim.set_faults(lh_sim::Faults { deny: ["DescribeAlarms".to_owned()].into(), ..Default::default() });
    let checks = all(&cloud, &CloudOptions::default()).await;
    let denied = checks.iter().find(|check| check.name == "alarms").unwrap();
    assert!(failed(denied).0.contains("cloudwatch:DescribeAlarms"), "{denied:?}");
    assert!(failed(denied).1.contains("permission"), "{denied:?}");
    assert_eq!(sim.mutations(), before);
}
