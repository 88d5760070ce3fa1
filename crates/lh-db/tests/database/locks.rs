//! One runner at a time, sqlx's own tools included.

use std::time::Duration;

use lh_db::{DbError, Progress, RunOptions, run};
use sqlx::migrate::Migrate;
use tokio::sync::Semaphore;

use crate::servers::{Postgres, execute, folder, number};

#[tokio::test]
async fn runs_at_the_same_time_run_each_migration_once() {
    let Some(server) = Postgres::start("runs_at_the_same_time_run_each_migration_once", &[]).await else {
        return;
    };
    // The first migration ends when the test gives its gate free: the one that runs it is then
    // still at it when the others ask.
    let (migrations, _a) = folder(&[
        ("1_a.sql", "CREATE TABLE a (x int);\nSELECT pg_advisory_xact_lock(7);"),
        ("2_b.sql", "INSERT INTO a VALUES (1);"),
    ]);
    let mut gate = server.session().await;
    execute(&mut gate, "SELECT pg_advisory_lock(7)").await;
    let url = server.url();
    let waiting = Semaphore::new(0);
    let go = || async {
        let mut waited = 0;
        let mut tell = |progress| {
            if matches!(progress, Progress::Waiting { .. }) {
                waited += 1;
                waiting.add_permits(1);
            }
        };
        let ran = run(&url, &migrations, &RunOptions::default(), &mut tell).await.unwrap().len();
        (ran, waited)
    };
    let open = async {
        let all = tokio::time::timeout(Duration::from_secs(30), waiting.acquire_many(3)).await;
        // Open in any case, or the runs would not end.
        execute(&mut gate, "SELECT pg_advisory_unlock(7)").await;
        assert!(all.is_ok(), "those that wait say so");
    };
    let (one, two, three, four, ()) = tokio::join!(go(), go(), go(), go(), open);
    let mut runs = [one, two, three, four];
    runs.sort_unstable();
    assert_eq!(
        runs,
        [(0, 1), (0, 1), (0, 1), (2, 0)],
        "one ran both; each other one said once that it waits"
    );
    assert_eq!(number(&mut server.session().await, "SELECT count(*) FROM a").await, 1);
}

#[tokio::test]
async fn a_lock_that_sqlx_holds_is_waited_for_to_the_limit_and_its_holder_named() {
    let test = "a_lock_that_sqlx_holds_is_waited_for_to_the_limit_and_its_holder_named";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let mut holder = server.session().await;
    holder.lock().await.unwrap();
    let (migrations, _a) = folder(&[("1_a.sql", "CREATE TABLE a (x int);")]);
    let options = RunOptions { lock_timeout: Duration::from_millis(600), ..RunOptions::default() };
    let mut told = Vec::new();
    let held = run(&server.url(), &migrations, &options, &mut |progress| told.push(progress)).await;
    let pid = number(&mut holder, "SELECT pg_backend_pid()::bigint").await;
    let Err(DbError::Locked { holder: who, .. }) = held else { panic!("{held:?}") };
    assert!(who.contains(&format!("session {pid}")), "{who}");
    assert!(matches!(told[..], [Progress::Waiting { .. }]));
    // A holder that dies gives the lock back at once.
    drop(holder);
    let options = RunOptions::default();
    assert_eq!(run(&server.url(), &migrations, &options, &mut |_| {}).await.unwrap(), [1]);
}
