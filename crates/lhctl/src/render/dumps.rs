//! Dumps, restores and drills as people read them.

use lh::day2::{Backup, Backups, Checksum, Drill, DrillResult, RestorePlan, Restored, Retained};

use crate::render::{
    database::{size, span},
    style,
};

fn or_none(version: &str) -> &str {
    if version.is_empty() { "none" } else { version }
}

pub(crate) fn backup(backup: &Backup) -> String {
    let rows = backup.rows.as_ref();
    let counted = rows.map_or_else(
        || "Its rows were not counted.".to_owned(),
        |rows| format!("{} rows in {} tables.", rows.values().sum::<u64>(), rows.len()),
    );
    format!(
        "{}\n  database     {}\n  size         {}\n  PostgreSQL   {}\n  TimescaleDB  {}\n  sha256       {}\n{counted}",
        style::good(&backup.file),
        backup.database,
        size(backup.bytes),
        backup.server_version,
        or_none(backup.timescaledb_version.as_deref().unwrap_or_default()),
        backup.sha256,
    )
}

pub(crate) fn backups(all: &Backups) -> String {
    let mut names: Vec<&str> = all.on_disk.iter().map(|one| one.name.as_str()).collect();
    names.extend(all.in_bucket.iter().map(|one| one.name.as_str()));
    names.sort_unstable();
    names.dedup();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for name in names.iter().rev() {
        let disk = all.on_disk.iter().find(|one| one.name == **name);
        let bucket = all.in_bucket.iter().find(|one| one.name == **name);
        let about = disk.and_then(|one| one.about.as_ref());
        let bytes = disk.map(|one| one.bytes).or(bucket.map(|one| one.bytes)).unwrap_or(0);
        let age = about
            .and_then(|about| about.taken)
            .map_or_else(String::new, |at| span(all.now.saturating_sub(at)));
        let version = about.and_then(|about| about.timescaledb_version.as_deref()).unwrap_or("-");
        let server = about.map_or("-", |about| about.server_version.as_str());
        let sum = match (disk.map(|one| one.checksum), bucket.and_then(|one| one.described)) {
            (Some(Checksum::Good), _) => style::good("checksum good"),
            (Some(Checksum::Bad), _) => style::error("damaged"),
            (Some(Checksum::Missing), _) | (None, None) => style::error("no description"),
            _ => "not read".to_owned(),
        };
        let place = match (disk.is_some(), bucket.is_some()) {
            (true, true) => "disk, bucket",
            (true, false) => "disk",
            _ => "bucket",
        };
        let bytes = size(bytes);
        text +=
            &format!("{name:width$}  {bytes:>10}  {age:>8}  {server:>8}  {version:>8}  {place:12}  {sum}\n");
    }
    if names.is_empty() {
        text += "There is no dump yet. `lhctl db backup STACK` makes one.\n";
    }
    if let Some(why) = &all.bucket_unread {
        text += &style::error(&format!("The bucket cannot be listed: {why}\n"));
    }
    match &all.last_drill {
        Some(last) => {
            let passed = match (last.result, last.last_passed) {
                (DrillResult::Passed, _) => String::new(),
                (_, None) => " No drill is known to have passed.".to_owned(),
                (_, Some(at)) => {
                    format!(" The last one that passed was {} ago.", span(all.now.saturating_sub(at)))
                }
            };
            text += &format!(
                "Last drill {} ago: {}{passed}\n",
                span(all.now.saturating_sub(last.at)),
                drill(last)
            );
        }
        None if all.drill_kept => {
            text += &style::error(
                "The note of the last drill, backups/last-drill.json on the data volume, cannot be read: another drill writes it anew.\n",
            );
        }
        None => {
            text += "No drill yet: `lhctl db drill STACK` restores the latest dump into a scratch database.\n"
        }
    }
    if let Some(kept) = all.retained.as_ref().filter(|kept| !kept.is_empty()) {
        text += &format!("{}\n", retained(kept));
    }
    text.trim_end().to_owned()
}

fn retained(kept: &[Retained]) -> String {
    let lines = kept.iter().map(|one| format!("  {} {}  {}", style::keep("="), one.name, size(one.bytes)));
    format!(
        "Kept by restores, until `lhctl db restore STACK --release-old`:\n{}",
        lines.collect::<Vec<_>>().join("\n")
    )
}

/// What `--release-old` is about to drop.
pub(crate) fn released(kept: &[Retained]) -> String {
    let lines = kept.iter().map(|one| format!("  {} {}  {}", style::error("-"), one.name, size(one.bytes)));
    format!(
        "Kept by earlier restores of this stack, and now to be dropped for good:\n{}",
        lines.collect::<Vec<_>>().join("\n")
    )
}

