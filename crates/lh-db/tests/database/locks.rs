//! One runner at a time, sqlx's own tools included.

use std::time::Duration;

use lh_db::{DbError, Progress, RunOptions, run};
use sqlx::migrate::Migrate;

use crate::servers::{Postgres, folder, number};

#[tokio::test]
async fn runs_at_the_same_time_run_each_migration_once() {
    let Some(server) = Postgres::start("runs_at_the_same_time_run_each_migration_once", &[]).await else {
        return;
    };
    let (migrations, _a) = folder(&[
        ("1_a.sql", "CREATE TABLE a (x int);\nSELECT pg_sleep(0.3);"),
        ("2_b.sql", "INSERT INTO a VALUES (1);"),
    ]);
    let url = server.url();
    let go = || async {
        let mut waited = false;
        let mut tell = |progress| waited |= matches!(progress, Progress::Waiting { .. });
        let ran = run(&url, &migrations, &RunOptions::default(), &mut tell).await.unwrap().len();
        (ran, waited)
    };
    let runs: [(usize, bool); 4] = tokio::join!(go(), go(), go(), go()).into();
    assert_eq!(runs.iter().map(|(ran, _)| ran).sum::<usize>(), 2);
    assert!(runs.iter().any(|(_, waited)| *waited), "those that waited said so");
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
