//! The objects that the reference stack's migrations leave: tables, hypertables, continuous
//! aggregates, indexes; and whether the migrations were run at all.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row};

use super::check::{Problem, Verdict};
use crate::connect::{query, scalar};
use crate::{Migrations, migrations};

/// What to do when an object is not as the migrations make it.
pub(super) const MIGRATE: &str =
    "Run `lhctl migrate STACK`; if it has nothing to run, somebody changed the database by hand.";

/// Tables with the columns that their readers and writers count on.
const TABLES: [(&str, &[&str]); 3] = [
    ("users", &["id", "email", "wallet_address", "created_at", "updated_at"]),
    (
        "subscriptions",
        &[
            "id",
            "user_id",
            "name",
            "target_url",
            "check_interval_seconds",
            "timeout_ms",
            "expected_status",
            "active",
            "created_at",
            "updated_at",
        ],
    ),
    ("alert_channels", &["id", "user_id", "kind", "config", "active", "created_at"]),
];
/// The hypertables of the reference stack.
pub const HYPERTABLES: [&str; 2] = ["check_history", "alert_history"];
/// Their columns, in the same order.
const HISTORY: [&[&str]; 2] = [
    &["time", "subscription_id", "status", "http_status", "latency_ms", "error_message", "region"],
    &["time", "subscription_id", "alert_channel_id", "kind", "message", "delivered"],
];
/// How long a chunk is, as the migrations say it.
const CHUNK: &str = "1 day";

/// A continuous aggregate.
pub(super) struct Aggregate {
    pub name: &'static str,
    /// What it is made of.
    of: &'static str,
    /// The width of its buckets, as PostgreSQL writes the interval in a view's definition.
    bucket: &'static str,
    /// The columns that its readers count on.
    columns: &'static [&'static str],
}

/// The continuous aggregates of the reference stack.
pub(super) const AGGREGATES: [Aggregate; 2] = [
    Aggregate {
        name: "hourly_metrics",
        of: "check_history",
        bucket: "01:00:00",
        columns: &[
            "hour",
            "subscription_id",
            "total_checks",
            "successful_checks",
            "uptime_ratio",
            "avg_latency_ms",
        ],
    },
    Aggregate {
        name: "daily_metrics",
        of: "check_history",
        bucket: "1 day",
        columns: &[
            "day",
            "subscription_id",
            "total_checks",
            "successful_checks",
            "uptime_ratio",
            "avg_latency_ms",
            "p95_latency_ms",
        ],
    },
];

pub(super) async fn migrations(session: &mut PgConnection, migrations: &Migrations) -> Verdict {
    let standing = migrations::standing_in(session, migrations).await?;
    if let Some(finding) = standing.findings().next() {
        let fix = finding.fix.clone().unwrap_or_default();
        return Err(Problem::failed(finding.message.clone(), fix));
    }
    let pending = standing.pending().count();
    if pending > 0 {
        let all = standing.rows.iter().filter(|row| row.file.is_some()).count();
        let reason = format!("{pending} of {all} migrations were not run");
        return Err(Problem::failed(reason, "Run them with `lhctl migrate STACK`."));
    }
    let own: Vec<_> = standing.rows.iter().filter(|row| row.file.is_some()).collect();
    let last = own.last().map(|row| format!(", the last is {} ({})", row.version, row.description));
    let mut evidence = vec![format!("{} migrations applied{}", own.len(), last.unwrap_or_default())];
    match standing.passed_over() {
        0 => {}
        over => evidence.push(format!("{over} without a file passed over (--ignore-missing)")),
    }
    Ok(evidence)
}

pub(super) async fn tables(session: &mut PgConnection) -> Verdict {
    let mut missing = Vec::new();
    for (table, _) in TABLES {
        let there: bool = scalar(
            "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind IN ('r', 'p'))",
        )
        .bind(table)
        .fetch_one(&mut *session)
        .await?;
        if !there {
            missing.push(table);
        }
    }
    lacking("table", &missing)?;
    for (table, columns) in TABLES {
        has_columns(session, "table", table, columns).await?;
    }
    Ok(vec![TABLES.map(|(table, _)| table).join(", ")])
}

/// That a relation has all of these columns.
async fn has_columns(
    session: &mut PgConnection,
    what: &str,
    name: &str,
    columns: &[&str],
) -> Result<(), Problem> {
    let have: Vec<String> = scalar(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
    )
    .bind(name)
    .fetch_all(session)
    .await?;
    match columns.iter().find(|column| !have.iter().any(|have| have == *column)) {
        Some(column) => Err(Problem::failed(format!("The {what} {name} has no column {column}"), MIGRATE)),
        None => Ok(()),
    }
}