pub(crate) fn restore_plan(plan: &RestorePlan) -> String {
    let age = plan.now.saturating_sub(plan.taken);
    let taken = if plan.taken == 0 { "at an unknown time".to_owned() } else { format!("{} ago", span(age)) };
    let mut text = format!(
        "{}\n  dump         {} of {}, taken {taken}, from the {}\n  PostgreSQL   {} → {}\n  TimescaleDB  {} → {}\n  disk         needs about {}, {} are free\n",
        style::bold(&format!("Restore {}", plan.name)),
        size(plan.bytes),
        plan.database,
        plan.from,
        plan.dump_server,
        plan.server,
        or_none(&plan.dump_timescaledb),
        or_none(&plan.timescaledb),
        size(plan.needs_bytes),
        size(plan.free_bytes),
    );
    if !plan.note.is_empty() {
        text += &format!("  note         {}: {}\n", plan.into, plan.note.trim_start_matches("lhctl: "));
    }
    text += "The dump is loaded into a new database beside the one that serves";
    text += if plan.counts {
        ", its rows are compared with those counted when it was made"
    } else {
        "; its rows were not counted when it was made, so they are not compared"
    };
    text += &match plan.replaces_bytes {
        Some(bytes) => format!(
            ". Then both change names in one transaction: sessions of {} end, and new ones wait for less than a second. What is there now ({}) is kept under another name.",
            plan.into,
            size(bytes)
        ),
        None => format!(". It is then called {}, which no database is now.", plan.into),
    };
    for misfit in &plan.misfits {
        text += &format!("\n{} {misfit}.", style::error("✗"));
    }
    text
}

pub(crate) fn restored(done: &Restored) -> String {
    let compared = if done.compared {
        format!("{} rows in {} tables compared", done.rows, done.tables)
    } else {
        "rows not compared".to_owned()
    };
    let kept = done.kept.as_ref().map(|kept| {
        format!("\nWhat was there before is kept as {kept}; `lhctl db restore STACK --release-old` drops it.")
    });
    let first = format!(
        "{} holds {}: {compared}, {} s in all, {} ms for the swap.",
        done.database, done.name, done.seconds, done.downtime_ms
    );
    style::good(&first) + &kept.unwrap_or_default()
}

pub(crate) fn drill(drill: &Drill) -> String {
    let what = format!("{} from the {}", drill.backup, drill.from);
    match drill.result {
        DrillResult::Passed => style::good(&format!(
            "passed: {what} restores in {} s; {} rows in {} tables {}; it was {} old.",
            drill.seconds,
            drill.rows,
            drill.tables,
            if drill.compared { "compared" } else { "not compared" },
            span(u64::try_from(drill.age_seconds).unwrap_or(0)),
        )),
        // Before a dump was found there is none to name.
        DrillResult::Failed if drill.backup.is_empty() => style::error(&format!("failed: {}.", drill.reason)),
        DrillResult::Failed => {
            let reason = drill.reason.strip_prefix(&drill.backup).unwrap_or(&drill.reason);
            let reason = reason.strip_prefix(" does not fit: ").unwrap_or(&drill.reason);
            style::error(&format!("failed: {what}: {reason}."))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    /// A list of backups with this record of the last drill, and without colours.
    fn told(drill: &Value) -> String {
        let all = json!({
            "now": 1_000_000, "bucket": null, "bucket_unread": null, "on_disk": [], "in_bucket": [],
            "retained": [{ "name": "app_before_20260101_000000", "bytes": 1, "why": "lhctl: before it" }],
            "last_drill": drill,
        });
        anstream::adapter::strip_str(&backups(&serde_json::from_value(all).unwrap())).to_string()
    }

    fn failed(backup: &str, reason: &str) -> Value {
        json!({
            "result": "failed", "reason": reason, "backup": backup, "from": "disk", "at": 999_990,
            "age_seconds": 0, "seconds": 0, "bytes": 0, "tables": 0, "rows": 0, "compared": false, "timescaledb": "",
        })
    }

    #[test]
    fn a_drill_that_failed_is_told_with_the_one_that_passed() {
        let mut drill = failed("app_1.sql.gz", "it did not load");
        let text = told(&drill);
        assert!(
            text.contains("Last drill 10 s ago: failed: app_1.sql.gz from the disk: it did not load. No drill is known to have passed.\n"),
            "{text}"
        );
        drill["last_passed"] = json!(1_000_000 - 3 * 86_400);
        let text = told(&drill);
        assert!(text.contains("it did not load. The last one that passed was 3 days ago.\n"), "{text}");
    }

    #[test]
    fn a_drill_without_a_dump_names_none() {
        let text = told(&failed("", "the bucket cannot be read"));
        assert!(text.contains("failed: the bucket cannot be read."), "{text}");
    }

    #[test]
    fn what_is_dropped_is_not_told_as_kept() {
        let kept = Retained { name: "app_before_20260101_000000".into(), bytes: 1, why: String::new() };
        assert!(
            told(&Value::Null).contains("Kept by restores, until `lhctl db restore STACK --release-old`:\n")
        );
        let text = released(&[kept]);
        assert!(!text.contains("--release-old") && text.contains("app_before_20260101_000000"), "{text}");
        assert!(
            text.starts_with("Kept by earlier restores of this stack, and now to be dropped for good:\n"),
            "{text}"
        );
    }
}
