//! The reference stack's migrations on a real TimescaleDB, what they leave, and what `verify`
//! says when somebody changes it. Tests that carry a defect's number are about that defect of the
//! guide that lhctl replaces.

use lh_db::{
    COMPRESS_AFTER, DatabaseUrl, Migrations, Outcome, RETENTION, Report, RunOptions, VerifyOptions, run,
    status, verify,
};
use sqlx::{PgConnection, migrate::Migrator};

use crate::servers::{execute, number, session, timescale};

pub async fn migrate(url: &DatabaseUrl) -> Vec<i64> {
    run(url, &Migrations::embedded(), &RunOptions::default(), &mut |_| {}).await.unwrap()
}

pub async fn verified(url: &DatabaseUrl, bench: bool) -> Report {
    verify(url, &Migrations::embedded(), &VerifyOptions { skip: Vec::new(), bench }).await
}

/// The reason for which the check failed.
#[track_caller]
fn failure(report: &Report, name: &str) -> String {
    let check = report.checks.iter().find(|check| check.name == name).unwrap();
    match &check.outcome {
        Outcome::Failed { reason, fix } => {
            assert!(!fix.is_empty());
            reason.clone()
        }
        other => panic!("{name}: {other:?} {:?}", check.evidence),
    }
}

#[tokio::test]
async fn the_migrations_make_what_the_application_needs_and_sqlx_reads_them_as_its_own() {
    let test = "the_migrations_make_what_the_application_needs_and_sqlx_reads_them_as_its_own";
    let Some((database, _folder)) = timescale(test).await else { return };
    let url = database.url();
    let before = verified(url, false).await;
    assert!(failure(&before, "migrations").contains("6 of 6 migrations were not run"));
    assert_eq!(migrate(url).await.len(), 6);
    assert_eq!(migrate(url).await, [0_i64; 0], "a second run has nothing to do");
    let standing = status(url, &Migrations::embedded()).await.unwrap();
    assert_eq!((standing.findings().count(), standing.pending().count()), (0, 0));
    let report = verified(url, false).await;
    assert!(report.holds(), "{report:#?}");

    let mut session = session(url).await;
    let files = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    Migrator::new(files).await.unwrap().run(&mut session).await.unwrap();
    assert_eq!(number(&mut session, "SELECT count(*) FROM _sqlx_migrations WHERE success").await, 6);

    history(&mut session).await;
    ages(&mut session).await;
    database.stop().await;
}

/// Checks of a subscription that nobody entered are taken, and the aggregates show them at once,
/// refreshed and not.
async fn history(session: &mut PgConnection) {
    execute(
        session,
        "INSERT INTO check_history (time, subscription_id, status, http_status, latency_ms) \
         SELECT now() - n * INTERVAL '1 hour', gen_random_uuid(), CASE WHEN n % 4 = 0 THEN 'failure' ELSE 'success' END, 200, random() * 300 \
         FROM generate_series(1, 400) n",
    )
    .await;
    let total = "SELECT sum(total_checks)::bigint FROM ";
    assert_eq!(number(session, &format!("{total} hourly_metrics")).await, 400, "before any refresh");
    for view in ["hourly_metrics", "daily_metrics"] {
        execute(session, &format!("CALL refresh_continuous_aggregate('{view}', NULL, NULL)")).await;
        assert_eq!(number(session, &format!("{total} {view}")).await, 400);
    }
    let outside = "SELECT count(*) FROM daily_metrics WHERE NOT uptime_ratio BETWEEN 0 AND 1";
    assert_eq!(number(session, outside).await, 0);
    assert_eq!(number(session, "SELECT sum(successful_checks)::bigint FROM daily_metrics").await, 300);
}