fn lacking(what: &str, missing: &[&str]) -> Result<(), Problem> {
    match missing {
        [] => Ok(()),
        [one] => Err(Problem::failed(format!("There is no {what} {one}"), MIGRATE)),
        many => Err(Problem::failed(format!("There are no {what}s {}", many.join(", ")), MIGRATE)),
    }
}

pub(super) async fn hypertables(session: &mut PgConnection) -> Verdict {
    let rows = query(
        "SELECT h.hypertable_name::text AS name, h.num_chunks, d.column_name::text AS dimension, d.column_type::text AS type, \
                d.time_interval::text AS chunk, d.time_interval = $1::text::interval AS right \
         FROM timescaledb_information.hypertables h \
         JOIN timescaledb_information.dimensions d USING (hypertable_schema, hypertable_name) \
         WHERE d.dimension_number = 1 AND h.hypertable_schema = ANY (current_schemas(false))",
    )
    .bind(CHUNK)
    .fetch_all(&mut *session)
    .await?;
    let found: BTreeMap<String, _> = rows.iter().map(|row| (row.get::<String, _>("name"), row)).collect();
    let missing: Vec<&str> = HYPERTABLES.into_iter().filter(|name| !found.contains_key(*name)).collect();
    lacking("hypertable", &missing)?;
    let mut evidence = Vec::new();
    for (name, columns) in HYPERTABLES.into_iter().zip(HISTORY) {
        has_columns(session, "hypertable", name, columns).await?;
        let row = found[name];
        let (dimension, kind): (String, String) = (row.get("dimension"), row.get("type"));
        if dimension != "time" || kind != "timestamp with time zone" {
            let reason = format!(
                "The hypertable {name} is divided by {dimension} ({kind}), not by time (timestamptz)"
            );
            return Err(Problem::failed(reason, MIGRATE));
        }
        let chunk: String = row.get("chunk");
        if row.get::<Option<bool>, _>("right") != Some(true) {
            let reason = format!(
                "The hypertable {name} makes chunks of {chunk}, not of {CHUNK}: what is compressed and dropped goes by whole chunks"
            );
            let fix = format!(
                "SELECT set_chunk_time_interval('{name}', INTERVAL '{CHUNK}'); chunks that are there keep their length."
            );
            return Err(Problem::Failed(reason, fix, evidence));
        }
        evidence.push(format!("{name}: chunks of {chunk}, {} so far", row.get::<i64, _>("num_chunks")));
    }
    Ok(evidence)
}

pub(super) async fn aggregates(session: &mut PgConnection) -> Verdict {
    let rows = query(
        "SELECT view_name::text AS name, materialized_only, hypertable_name::text AS of, view_definition::text AS definition \
         FROM timescaledb_information.continuous_aggregates WHERE view_schema = ANY (current_schemas(false))",
    )
    .fetch_all(&mut *session)
    .await?;
    let found: BTreeMap<String, _> = rows.iter().map(|row| (row.get::<String, _>("name"), row)).collect();
    let names = AGGREGATES.iter().map(|aggregate| aggregate.name);
    let missing: Vec<&str> = names.filter(|name| !found.contains_key(*name)).collect();
    lacking("continuous aggregate", &missing)?;
    let mut evidence = Vec::new();
    for Aggregate { name, of, bucket, columns } in AGGREGATES {
        has_columns(session, "continuous aggregate", name, columns).await?;
        let row = found[name];
        let made_of: String = row.get("of");
        let is_right =
            row.get::<String, _>("definition").contains(&format!("time_bucket('{bucket}'::interval"));
        if made_of != of || !is_right {
            let reason = format!("The continuous aggregate {name} is not one of {of} in buckets of {bucket}");
            return Err(Problem::Failed(reason, MIGRATE.to_owned(), evidence));
        }
        let newest = match row.get("materialized_only") {
            true => "as of the last refresh",
            false => "with what is newer than the last refresh",
        };
        evidence.push(format!("{name}: {newest}"));
    }
    Ok(evidence)
}

pub(super) async fn indexes(session: &mut PgConnection) -> Verdict {
    let mut evidence = Vec::new();
    for table in HYPERTABLES {
        let leading: Vec<String> = scalar(
            "SELECT i.indexrelid::regclass::text FROM pg_index i \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indrelid = to_regclass($1) AND i.indisvalid AND i.indpred IS NULL AND a.attname = 'time' ORDER BY 1",
        )
        .bind(table)
        .fetch_all(&mut *session)
        .await?;
        if leading.is_empty() {
            let reason = format!("No index of {table} begins with the column time");
            let fix = format!("CREATE INDEX ON {table} (time DESC), in a migration.");
            return Err(Problem::Failed(reason, fix, evidence));
        }
        evidence.push(format!("{table}: {}", leading.join(", ")));
    }
    Ok(evidence)
}
