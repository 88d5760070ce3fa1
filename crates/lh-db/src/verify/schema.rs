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

const TABLES: [&str; 3] = ["users", "subscriptions", "alert_channels"];
/// The hypertables of the reference stack.
pub const HYPERTABLES: [&str; 2] = ["check_history", "alert_history"];
/// Each aggregate with the columns that its readers count on.
pub(super) const AGGREGATES: [(&str, [&str; 3]); 2] = [
    ("hourly_metrics", ["hour", "subscription_id", "uptime_ratio"]),
    ("daily_metrics", ["day", "subscription_id", "uptime_ratio"]),
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
    for table in TABLES {
        let there: bool =
            scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(&mut *session).await?;
        if !there {
            missing.push(table);
        }
    }
    lacking("table", &missing)?;
    Ok(vec![TABLES.join(", ")])
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
                d.time_interval::text AS chunk \
         FROM timescaledb_information.hypertables h \
         JOIN timescaledb_information.dimensions d USING (hypertable_schema, hypertable_name) \
         WHERE d.dimension_number = 1 AND h.hypertable_schema = ANY (current_schemas(false))",
    )
    .fetch_all(session)
    .await?;
    let found: BTreeMap<String, _> = rows.iter().map(|row| (row.get::<String, _>("name"), row)).collect();
    let missing: Vec<&str> = HYPERTABLES.into_iter().filter(|name| !found.contains_key(*name)).collect();
    lacking("hypertable", &missing)?;
    let mut evidence = Vec::new();
    for name in HYPERTABLES {
        let row = found[name];
        let (dimension, kind): (String, String) = (row.get("dimension"), row.get("type"));
        if dimension != "time" || kind != "timestamp with time zone" {
            let reason = format!(
                "The hypertable {name} is divided by {dimension} ({kind}), not by time (timestamptz)"
            );
            return Err(Problem::failed(reason, MIGRATE));
        }
        let chunk: String = row.get("chunk");
        evidence.push(format!("{name}: chunks of {chunk}, {} so far", row.get::<i64, _>("num_chunks")));
    }
    Ok(evidence)
}

pub(super) async fn aggregates(session: &mut PgConnection) -> Verdict {
    let rows = query(
        "SELECT view_name::text AS name, materialized_only FROM timescaledb_information.continuous_aggregates \
         WHERE view_schema = ANY (current_schemas(false))",
    )
    .fetch_all(&mut *session)
    .await?;
    let found: BTreeMap<String, bool> =
        rows.iter().map(|row| (row.get("name"), row.get("materialized_only"))).collect();
    let names = AGGREGATES.map(|(name, _)| name);
    let missing: Vec<&str> = names.into_iter().filter(|name| !found.contains_key(*name)).collect();
    lacking("continuous aggregate", &missing)?;
    let mut evidence = Vec::new();
    for (name, columns) in AGGREGATES {
        let have: Vec<String> = scalar(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
        )
        .bind(name)
        .fetch_all(&mut *session)
        .await?;
        if let Some(column) = columns.iter().find(|column| !have.iter().any(|have| have == *column)) {
            return Err(Problem::failed(
                format!("The continuous aggregate {name} has no column {column}"),
                MIGRATE,
            ));
        }
        let newest =
            if found[name] { "as of the last refresh" } else { "with what is newer than the last refresh" };
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
             WHERE i.indrelid = to_regclass($1) AND i.indisvalid AND a.attname = 'time' ORDER BY 1",
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
