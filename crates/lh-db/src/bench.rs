//! The benchmark: three queries against their limits, on rows of its own in a scratch schema with
//! the reference stack's own definitions. Nothing of it stays, and what a crash left is dropped
//! when the next one begins.
//!
//! Aggregates are refreshed before they are timed, and read without the rows that a refresh has
//! not reached: over an unrefreshed aggregate every query is fast, because it finds nothing. So
//! each query must also find the number of rows that is there by construction.

mod limits;

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub use self::limits::{QUERIES, Query, judge};
use crate::connect::{query, scalar};
use crate::{
    Migrations, sql,
    verify::check::{Problem, Verdict},
};

/// The scratch schema.
pub const SCHEMA: &str = "lhctl_bench";

/// What marks the schema as ours to drop.
pub const MARK: &str =
    "Scratch schema of the benchmark of lhctl: dropped when it ends, or when the next one begins.";

/// The session's lock while a benchmark runs: the letters `lhbench`.
const LOCK: i64 = 0x006c_6862_656e_6368;

/// Migrations whose definitions are measured: history and the two aggregates.
const MEASURED: [i64; 3] = [20_241_001_000_003, 20_241_001_000_004, 20_241_001_000_005];

/// How many rows are written: one each 4 minutes, back from midnight, for 10 subscriptions in turn.
pub const ROWS: i64 = 10_000;

/// What is refreshed before it is timed.
const AGGREGATES: [&str; 2] = ["hourly_metrics", "daily_metrics"];

/// Runs that are not counted, and runs that are.
const WARM: usize = 3;
const COUNTED: usize = 9;

/// Runs the benchmark in `session`.
pub(crate) async fn run(session: &mut PgConnection) -> Verdict {
    let alone: bool = scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *session).await?;
    if !alone {
        let reason = "Another benchmark is running in this database";
        return Err(Problem::failed(reason, "Wait until it has ended, then verify again."));
    }
    let verdict = within(session).await;
    let cleaned = clean(session).await;
    let released = query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(session).await;
    let evidence = verdict?;
    cleaned?;
    released?;
    Ok(evidence)
}

async fn within(session: &mut PgConnection) -> Verdict {
    let mut evidence = Vec::new();
    if clean(session).await? {
        evidence.push(format!("the schema {SCHEMA} of an earlier benchmark was dropped"));
    }
    build(session).await?;
    let end = fill(session).await?;
    evidence.push(format!(
        "check_history holds {} rows",
        whole("check_history", rows(session, "check_history").await?)?
    ));
    for view in AGGREGATES {
        evidence.push(refresh(session, view).await?);
    }
    let mut took = Vec::new();
    for query in &QUERIES {
        took.push((query, time(session, query, &end).await?));
    }
    judge(&took, evidence)
}

/// Drops the scratch schema, if it is there and ours.
async fn clean(session: &mut PgConnection) -> Result<bool, Problem> {
    let mark: Option<String> = scalar(
        "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = $1",
    )
    .bind(SCHEMA)
    .fetch_optional(&mut *session)
    .await?;
    match mark {
        None => Ok(false),
        Some(mark) if mark == MARK => {
            execute(session, &format!("DROP SCHEMA {SCHEMA} CASCADE")).await?;
            Ok(true)
        }
        Some(_) => Err(Problem::failed(
            format!("There is a schema {SCHEMA} that the benchmark did not make"),
            "Rename it; the benchmark would drop a schema of this name.",
        )),
    }
}

