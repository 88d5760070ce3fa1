//! The chapter of backups: a recovery point and a dump, each as young as its schedule promises.
//!
//! Age is not compared with a fixed interval: what counts is the last time that the schedule was
//! due, long enough ago for the backup to have ended. So `MON-FRI` is right on a Sunday too.

use lh_aws::inspect::{Dump, RecoveryPoint};
use lh_db::{Problem, Verdict};
use lh_spec::last_due;
use serde_json::Value;

use crate::host::Drilled;

use super::{Scene, moment, size, span, text, unanswered};

const HOUR: i64 = 3600;
/// AWS Backup begins within 8 hours of the schedule, as its plans say by default, and then takes
/// its time: <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html>.
const POINT_MARGIN: i64 = 12 * HOUR;
/// A dump begins when it is due, or when the instance is back.
const DUMP_MARGIN: i64 = 3 * HOUR;
/// A stack has so long to try a restore for the first time.
const DRILL_GRACE: i64 = 7 * 24 * HOUR;

/// Whether the newest backup is as young as it must be.
#[derive(Debug, PartialEq, Eq)]
enum Age {
    /// It was begun when it was due, or later.
    Fresh,
    /// None was due yet, so that there need be none.
    NotDue,
    /// One was due then, and there is none as young.
    Stale(i64),
}

/// Judges the newest backup, made at `newest`, of a schedule that began at `since`.
fn judge(schedule: &str, margin: i64, newest: Option<i64>, since: i64, now: i64) -> Age {
    match last_due(schedule, now - margin) {
        Some(due) if newest.is_some_and(|at| at >= due) => Age::Fresh,
        Some(due) if due >= since => Age::Stale(due),
        _ if newest.is_some() => Age::Fresh,
        _ => Age::NotDue,
    }
}

