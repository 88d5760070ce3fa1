//! What questions and changes of a running database answer, beside those about dumps.

use serde::{Deserialize, Serialize};

/// What fills the data volume; all in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskReport {
    /// The file system.
    pub size: u64,
    /// Of it, used.
    pub used: u64,
    /// Of it, free for others than root.
    pub available: u64,
    /// The device below it; larger than the file system when the volume grew and that did not.
    pub device: Option<u64>,
    /// Dumps on the volume.
    pub backups: u64,
    /// What the server tells; none while it does not answer.
    pub inside: Option<Inside>,
}

/// The server's part of [`DiskReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The stack's database.
    pub database: u64,
    /// All databases, with those that restores kept.
    pub all_databases: u64,
    /// The write-ahead log.
    pub wal: u64,
    /// The ten largest tables, the largest first.
    pub tables: Vec<Table>,
}

/// A table and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// `schema.name`.
    pub name: String,
    /// With indexes, and a hypertable with its chunks.
    pub bytes: u64,
}

/// What an upgrade would do or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// The image that served.
    pub from: String,
    /// The image that the stack file names.
    pub to: String,
    /// PostgreSQL's version of the old image.
    pub server: String,
    /// PostgreSQL's version of the new one.
    pub new_server: String,
    /// The extension's version that the new image brings.
    pub timescaledb: String,
    /// Databases that have the extension, with its version there.
    pub databases: Vec<Upgraded>,
    /// Why the image does not fit; with one, nothing is done.
    pub misfits: Vec<String>,
    /// Whether there was anything to do.
    pub needed: bool,
    /// How long it took, in seconds.
    pub seconds: u64,
}

/// A database with the extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgraded {
    /// Its name.
    pub name: String,
    /// The extension's version in it.
    pub timescaledb: String,
}

/// The statements that took most time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlowQueries {
    /// Since when they are counted.
    pub since: Option<String>,
    /// The slowest in total first.
    pub queries: Vec<SlowQuery>,
}

/// One statement, all its executions together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlowQuery {
    /// Its number in `pg_stat_statements`; none where the server keeps it from the asker.
    pub id: Option<String>,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Milliseconds on average.
    pub mean_ms: f64,
    /// Executions.
    pub calls: u64,
    /// Rows in all.
    pub rows: u64,
    /// The statement, constants left out, at most 500 characters.
    pub query: String,
}

/// A chunk that a policy should have compressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkToCompress {
    /// `schema.name` of its hypertable.
    pub hypertable: String,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The end of its range, as the server writes it.
    pub ends: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// The policy's age.
    pub after: Option<String>,
}

/// A chunk that was compressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compressed {
    /// Its name.
    pub name: String,
    /// Bytes before.
    pub before_bytes: Option<u64>,
    /// Bytes after.
    pub after_bytes: Option<u64>,
}

/// A retention policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The job's number.
    pub job: i64,
    /// `schema.name` of its hypertable.
    pub hypertable: String,
    /// The age at which it drops chunks, now.
    pub after: Option<String>,
    /// Whether it runs.
    pub scheduled: bool,
    /// The chunks that go when it runs next.
    pub goes: Vec<Vanishing>,
    /// The refreshes of aggregates over the hypertable.
    pub refreshes: Vec<Refresh>,
}

/// A chunk that a retention policy drops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vanishing {
    /// Its name.
    pub name: String,
    /// The end of its range.
    pub ends: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A refresh policy. One that begins before the retention's age refreshes what was dropped, which
/// deletes its rows from the aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// `schema.name` of the aggregate.
    pub view: String,
    /// How far back it begins; none is as far as there are rows.
    pub start: Option<String>,
    /// Whether that is inside the retention.
    pub inside: bool,
}
