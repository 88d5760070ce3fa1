//! Day 2: operations on a database that serves.
//!
//! [`Host`] does what needs the stack's instance: dumps, restores, drills, upgrades, logs, disk.
//! [`Database`] asks and changes what SQL alone reaches, on the instance or by a URL. The work
//! itself is in `lh_host`'s scripts; here they are sent, and their answers read.

mod copy;
mod host;
mod run;
mod sql;

pub use host::Host;
pub use lh_host::day2::{
    Backup, Backups, BucketDump, Checksum, ChunkToCompress, Compressed, DiskDump, DiskReport, Drill,
    DrillResult, Inside, Logs, Origin, Refresh, Restore, RestorePlan, Restored, Retained, Retention,
    SlowQueries, SlowQuery, Table, Upgrade, Upgraded, Vanishing,
};
pub use sql::{Age, Database};

/// Takes lines of progress, a sentence each.
pub type Progress<'t> = dyn FnMut(&str) + Send + 't;
