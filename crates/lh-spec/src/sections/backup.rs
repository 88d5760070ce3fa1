//! `backup`: recovery points of the volume in AWS Backup, and logical dumps in a bucket.

use super::{between, needs};
use crate::{
    checks::{calendar, flaw, names},
    codes,
    reader::{Checked, Section},
    stack::{Backup, Placed},
};

/// Days that AWS Backup keeps what it moved to cold storage.
const COLD_DAYS: u32 = 90;
/// In the place of a schedule: recovery points are made by hand alone.
const NO_SCHEDULE: &str = "none";
/// Longest retention, in days: AWS Backup's own limit of about a hundred years.
pub(crate) const LONGEST: u32 = 35_600;

pub(crate) fn read(top: &mut Section, stack: Option<(&Placed<String>, &Placed<String>)>) -> Option<Backup> {
    let mut section = top.section("backup", "backup: { retain_days: 35 }")?;
    let origin = section.origin();
    let vault = section.text("vault", names::vault);
    let schedule = section.text("schedule", schedule);
    let why = "Recovery points are kept for a number of days";
    let retain_days = section.whole("retain_days", "days", between("backup.retain_days", 1, LONGEST, why));
    let cold_after_days =
        section.whole("cold_after_days", "days", between("backup.cold_after_days", 1, LONGEST, why));
    let bucket = section.text("bucket", names::bucket);
    let dump_schedule = section.text("dump_schedule", calendar::of_dumps);
    if section.has("dump_schedule") && !section.has("bucket") {
        let reason = "Dumps are written to `backup.bucket`, which is not given";
        needs(&section, "dump_schedule", reason, "Add `bucket: NAME`, or remove `dump_schedule`.");
    }
    let manage = section.flag("manage").is_none_or(|flag| flag.value);
    check_cold(&section, retain_days.as_ref(), cold_after_days.as_ref());
    section.finish();
    let text = |value: String| Placed { value, origin: origin.clone() };
    let (name, environment) = stack?;
    Some(Backup {
        vault: vault.unwrap_or_else(|| text(format!("{}-{}-vault", name.value, environment.value))),
        schedule: Some(schedule.unwrap_or_else(|| text("cron(0 5 * * ? *)".to_owned())))
            .filter(|schedule| schedule.value != NO_SCHEDULE),
        retain_days: retain_days.unwrap_or(Placed { value: 35, origin: origin.clone() }),
        cold_after_days,
        bucket,
        dump_schedule: dump_schedule.unwrap_or_else(|| text("daily".to_owned())),
        manage,
        origin,
    })
}

fn schedule(text: &str) -> Checked<()> {
    if text == NO_SCHEDULE { Ok(()) } else { calendar::of_backups(text) }
}

fn check_cold(section: &Section, retain: Option<&Placed<u32>>, cold: Option<&Placed<u32>>) {
    let Some(cold) = cold else { return };
    if retain.is_none() && section.has("retain_days") {
        return;
    }
    let retain = retain.map_or(35, |retain| retain.value);
    let least = cold.value + COLD_DAYS;
    if retain >= least {
        return;
    }
    let finding = flaw(
        codes::COLD_STORAGE,
        format!("Backups go to cold storage after {} days and are deleted after {retain}", cold.value),
        format!("AWS Backup keeps what is in cold storage there for at least {COLD_DAYS} days"),
        format!("Write `retain_days: {least}` or more, or remove `cold_after_days`."),
    );
    section.report(finding.at(cold.origin.clone()));
}