/// The policies do what they say: old chunks are compressed, older ones dropped, and what the
/// aggregates knew of them stays when they are refreshed.
async fn ages(session: &mut PgConnection) {
    execute(
        session,
        "INSERT INTO check_history (time, subscription_id, status) \
         VALUES (now() - INTERVAL '100 days', gen_random_uuid(), 'success')",
    )
    .await;
    execute(session, "CALL refresh_continuous_aggregate('daily_metrics', NULL, NULL)").await;
    let job = |name: &str, table: &str| {
        format!(
            "SELECT job_id::bigint FROM timescaledb_information.jobs WHERE proc_name = '{name}' AND hypertable_name = '{table}'"
        )
    };
    for (name, table) in [
        ("policy_compression", "check_history"),
        ("policy_retention", "check_history"),
        ("policy_refresh_continuous_aggregate", "daily_metrics"),
    ] {
        let id = number(session, &job(name, table)).await;
        execute(session, &format!("CALL run_job({id})")).await;
    }
    let compressed = "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'check_history' AND is_compressed";
    assert!(number(session, compressed).await > 0);
    let old = "SELECT count(*) FROM check_history WHERE time < now() - INTERVAL '91 days'";
    assert_eq!(number(session, old).await, 0);
    let kept = "SELECT count(*) FROM daily_metrics WHERE day < now() - INTERVAL '91 days'";
    assert_eq!(number(session, kept).await, 1, "the aggregate keeps what retention dropped");
}