/// Makes the schema, marked and whole, with the definitions of the migrations.
async fn build(session: &mut PgConnection) -> Result<(), Problem> {
    let embedded = Migrations::embedded();
    let mut transaction = session.begin().await?;
    execute(&mut transaction, &format!("CREATE SCHEMA {SCHEMA}")).await?;
    execute(&mut transaction, &format!("COMMENT ON SCHEMA {SCHEMA} IS '{MARK}'")).await?;
    execute(&mut transaction, &format!("SET LOCAL search_path = {SCHEMA}, public")).await?;
    for migration in embedded.all.iter().filter(|one| MEASURED.contains(&one.version)) {
        let (found, _) = sql::statements(&migration.sql);
        for statement in &found {
            execute(&mut transaction, &migration.sql[statement.span.clone()]).await?;
        }
    }
    for view in AGGREGATES {
        let only = format!("ALTER MATERIALIZED VIEW {view} SET (timescaledb.materialized_only = true)");
        execute(&mut transaction, &only).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Writes the rows and returns the midnight before which all of them are.
async fn fill(session: &mut PgConnection) -> Result<String, Problem> {
    let end: String = scalar("SELECT date_trunc('day', now(), 'UTC')::text").fetch_one(&mut *session).await?;
    let insert = format!(
        "INSERT INTO {SCHEMA}.check_history (time, subscription_id, status, http_status, latency_ms) \
         SELECT '{end}'::timestamptz - n * INTERVAL '4 minutes', {}, \
                CASE WHEN n % 50 = 0 THEN 'failure' ELSE 'success' END, CASE WHEN n % 50 = 0 THEN 500 ELSE 200 END, 20 + n % 180 \
         FROM generate_series(1, {ROWS}) AS n",
        subscription("n % 10")
    );
    execute(session, &insert).await?;
    execute(session, &format!("ANALYZE {SCHEMA}.check_history")).await?;
    Ok(end)
}

/// The id of a subscription by its number, an expression of SQL.
fn subscription(number: &str) -> String {
    format!("('00000000-0000-4000-8000-' || lpad(({number})::text, 12, '0'))::uuid")
}

/// Refreshes one aggregate, and says what it held before and after.
async fn refresh(session: &mut PgConnection, view: &str) -> Result<String, Problem> {
    let before = rows(session, view).await?;
    execute(session, &format!("CALL refresh_continuous_aggregate('{SCHEMA}.{view}', NULL, NULL)")).await?;
    let after = whole(view, rows(session, view).await?)?;
    Ok(format!("{view} refreshed: from {before} to {after} of {ROWS} rows"))
}

/// How many rows the table holds, or an aggregate has gathered.
async fn rows(session: &mut PgConnection, of: &str) -> Result<i64, Problem> {
    let count = if AGGREGATES.contains(&of) { "sum(total_checks)" } else { "count(*)" };
    let query = format!("SELECT coalesce({count}, 0)::bigint FROM {SCHEMA}.{of}");
    Ok(scalar(AssertSqlSafe(query)).fetch_one(session).await?)
}

/// Makes sure that these are all: fast because empty is not fast.
fn whole(what: &str, have: i64) -> Result<i64, Problem> {
    if have == ROWS {
        return Ok(have);
    }
    let reason = format!("{what} holds {have} of the {ROWS} rows: what is timed over it says nothing");
    Err(Problem::failed(reason, "Refresh works in this database? See the server's log."))
}

/// The median time of a query by the server's own measure, planning included; the network is the
/// connection check's matter.
async fn time(session: &mut PgConnection, query: &Query, end: &str) -> Result<Duration, Problem> {
    let text =
        query.text.replace("$end", &format!("'{end}'::timestamptz")).replace("$one", &subscription("0"));
    let text = ["hourly_metrics", "daily_metrics", "check_history"]
        .iter()
        .fold(text, |text, name| text.replace(&format!("FROM {name}"), &format!("FROM {SCHEMA}.{name}")));
    let mut times = Vec::new();
    for turn in 0..WARM + COUNTED {
        if turn == 0 {
            let rows = sqlx::raw_sql(AssertSqlSafe(text.clone())).fetch_all(&mut *session).await?.len();
            if i64::try_from(rows) != Ok(query.rows) {
                let reason = format!("{}: {rows} rows instead of {}", query.name, query.rows);
                return Err(Problem::failed(
                    reason,
                    "This is a fault of lhctl or of the database; please report it.",
                ));
            }
        }
        let explain = format!("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY ON) {text}");
        let plan: Vec<String> = scalar(AssertSqlSafe(explain)).fetch_all(&mut *session).await?;
        if turn >= WARM {
            times.push(measured(&plan).ok_or_else(unmeasured)?);
        }
    }
    times.sort();
    Ok(times[COUNTED / 2])
}

/// `Planning Time: 0.210 ms` and `Execution Time: 0.450 ms`, together; none where one is missing.
fn measured(plan: &[String]) -> Option<Duration> {
    let of = |name: &str| {
        let rest = plan.iter().find_map(|line| line.trim().strip_prefix(name))?;
        rest.strip_suffix(" ms")?.parse::<f64>().ok()
    };
    let total = of("Planning Time: ")? + of("Execution Time: ")?;
    Duration::try_from_secs_f64(total / 1000.0).ok()
}

fn unmeasured() -> Problem {
    Problem::failed(
        "The server's EXPLAIN tells no times",
        "See what EXPLAIN (ANALYZE, SUMMARY) prints there.",
    )
}

async fn execute(session: &mut PgConnection, text: &str) -> Result<(), Problem> {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(session).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_plan_is_planning_and_execution() {
        let plan =
            ["Sort (rows=1)", " Planning Time: 0.250 ms", "Execution Time: 1.500 ms"].map(str::to_owned);
        assert_eq!(measured(&plan), Some(Duration::from_micros(1750)));
        assert_eq!(measured(&plan[..2]), None, "a time that is not told is not zero");
    }

    #[test]
    fn what_is_not_whole_is_not_timed() {
        assert_eq!(whole("hourly_metrics", ROWS), Ok(ROWS));
        let Err(Problem::Failed(reason, ..)) = whole("hourly_metrics", ROWS - 1) else { panic!() };
        assert!(reason.starts_with("hourly_metrics holds 9999 of the 10000 rows"), "{reason}");
    }

    #[test]
    fn what_is_measured_is_what_the_migrations_make() {
        let versions: Vec<i64> = Migrations::embedded().all.iter().map(|one| one.version).collect();
        assert!(MEASURED.iter().all(|version| versions.contains(version)));
    }
}
