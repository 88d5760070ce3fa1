//! Scripts about dumps: making, listing, restoring, drilling.

use super::{carried, sent};
use crate::scripts;

/// Where a dump is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The data volume.
    Disk,
    /// The bucket that the stack names.
    Bucket,
}

impl Origin {
    fn word(of: Option<Self>) -> &'static str {
        match of {
            None => "",
            Some(Self::Disk) => "disk",
            Some(Self::Bucket) => "bucket",
        }
    }
}

/// Which dump to restore, and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restore {
    /// The dump's file name.
    pub name: String,
    /// Where to take it from; without one the disk goes before the bucket.
    pub from: Option<Origin>,
    /// The database to put it in the place of, if not the stack's own.
    pub into: Option<String>,
    /// Whether to do it, or only to tell what would be done.
    pub run: bool,
}

/// Dumps the database, as [`scripts::BACKUP`] does on its timer; ends with a [`super::Backup`].
#[must_use]
pub fn backup() -> String {
    carried(&scripts::backup())
}

/// Lists dumps; ends with [`super::Backups`]. With `check`, reads those on the disk.
#[must_use]
pub fn backups(check: bool) -> String {
    let values = [("CHECK", if check { "1" } else { "" })];
    sent(&values, &[include_str!("../host/day2/kept.sh"), include_str!("../host/day2/backups.sh")])
}

/// Restores a dump; ends with a [`super::RestorePlan`], or [`super::Restored`] when it was run.
#[must_use]
pub fn restore(restore: &Restore) -> String {
    let values = [
        ("NAME", restore.name.as_str()),
        ("FROM", Origin::word(restore.from)),
        ("INTO", restore.into.as_deref().unwrap_or_default()),
        ("MODE", if restore.run { "run" } else { "plan" }),
    ];
    sent(&values, &[include_str!("../host/day2/dumps.sh"), include_str!("../host/day2/restore.sh")])
}

/// Restores the latest dump into a scratch database and drops that; ends with a [`super::Drill`].
/// Without `from`, the bucket's dump where the stack names a bucket: what is left when the volume
/// is lost.
#[must_use]
pub fn drill(from: Option<Origin>) -> String {
    let values = [("NAME", ""), ("FROM", Origin::word(from)), ("INTO", "")];
    sent(&values, &[include_str!("../host/day2/dumps.sh"), include_str!("../host/day2/drill.sh")])
}

/// Lists the databases that restores of the stack replaced and kept; ends with `{"retained": [...]}` of
/// [`super::Retained`].
#[must_use]
pub fn retained() -> String {
    release("list", &[])
}

/// Drops those of `names` that a restore of the stack replaced, and no other database; ends as [`retained`],
/// with what there was before.
#[must_use]
pub fn release_retained(names: &[String]) -> String {
    release("run", names)
}

fn release(mode: &str, names: &[String]) -> String {
    let only = names.join(" ");
    let values = [("MODE", mode), ("ONLY", only.as_str())];
    sent(&values, &[include_str!("../host/day2/kept.sh"), include_str!("../host/day2/release.sh")])
}