impl Scene<'_> {
    /// When backups began: what was due earlier cannot be there.
    async fn backups_since(&self) -> Result<(i64, &str), Problem> {
        let plan = *self
            .records("backup_plan", "backup")?
            .first()
            .ok_or_else(|| Problem::Skipped("The stack has no backup plan".to_owned()))?;
        let since = self.inspector.backup_plan_since(&plan.id.0).await.map_err(|error| unanswered(&error))?;
        Ok((since, text(&plan.inputs, "schedule")))
    }

    pub(super) async fn recovery_points(&self) -> Verdict {
        let (since, schedule) = self.backups_since().await?;
        let plans = self.records("backup_plan", "backup")?;
        let vault = plans.first().map(|plan| text(&plan.inputs, "vault")).unwrap_or_default();
        let selected = self.records("backup_selection", "backup")?;
        let resources = selected.first().and_then(|selection| selection.inputs.get("resources"));
        let volume = resources.and_then(|list| list.get(0)).and_then(Value::as_str).unwrap_or_default();
        let points =
            self.inspector.recovery_points(vault, volume).await.map_err(|error| unanswered(&error))?;
        let newest = complete(&points);
        let evidence = told(vault, &points, newest, self.now);
        let name = volume.rsplit('/').next().unwrap_or_default();
        match judge(schedule, POINT_MARGIN, newest.map(|point| point.at), since, self.now) {
            Age::Fresh => Ok(evidence),
            Age::NotDue => Err(Problem::Skipped(format!(
                "The backup plan is {} old, and none of its backups had to be complete yet ({schedule})",
                span(self.now - since)
            ))),
            Age::Stale(due) => {
                let there = newest.map_or_else(
                    || format!("{vault} has no complete recovery point of {name}"),
                    |point| {
                        format!(
                            "The newest complete recovery point of {name} is {} old",
                            span(self.now - point.at)
                        )
                    },
                );
                Err(Problem::Failed(
                    format!("{there}, and one was due at {} ({schedule})", moment(due)),
                    format!(
                        "Look at the backup jobs of {name} in AWS Backup, which say why; `aws backup start-backup-job` makes one now."
                    ),
                    evidence,
                ))
            }
        }
    }

    pub(super) async fn dump(&self) -> Verdict {
        let Some(dumps) = &self.deployment.stack().dumps else {
            let reason = "No bucket is named in `backup.bucket`: dumps stay on the data volume";
            return Err(Problem::Skipped(reason.to_owned()));
        };
        let (since, _) = self.backups_since().await?;
        let newest = self.inspector.newest_dump(&dumps.bucket, &dumps.prefix).await;
        let newest = newest.map_err(|error| unanswered(&error))?;
        let fix = "`lhctl ssh STACK -- tail /var/log/lhctl-host.log` shows what the backup says; `lhctl db backup STACK` makes one now.";
        let evidence = match &newest {
            Some(dump) => described(dump, self.now)?,
            None => Vec::new(),
        };
        match judge(&dumps.schedule, DUMP_MARGIN, newest.as_ref().map(|dump| dump.at), since, self.now) {
            Age::Fresh => Ok(evidence),
            Age::NotDue => Err(Problem::Skipped(format!("No dump was due yet ({})", dumps.schedule))),
            Age::Stale(due) => {
                let place = format!("s3://{}/{}", dumps.bucket, dumps.prefix);
                let there = newest.as_ref().map_or_else(
                    || format!("There is no dump in {place}"),
                    |dump| format!("The newest dump in {place} is {} old", span(self.now - dump.at)),
                );
                let reason = format!("{there}, and one was due at {} ({})", moment(due), dumps.schedule);
                Err(Problem::Failed(reason, fix.to_owned(), evidence))
            }
        }
    }

    /// A backup that was never restored is a hope: the last drill has passed, and not long ago.
    pub(super) async fn drill(&self) -> Verdict {
        let (since, _) = self.backups_since().await?;
        let sight = match self.host().await {
            Ok(sight) => sight,
            Err(silence) => {
                return Err(Problem::Skipped(format!(
                    "The host keeps it, and cannot be asked: {}",
                    silence.reason
                )));
            }
        };
        let drill = sight.last_drill.clone().unwrap_or_default();
        let age = span(sight.now - drill.at);
        let evidence =
            vec![format!("{} restored in {} s, {age} ago: {}", drill.backup, drill.seconds, drill.result)];
        let failed = |reason: String| {
            let fix = "`lhctl db drill STACK` restores the latest dump into a scratch database, and notes the result.";
            Err(Problem::Failed(reason, fix.to_owned(), Vec::new()))
        };
        match sight.drilled() {
            Drilled::Proven => Ok(evidence),
            Drilled::Old => failed(format!("The last restore was tried {age} ago")),
            Drilled::Failed => {
                let passed = drill.last_passed.map(|at| format!("; one passed {} ago", span(sight.now - at)));
                failed(format!(
                    "The last restore that was tried failed: {}{}",
                    drill.reason,
                    passed.unwrap_or_default()
                ))
            }
            Drilled::Never if self.now - since < DRILL_GRACE => Err(Problem::Skipped(format!(
                "No restore was tried yet; the backups are {} old, and have {} for that",
                span(self.now - since),
                span(DRILL_GRACE)
            ))),
            Drilled::Unread => failed(
                "The note of the last drill, backups/last-drill.json on the data volume, cannot be read"
                    .to_owned(),
            ),
            Drilled::Never => failed("No restore of a backup was ever tried".to_owned()),
        }
    }
}

/// The newest recovery point that is whole.
pub(crate) fn complete(points: &[RecoveryPoint]) -> Option<&RecoveryPoint> {
    points.iter().find(|point| point.status == "COMPLETED")
}

