//! What the scripts of day 2 answer, as they write it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What a file on the host holds: as JSON, or as a string that is JSON, which newer hosts give, so
/// that a damaged file damages nothing else. None where it can be read as neither.
///
/// # Errors
/// When it is no JSON at all.
pub fn kept<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(match Option::<Value>::deserialize(from)? {
        None => None,
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        Some(value) => serde_json::from_value(value).ok(),
    })
}

/// A dump's description, which lies beside it as `NAME.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The dump's file name: `<database>_YYYYMMDD_HHMMSS.sql.gz`, UTC.
    pub file: String,
    /// The database that was dumped.
    pub database: String,
    /// PostgreSQL's version, as `server_version` shows it.
    pub server_version: String,
    /// The extension's version, if the database has it. The dump loads into this version alone.
    pub timescaledb_version: Option<String>,
    /// The container's image then.
    #[serde(default)]
    pub image: Option<String>,
    /// When it was taken, in seconds since 1970.
    #[serde(default)]
    pub taken: Option<u64>,
    /// Size of the dump, packed, in bytes.
    pub bytes: u64,
    /// Size of the database then, in bytes.
    #[serde(default)]
    pub database_bytes: Option<u64>,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Rows of each table in the dump's own snapshot, by `schema.table`.
    #[serde(default)]
    pub rows: Option<BTreeMap<String, u64>>,
}

/// What is known of a dump's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checksum {
    /// The file was read and is what its description says.
    Good,
    /// The file is not what its description says.
    Bad,
    /// The file was not read; its size is as described.
    Unchecked,
    /// There is no description.
    Missing,
}

/// A dump on the data volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskDump {
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// What is known of its checksum.
    pub checksum: Checksum,
    /// Its description; none where there is none, or it cannot be read.
    #[serde(deserialize_with = "kept")]
    pub about: Option<Backup>,
}

/// A dump in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketDump {
    /// File name, below the stack's name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether its description is there, without which it is not known to be whole.
    pub described: Option<bool>,
}

/// A database that a restore replaced and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// Its name: `<database>_before_YYYYMMDD_HHMMSS`, UTC.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Which restore replaced it.
    pub why: String,
}

/// All dumps, and what restores left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backups {
    /// The host's clock, in seconds since 1970.
    pub now: u64,
    /// The bucket that the stack names.
    pub bucket: Option<String>,
    /// Why the bucket could not be read.
    pub bucket_unread: Option<String>,
    /// On the data volume, the oldest first.
    pub on_disk: Vec<DiskDump>,
    /// In the bucket, the oldest first.
    pub in_bucket: Vec<BucketDump>,
    /// Databases that restores replaced; none is known while the database does not answer.
    pub retained: Option<Vec<Retained>>,
    /// The last drill, where its note can be read.
    #[serde(deserialize_with = "kept")]
    pub last_drill: Option<Drill>,
    /// Whether there is a note of a drill.
    #[serde(default)]
    pub drill_kept: bool,
}

/// What a restore would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    /// The dump.
    pub name: String,
    /// `disk` or `bucket`.
    pub from: String,
    /// The database whose place it takes.
    pub into: String,
    /// The size of that database now, in bytes; none if there is no such database.
    pub replaces_bytes: Option<u64>,
    /// What lhctl noted on that database, such as the restore that it comes from.
    pub note: String,
    /// The database that was dumped.
    pub database: String,
    /// When the dump was taken, in seconds since 1970; 0 if its description does not say.
    pub taken: u64,
    /// The host's clock, in seconds since 1970.
    pub now: u64,
    /// The dump's size, packed, in bytes.
    pub bytes: u64,
    /// Space that the restore needs on the data volume, in bytes: an estimate with a fifth to spare.
    pub needs_bytes: u64,
    /// Space that is free there, in bytes.
    pub free_bytes: u64,
    /// PostgreSQL's version that made the dump.
    pub dump_server: String,
    /// PostgreSQL's version here.
    pub server: String,
    /// The extension's version in the dump; empty if it has none.
    pub dump_timescaledb: String,
    /// The extension's version that the image brings; empty if none.
    pub timescaledb: String,
    /// Whether the dump's rows were counted, so that the restored ones can be compared.
    pub counts: bool,
    /// Why the dump does not fit; with one, it is not restored.
    pub misfits: Vec<String>,
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The dump.
    pub name: String,
    /// The database that holds it now.
    pub database: String,
    /// What that database was before, under its new name.
    pub kept: Option<String>,
    /// Tables whose rows were compared.
    pub tables: u64,
    /// Rows in them.
    pub rows: u64,
    /// Whether they were compared at all: the dump's description must have counts.
    pub compared: bool,
    /// How long the swap of names took, in milliseconds.
    pub downtime_ms: u64,
    /// How long everything took, in seconds.
    pub seconds: u64,
}

/// How a drill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillResult {
    /// The dump restores, and has the rows that it had.
    Passed,
    /// It does not. A drill that was interrupted, or found no dump, is not kept.
    Failed,
}

/// A drill, as `backups/last-drill.json` on the data volume keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// How it ended.
    pub result: DrillResult,
    /// Why it failed.
    pub reason: String,
    /// The dump.
    pub backup: String,
    /// `disk` or `bucket`.
    pub from: String,
    /// When it ended, in seconds since 1970.
    pub at: u64,
    /// When the last drill that passed ended, this one if it did; none is known from older hosts.
    #[serde(default)]
    pub last_passed: Option<u64>,
    /// The dump's age then, in seconds: what would be lost.
    pub age_seconds: i64,
    /// How long it took, in seconds: how long a restore takes.
    pub seconds: u64,
    /// The dump's size, packed, in bytes.
    pub bytes: u64,
    /// Tables whose rows were compared.
    pub tables: u64,
    /// Rows in them.
    pub rows: u64,
    /// Whether they were compared at all.
    pub compared: bool,
    /// The extension's version in the dump; empty if it has none.
    pub timescaledb: String,
}
