//! Files outside a transaction: a crash between the statement and its note, at each place.

use lh_db::{DbError, Force, Migrations, Progress, RunOptions, State, run, status};

use crate::servers::{Postgres, execute, folder, number};

const TABLE: (&str, &str) = ("1_table.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1), (1);\n");

async fn go(server: &Postgres, migrations: &Migrations, force: Force) -> Result<Vec<Progress>, DbError> {
    let mut told = Vec::new();
    let options = RunOptions { force, ..RunOptions::default() };
    run(&server.url(), migrations, &options, &mut |progress| told.push(progress)).await.map(|_| told)
}

fn went_on(told: &[Progress], which: i64) -> bool {
    told.iter().any(|one| matches!(one, Progress::Began { version, again: true, .. } if *version == which))
}

/// Notes `migration` as begun, which is what a run leaves that dies before the second note.
async fn begun(server: &Postgres, migrations: &Migrations, version: i64) {
    let migration = migrations.all.iter().find(|one| one.version == version).unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ($1, $2, false, $3, 0)")
        .bind(version)
        .bind(&migration.description)
        .bind(&migration.checksum)
        .execute(&mut server.session().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_statement_that_can_be_repeated_is_run_again_without_a_question() {
    let test = "a_statement_that_can_be_repeated_is_run_again_without_a_question";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let index = ("2_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (x);\n");
    let (first, _a) = folder(&[TABLE]);
    go(&server, &first, Force::default()).await.unwrap();
    let (both, _b) = folder(&[TABLE, index]);
    // Killed before the statement ran, and after it.
    begun(&server, &both, 2).await;
    assert_eq!(status(&server.url(), &both).await.unwrap().state(2), Some(State::Unfinished));
    assert!(went_on(&go(&server, &both, Force::default()).await.unwrap(), 2));
    let mut session = server.session().await;
    execute(&mut session, "UPDATE _sqlx_migrations SET success = false WHERE version = 2").await;
    assert!(went_on(&go(&server, &both, Force::default()).await.unwrap(), 2));
    assert_eq!(
        number(&mut session, "SELECT count(*) FROM pg_index WHERE indexrelid = 'i'::regclass AND indisvalid")
            .await,
        1
    );
    assert_eq!(status(&server.url(), &both).await.unwrap().findings().count(), 0);
}

#[tokio::test]
async fn an_index_that_an_interrupted_run_left_invalid_is_made_anew() {
    let test = "an_index_that_an_interrupted_run_left_invalid_is_made_anew";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let index =
        ("2_index.sql", "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON a (x);\n");
    let (both, _a) = folder(&[TABLE, index]);
    let failed = go(&server, &both, Force::default()).await;
    let Err(DbError::Migration { version: 2, reason, origin, .. }) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("could not create unique index") && origin.line == 2, "{reason}");
    let mut session = server.session().await;
    let valid = "SELECT count(*) FROM pg_index WHERE indexrelid = 'i'::regclass AND indisvalid";
    assert_eq!(number(&mut session, valid).await, 0, "PostgreSQL left it, invalid");
    execute(&mut session, "DELETE FROM a WHERE ctid = (SELECT min(ctid) FROM a)").await;
    go(&server, &both, Force::default()).await.unwrap();
    assert_eq!(number(&mut session, valid).await, 1);
}

/// Its schema is its table's, and not the first of the search path.
#[tokio::test]
async fn an_invalid_index_is_found_beside_its_table_and_no_other_is_dropped() {
    let test = "an_invalid_index_is_found_beside_its_table_and_no_other_is_dropped";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let table = (
        "1_table.sql",
        "CREATE SCHEMA app;\nCREATE TABLE app.a (x int);\nINSERT INTO app.a VALUES (1), (1);\n",
    );
    for (form, force) in [
        ("IF NOT EXISTS i ON ONLY app.a", Force::default()),
        ("j ON \"app\".a", Force { retry: vec![2], ..Force::default() }),
    ] {
        let index = format!("-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY {form} (x);\n");
        let (both, _a) = folder(&[table, ("2_index.sql", &index)]);
        let mut session = server.session().await;
        execute(&mut session, "DROP SCHEMA IF EXISTS app CASCADE; DROP TABLE IF EXISTS _sqlx_migrations")
            .await;
        assert!(go(&server, &both, Force::default()).await.is_err());
        begun(&server, &both, 2).await;
        execute(&mut session, "DELETE FROM app.a WHERE ctid = (SELECT min(ctid) FROM app.a)").await;
        go(&server, &both, force).await.unwrap();
        let valid = "SELECT count(*) FROM pg_index WHERE indrelid = 'app.a'::regclass AND indisvalid";
        assert_eq!(number(&mut session, valid).await, 1, "{form}");
    }
}

/// What is run again is looked at as if it were run for the first time.
#[tokio::test]
async fn an_unfinished_file_that_was_changed_meanwhile_is_linted_before_it_is_run_again() {
    let test = "an_unfinished_file_that_was_changed_meanwhile_is_linted_before_it_is_run_again";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let (first, _a) = folder(&[TABLE]);
    go(&server, &first, Force::default()).await.unwrap();
    let (both, _b) = folder(&[TABLE, ("2_b.sql", "BEGIN;\nCOMMIT;\nCREATE TABLE y (x int);\n")]);
    begun(&server, &both, 2).await;
    let retry = Force { retry: vec![2], ..Force::default() };
    let Err(DbError::Refused(findings)) = go(&server, &both, retry).await else { panic!("it ran") };
    assert!(findings.iter().all(|finding| finding.code.as_str() == "E0856"), "{findings:?}");
    go(&server, &both, Force { done: vec![2], ..Force::default() }).await.unwrap();
}

#[tokio::test]
async fn a_statement_that_cannot_be_repeated_waits_for_a_decision() {
    let test = "a_statement_that_cannot_be_repeated_waits_for_a_decision";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let insert = ("2_insert.sql", "-- no-transaction\nINSERT INTO a VALUES (2);\n");
    let more = ("3_more.sql", "-- no-transaction\nINSERT INTO a VALUES (3);\n");
    let (first, _a) = folder(&[TABLE]);
    go(&server, &first, Force::default()).await.unwrap();
    let (all, _b) = folder(&[TABLE, insert, more]);
    begun(&server, &all, 2).await;
    begun(&server, &all, 3).await;
    let Err(DbError::Refused(findings)) = go(&server, &all, Force::default()).await else { panic!() };
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["E0874", "E0874"]);
    assert!(findings[0].fix.as_ref().unwrap().contains("--retry 2"));
    let decided = Force { done: vec![2], retry: vec![3], ..Force::default() };
    assert!(went_on(&go(&server, &all, decided).await.unwrap(), 3));
    assert_eq!(number(&mut server.session().await, "SELECT sum(x) FROM a").await, 5, "3 was run, 2 was not");
    assert_eq!(status(&server.url(), &all).await.unwrap().findings().count(), 0);
}

#[tokio::test]
async fn a_connection_that_breaks_in_such_a_statement_leaves_the_note_that_it_was_begun() {
    let test = "a_connection_that_breaks_in_such_a_statement_leaves_the_note_that_it_was_begun";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    // In the midst of its statement it says which session it is.
    let slow = (
        "2_slow.sql",
        "-- no-transaction\nDO $$ BEGIN RAISE LOG 'asleep: %', pg_backend_pid(); PERFORM pg_sleep(600); END $$;\n",
    );
    let (all, _a) = folder(&[TABLE, slow]);
    let url = server.url();
    let options = RunOptions::default();
    let mut silent = |_| {};
    // The run is dropped in the middle, as a process is that is killed.
    let pid = tokio::select! {
        ended = run(&url, &all, &options, &mut silent) => panic!("it did not sleep: {ended:?}"),
        pid = server.says("asleep: ") => pid,
    };
    let mut session = server.session().await;
    assert_eq!(
        number(&mut session, &format!("SELECT pg_terminate_backend({pid}, 60000)::int::bigint")).await,
        1
    );
    assert_eq!(status(&server.url(), &all).await.unwrap().state(2), Some(State::Unfinished));
}