#[tokio::test]
async fn guide_defect_14_retention_is_90_days_in_one_place_and_every_change_of_a_policy_is_seen() {
    let test = "guide_defect_14_retention_is_90_days_in_one_place_and_every_change_of_a_policy_is_seen";
    let Some((database, _folder)) = timescale(test).await else { return };
    let url = database.url();
    migrate(url).await;
    let mut session = session(url).await;
    let days: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT config->>'drop_after' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'",
    )
    .fetch_all(&mut session)
    .await
    .unwrap();
    assert_eq!((days, RETENTION, COMPRESS_AFTER), (vec!["90 days".to_owned()], "90 days", "7 days"));

    // Each change, the check that sees it, and the way back, which verify itself proposes.
    let of = |name: &str| {
        format!(
            "FROM timescaledb_information.jobs WHERE proc_name = '{name}' AND hypertable_name IN ('check_history', 'daily_metrics')"
        )
    };
    let set = |name: &str, key: &str, value: &str| {
        format!(
            "SELECT alter_job(job_id, config => jsonb_set(config, '{{{key}}}', '\"{value}\"')) {}",
            of(name)
        )
    };
    for (check, name, key, wrong, words) in [
        ("retention", "policy_retention", "drop_after", "30 days", "acts after 30 days, not after 90 days"),
        (
            "compression",
            "policy_compression",
            "compress_after",
            "1 day",
            "acts after 1 day, not after 7 days",
        ),
        ("refresh", "policy_refresh_continuous_aggregate", "start_offset", "120 days", "deletes its rows"),
    ] {
        execute(&mut session, &set(name, key, wrong)).await;
        let report = verified(url, false).await;
        assert!(failure(&report, check).contains(words), "{report:#?}");
        assert_eq!(report.counts().1, 1, "nothing else fails");
        let fix = fix(&report, check);
        execute(&mut session, &fix).await;
        assert!(verified(url, false).await.holds(), "{fix} mends it");
    }
    let pause = |on: bool| format!("SELECT alter_job(job_id, scheduled => {on}) {}", of("policy_retention"));
    execute(&mut session, &pause(false)).await;
    assert!(failure(&verified(url, false).await, "retention").contains("is paused"));
    execute(&mut session, &pause(true)).await;

    // What was changed is named, whatever it was, and mended.
    for (change, check, words, back) in [
        (
            "ALTER TABLE check_history RENAME latency_ms TO lat",
            "hypertables",
            "The hypertable check_history has no column latency_ms",
            "ALTER TABLE check_history RENAME lat TO latency_ms",
        ),
        (
            "SELECT set_chunk_time_interval('check_history', INTERVAL '10 days')",
            "hypertables",
            "makes chunks of 10 days, not of 1 day",
            "SELECT set_chunk_time_interval('check_history', INTERVAL '1 day')",
        ),
        (
            "ALTER TABLE users RENAME email TO mail",
            "tables",
            "The table users has no column email",
            "ALTER TABLE users RENAME mail TO email",
        ),
        (
            "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people",
            "tables",
            "There is no table users",
            "DROP VIEW users; ALTER TABLE people RENAME TO users",
        ),
        (
            "SELECT alter_job(job_id, schedule_interval => INTERVAL '100 years') FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'",
            "retention",
            "and its job runs every 100 years only",
            "SELECT alter_job(job_id, schedule_interval => INTERVAL '1 day') FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'",
        ),
        (
            "SELECT alter_job(job_id, schedule_interval => INTERVAL '4 days') FROM timescaledb_information.jobs WHERE hypertable_name = 'hourly_metrics'",
            "refresh",
            "and its job runs every 4 days only",
            "SELECT alter_job(job_id, schedule_interval => INTERVAL '30 minutes') FROM timescaledb_information.jobs WHERE hypertable_name = 'hourly_metrics'",
        ),
        (
            "DROP INDEX check_history_time_idx; CREATE INDEX never ON check_history (time) WHERE false",
            "indexes",
            "No index of check_history begins with the column time",
            "DROP INDEX never; CREATE INDEX check_history_time_idx ON check_history (time DESC)",
        ),
    ] {
        execute(&mut session, change).await;
        let report = verified(url, false).await;
        assert!(failure(&report, check).contains(words), "{report:#?}");
        execute(&mut session, back).await;
        assert!(verified(url, false).await.holds(), "{back}");
    }

    for (change, check, words) in [
        (
            "DROP MATERIALIZED VIEW daily_metrics; CREATE MATERIALIZED VIEW daily_metrics WITH (timescaledb.continuous) AS SELECT time_bucket('7 days', time) AS day, subscription_id, count(*) AS total_checks, 1 AS successful_checks, 1 AS uptime_ratio, 1 AS avg_latency_ms, 1 AS p95_latency_ms FROM check_history GROUP BY 1, 2 WITH NO DATA",
            "continuous-aggregates",
            "daily_metrics is not one of check_history in buckets of 1 day",
        ),
        (
            "SELECT remove_retention_policy('alert_history')",
            "retention",
            "alert_history has no retention policy",
        ),
        (
            "DROP INDEX alert_history_time_idx",
            "indexes",
            "No index of alert_history begins with the column time",
        ),
        (
            "DROP MATERIALIZED VIEW daily_metrics",
            "continuous-aggregates",
            "There is no continuous aggregate daily_metrics",
        ),
        ("DROP TABLE alert_channels", "tables", "There is no table alert_channels"),
        (
            "DELETE FROM _sqlx_migrations WHERE version = 20241001000006",
            "migrations",
            "1 of 6 migrations were not run",
        ),
    ] {
        execute(&mut session, change).await;
        assert!(failure(&verified(url, false).await, check).contains(words), "{change}");
    }
    database.stop().await;
}

fn fix(report: &Report, name: &str) -> String {
    let check = report.checks.iter().find(|check| check.name == name).unwrap();
    let Outcome::Failed { fix, .. } = &check.outcome else { panic!("{check:?}") };
    fix.clone()
}

/// A data folder that is kept is found again as it was left.
#[tokio::test]
async fn a_local_database_keeps_its_data_and_is_found_only_while_it_runs() {
    let test = "a_local_database_keeps_its_data_and_is_found_only_while_it_runs";
    let Some((database, folder)) = timescale(test).await else { return };
    use lh_db::local::LocalDatabase;
    let found = || LocalDatabase::beside(folder.path()).unwrap().map(|url| url.place().to_owned());
    assert_eq!(found().as_deref(), Some(database.url().place()));
    migrate(database.url()).await;
    database.stop().await;
    assert_eq!(found(), None);
    let database = LocalDatabase::start(folder.path(), None, &mut |_| {}).await.unwrap();
    assert!(verified(database.url(), false).await.holds());
    database.stop().await;
}