/// What was seen in the vault.
fn told(vault: &str, points: &[RecoveryPoint], newest: Option<&RecoveryPoint>, now: i64) -> Vec<String> {
    let mut evidence = Vec::new();
    if let Some(point) = newest {
        let bytes = point.bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
        evidence.push(format!("{}, {} old{bytes}", point.arn, span(now - point.at)));
    }
    let bad = points.iter().filter(|point| point.status != "COMPLETED");
    evidence.extend(bad.take(3).map(|point| format!("{} is {}", point.arn, point.status)));
    evidence.push(format!("{} recovery points in {vault}", points.len()));
    evidence
}

/// What is known of a dump. Its description is written after it, so that a dump without one, or
/// with another size than is said there, was cut off.
fn described(dump: &Dump, now: i64) -> Result<Vec<String>, Problem> {
    let broken = |reason: String| {
        let fix = "Make another with `lhctl db backup STACK`, and do not count on this one.";
        Problem::failed(format!("The newest dump, {}, {reason}", dump.key), fix)
    };
    let Some(text) = &dump.description else {
        return Err(broken("has no description beside it: it was not uploaded whole".to_owned()));
    };
    let facts: Value = serde_json::from_str(text).unwrap_or_default();
    let sum =
        facts["sha256"].as_str().filter(|sum| sum.len() == 64 && sum.chars().all(|c| c.is_ascii_hexdigit()));
    let Some(sum) = sum else {
        return Err(broken("has a description that names no SHA-256 of it".to_owned()));
    };
    if facts["bytes"].as_i64() != Some(dump.bytes) {
        let (said, has) = (&facts["bytes"], dump.bytes);
        return Err(broken(format!("has {has} bytes, and its description says {said}")));
    }
    let versions =
        ["server_version", "timescaledb_version"].map(|key| facts[key].as_str().unwrap_or("unknown"));
    Ok(vec![
        format!("{}, {} old, {}", dump.key, span(now - dump.at), size(dump.bytes)),
        format!("PostgreSQL {}, timescaledb {}, sha256 {}…", versions[0], versions[1], &sum[..12]),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOON: i64 = 1_772_625_600; // 2026-03-04, a Wednesday, 12:00 UTC
    const DAILY: &str = "cron(0 5 * * ? *)";

    #[test]
    fn a_backup_counts_from_when_it_was_due() {
        let five = NOON - 7 * HOUR;
        let of = |newest, since, now| judge(DAILY, POINT_MARGIN, newest, since, now);
        // Today's may still be on its way: yesterday's is enough.
        assert_eq!(of(Some(five - 24 * HOUR), 0, NOON), Age::Fresh);
        assert_eq!(of(Some(five - 25 * HOUR), 0, NOON), Age::Stale(five - 24 * HOUR));
        assert_eq!(of(None, 0, NOON), Age::Stale(five - 24 * HOUR));
        // In the evening it must be today's.
        assert_eq!(of(Some(five - 24 * HOUR), 0, NOON + 6 * HOUR), Age::Stale(five));
        // A stack made at noon owes nothing yet.
        assert_eq!(of(None, NOON - HOUR, NOON), Age::NotDue);
        assert_eq!(of(Some(NOON - 60), NOON - HOUR, NOON), Age::Fresh);
    }

    #[test]
    fn a_dump_is_believed_with_its_description_alone() {
        let sum = "a".repeat(64);
        let dump =
            |description: Option<String>| Dump { key: "s/d.sql.gz".into(), bytes: 7, at: NOON, description };
        let whole = format!(
            r#"{{"bytes": 7, "sha256": "{sum}", "server_version": "16.6", "timescaledb_version": "2.17.2"}}"#
        );
        let evidence = described(&dump(Some(whole.clone())), NOON + 60).unwrap();
        assert_eq!(evidence[0], "s/d.sql.gz, 60 seconds old, 7 bytes");
        for bad in [None, Some("{}".to_owned()), Some("x".to_owned()), Some(whole.replace(": 7", ": 8"))] {
            assert!(matches!(described(&dump(bad), NOON), Err(Problem::Failed(..))));
        }
    }
}
