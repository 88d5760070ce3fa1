//! Policies: compression, retention, and refreshes that stay inside what retention keeps.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    Problem, Verdict,
    schema::{AGGREGATES, Aggregate, HYPERTABLES},
};
use crate::connect::query;

/// The age at which chunks are compressed, as the migrations say it.
pub const COMPRESS_AFTER: &str = "7 days";

/// The age at which chunks are dropped, as the migrations say it.
pub const RETENTION: &str = "90 days";

pub(super) async fn compression(session: &mut PgConnection) -> Verdict {
    aged(session, "policy_compression", "compress_after", COMPRESS_AFTER, "compression").await
}

pub(super) async fn retention(session: &mut PgConnection) -> Verdict {
    aged(session, "policy_retention", "drop_after", RETENTION, "retention").await
}

/// A policy of both hypertables that acts at an age.
async fn aged(session: &mut PgConnection, procedure: &str, key: &str, wanted: &str, what: &str) -> Verdict {
    let mut evidence = Vec::new();
    for table in HYPERTABLES {
        let rows = query(
            "SELECT job_id, scheduled, config->>$3 AS age, (config->>$3)::interval = $4::text::interval AS right, \
                schedule_interval::text AS every, schedule_interval <= (config->>$3)::interval AS often \
             FROM timescaledb_information.jobs \
             WHERE proc_name = $1 AND hypertable_name = $2 AND hypertable_schema = ANY (current_schemas(false))",
        )
        .bind(procedure)
        .bind(table)
        .bind(key)
        .bind(wanted)
        .fetch_all(&mut *session)
        .await?;
        let row = single(&rows, what, table)?;
        let age: Option<String> = row.get("age");
        let age = age.unwrap_or_else(|| "no age".to_owned());
        if row.get::<Option<bool>, _>("right") != Some(true) {
            let job: i32 = row.get("job_id");
            return Err(Problem::Failed(
                format!("The {what} policy of {table} acts after {age}, not after {wanted}"),
                format!(
                    "SELECT alter_job({job}, config => jsonb_set(config, '{{{key}}}', '\"{wanted}\"')) FROM timescaledb_information.jobs WHERE job_id = {job}"
                ),
                evidence,
            ));
        }
        often_enough(row, what, table, "acts", &age)?;
        evidence.push(format!("{table}: after {age}, job {}", row.get::<i32, _>("job_id")));
    }
    Ok(evidence)
}

/// The one policy there should be, which must not be paused.
fn single<'r>(rows: &'r [PgRow], what: &str, of: &str) -> Result<&'r PgRow, Problem> {
    let [row] = rows else {
        let (reason, fix) = if rows.is_empty() {
            (format!("{of} has no {what} policy"), super::schema::MIGRATE)
        } else {
            (format!("{of} has {} {what} policies", rows.len()), "Remove all but one with delete_job().")
        };
        return Err(Problem::failed(reason, fix));
    };
    if row.get::<bool, _>("scheduled") {
        return Ok(row);
    }
    let job: i32 = row.get("job_id");
    Err(Problem::failed(
        format!("The {what} policy of {of} is paused"),
        format!("SELECT alter_job({job}, scheduled => true)"),
    ))
}

/// Whether the policy's job comes round before what it acts on is twice as old as it should be.
fn often_enough(row: &PgRow, what: &str, of: &str, acts: &str, span: &str) -> Result<(), Problem> {
    if row.get::<Option<bool>, _>("often") == Some(true) {
        return Ok(());
    }
    let (job, every): (i32, String) = (row.get("job_id"), row.get("every"));
    Err(Problem::failed(
        format!("The {what} policy of {of} {acts} after {span}, and its job runs every {every} only"),
        format!("SELECT alter_job({job}, schedule_interval => INTERVAL '6 hours')"),
    ))
}

pub(super) async fn refresh(session: &mut PgConnection) -> Verdict {
    let mut evidence = Vec::new();
    for Aggregate { name: view, .. } in AGGREGATES {
        let rows = refreshes(session, view).await?;
        let row = single(&rows, "refresh", view)?;
        let text = |name: &str| row.get::<Option<String>, _>(name).unwrap_or_else(|| "no limit".to_owned());
        let (start, end, dropped) = (text("start"), text("end"), text("dropped"));
        let job: i32 = row.get("job_id");
        if row.get::<Option<bool>, _>("inside") != Some(true) {
            return Err(Problem::Failed(
                format!(
                    "The refresh policy of {view} begins {start} back, and retention drops after {dropped}: refreshing what was dropped deletes its rows from the aggregate"
                ),
                format!(
                    "SELECT alter_job({job}, config => jsonb_set(config, '{{start_offset}}', '\"30 days\"')) FROM timescaledb_information.jobs WHERE job_id = {job}"
                ),
                evidence,
            ));
        }
        often_enough(
            row,
            "refresh",
            view,
            &format!("reaches from {start} to {end} back, which it leaves behind"),
            "that",
        )?;
        evidence.push(format!("{view}: from {start} to {end} back, every {}, job {job}", text("every")));
    }
    Ok(evidence)
}

/// The refresh policies of one aggregate. Before 2.20 or so the view of jobs names the hypertable
/// behind the aggregate, later the aggregate itself.
async fn refreshes(session: &mut PgConnection, view: &str) -> Result<Vec<PgRow>, sqlx::Error> {
    query(
        "SELECT j.job_id, j.scheduled, j.schedule_interval::text AS every, \
                j.config->>'start_offset' AS start, j.config->>'end_offset' AS end, r.config->>'drop_after' AS dropped, \
                (j.config->>'start_offset')::interval <= coalesce((r.config->>'drop_after')::interval, interval '1000 years') AS inside, \
                j.schedule_interval <= (j.config->>'start_offset')::interval - coalesce((j.config->>'end_offset')::interval, interval '0') AS often \
         FROM timescaledb_information.continuous_aggregates c \
         JOIN timescaledb_information.jobs j ON j.proc_name = 'policy_refresh_continuous_aggregate' \
          AND ((j.hypertable_schema, j.hypertable_name) = (c.view_schema, c.view_name) \
            OR (j.hypertable_schema, j.hypertable_name) = (c.materialization_hypertable_schema, c.materialization_hypertable_name)) \
         LEFT JOIN timescaledb_information.jobs r ON r.proc_name = 'policy_retention' \
          AND (r.hypertable_schema, r.hypertable_name) = (c.hypertable_schema, c.hypertable_name) \
         WHERE c.view_name = $1 AND c.view_schema = ANY (current_schemas(false))",
    )
    .bind(view)
    .fetch_all(session)
    .await
}
