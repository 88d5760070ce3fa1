//! Migrations that do not fit, fail, or come from sqlx: on Debian's PostgreSQL.

use std::fs;

use lh_db::{DbError, Force, Migrations, RunOptions, State, run, status};
use sqlx::migrate::Migrator;

use crate::servers::{Postgres, execute, folder, number, url};

const FIRST: (&str, &str) = ("1_first.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\n");
const SECOND: (&str, &str) = ("2_second.sql", "INSERT INTO a VALUES (2);\n");
const THIRD: (&str, &str) = ("3_third.sql", "INSERT INTO a VALUES (3);\n");

fn with(force: Force) -> RunOptions {
    RunOptions { force, ..RunOptions::default() }
}

async fn go(server: &Postgres, migrations: &Migrations) -> Result<Vec<i64>, DbError> {
    run(&server.url(), migrations, &RunOptions::default(), &mut |_| {}).await
}

#[track_caller]
fn codes(result: Result<Vec<i64>, DbError>) -> Vec<String> {
    let Err(DbError::Refused(findings)) = result else { panic!("{result:?}") };
    assert!(
        findings.iter().all(|f| f.origin.is_some() && f.reason.is_some() && f.fix.is_some()),
        "{findings:?}"
    );
    findings.into_iter().map(|finding| finding.code).collect()
}

#[tokio::test]
async fn sqlx_and_lhctl_go_on_from_each_other() {
    let Some(server) = Postgres::start("sqlx_and_lhctl_go_on_from_each_other", &[]).await else { return };
    let mut session = server.session().await;
    let (_, one) = folder(&[FIRST]);
    Migrator::new(one.path()).await.unwrap().run(&mut session).await.unwrap();
    let (two, files) = folder(&[FIRST, SECOND]);
    assert_eq!(go(&server, &two).await.unwrap(), [2]);
    fs::write(files.path().join(THIRD.0), THIRD.1).unwrap();
    Migrator::new(files.path()).await.unwrap().run(&mut session).await.unwrap();
    assert_eq!(number(&mut session, "SELECT sum(x) FROM a").await, 6);
    let all = Migrations::folder(files.path()).unwrap();
    assert_eq!(go(&server, &all).await.unwrap(), [0_i64; 0]);
    let rows = status(&server.url(), &all).await.unwrap().rows;
    assert!(rows.iter().all(|row| row.state == State::Applied && row.installed_on.is_some()));
}

#[tokio::test]
async fn files_that_do_not_fit_the_database_are_refused_with_the_way_on() {
    let test = "files_that_do_not_fit_the_database_are_refused_with_the_way_on";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let url = server.url();
    let (good, _a) = folder(&[FIRST, THIRD]);
    go(&server, &good).await.unwrap();

    let (changed, _b) = folder(&[("1_first.sql", "CREATE TABLE b (x int);"), THIRD]);
    assert_eq!(codes(go(&server, &changed).await), ["E0871"]);
    let (lines, _c) = folder(&[(FIRST.0, &FIRST.1.replace('\n', "\r\n")), THIRD]);
    let Err(DbError::Refused(findings)) = go(&server, &lines).await else { panic!() };
    assert!(findings[0].reason.as_ref().unwrap().contains("Only the ends of the lines differ"));
    let (missing, _d) = folder(&[FIRST]);
    assert_eq!(codes(go(&server, &missing).await), ["E0872"]);
    let (late, _e) = folder(&[FIRST, SECOND, THIRD]);
    assert_eq!(codes(go(&server, &late).await), ["E0873"]);
    let standing = status(&url, &late).await.unwrap();
    assert_eq!(standing.state(2), Some(State::OutOfOrder));

    // Each way on that a fix names.
    let ran = run(&url, &late, &with(Force { out_of_order: true, ..Force::default() }), &mut |_| {}).await;
    assert_eq!(ran.unwrap(), [2]);
    let skip = with(Force { ignore_missing: true, ..Force::default() });
    assert_eq!(run(&url, &missing, &skip, &mut |_| {}).await.unwrap(), [0_i64; 0]);
    let (commented, _f) = folder(&[(FIRST.0, &format!("-- why\n{}", FIRST.1)), SECOND, THIRD]);
    let accept = with(Force { accept: vec![1], ..Force::default() });
    assert_eq!(run(&url, &commented, &accept, &mut |_| {}).await.unwrap(), [0_i64; 0]);
    assert_eq!(go(&server, &commented).await.unwrap(), [0_i64; 0], "accepted for good");
}

#[tokio::test]
async fn a_statement_that_fails_is_told_with_its_place_and_the_next_run_goes_on() {
    let test = "a_statement_that_fails_is_told_with_its_place_and_the_next_run_goes_on";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let bad = ("2_bad.sql", "INSERT INTO a VALUES (2);\n\n  INSERT INTO a\n    VALUES (ñ.y);\n");
    let (migrations, _a) = folder(&[FIRST, bad, THIRD]);
    let Err(DbError::Migration { version, origin, reason, .. }) = go(&server, &migrations).await else {
        panic!()
    };
    assert_eq!((version, origin.line, origin.column), (2, 4, 13));
    assert!(reason.contains("missing FROM-clause entry"), "{reason}");
    let mut session = server.session().await;
    assert_eq!(
        number(&mut session, "SELECT sum(x) FROM a").await,
        1,
        "the file before it stays, all of this one is undone"
    );
    let (mended, _b) = folder(&[FIRST, SECOND, THIRD]);
    assert_eq!(go(&server, &mended).await.unwrap(), [2, 3]);
}

#[tokio::test]
async fn the_linter_looks_only_at_what_would_be_run_and_nothing_is_changed() {
    let test = "the_linter_looks_only_at_what_would_be_run_and_nothing_is_changed";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let (migrations, _a) = folder(&[FIRST, ("2_v.sql", "VACUUM a;")]);
    assert_eq!(codes(go(&server, &migrations).await), ["E0854"]);
    let mut session = server.session().await;
    assert_eq!(
        number(&mut session, "SELECT count(*) FROM pg_class WHERE relname IN ('a', '_sqlx_migrations')")
            .await,
        0
    );
    // What another tool applied before is not judged any more.
    let (first, _b) = folder(&[FIRST]);
    go(&server, &first).await.unwrap();
    let checksum = &migrations.all[1].checksum;
    let note = sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (2, 'v', true, $1, 0)",
    );
    note.bind(checksum).execute(&mut session).await.unwrap();
    assert_eq!(go(&server, &migrations).await.unwrap(), [0_i64; 0]);
}

/// Whoever may run migrations need not be allowed to make tables.
#[tokio::test]
async fn a_run_that_makes_no_table_needs_no_right_to_make_one() {
    let test = "a_run_that_makes_no_table_needs_no_right_to_make_one";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let (migrations, _a) = folder(&[FIRST]);
    let writer = url(&server.text("postgres", "?sslmode=disable&user=writer&password=w"));
    let mut session = server.session().await;
    execute(&mut session, "CREATE ROLE writer LOGIN PASSWORD 'w'").await;
    let options = RunOptions::default();
    let denied = run(&writer, &migrations, &options, &mut |_| {}).await.err().unwrap().to_string();
    assert!(denied.ends_with("permission denied for schema public [42501]"), "{denied}");
    go(&server, &migrations).await.unwrap();
    execute(&mut session, "GRANT ALL ON ALL TABLES IN SCHEMA public TO writer").await;
    let (more, _b) = folder(&[FIRST, ("2_more.sql", "INSERT INTO a VALUES (2);")]);
    assert_eq!(run(&writer, &more, &options, &mut |_| {}).await.unwrap(), [2]);
}

#[tokio::test]
async fn files_of_others_in_a_shared_database_are_in_no_order_with_these() {
    let test = "files_of_others_in_a_shared_database_are_in_no_order_with_these";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let (theirs, _a) = folder(&[("9_theirs.sql", "SELECT 9;")]);
    go(&server, &theirs).await.unwrap();
    let (ours, _b) = folder(&[FIRST, SECOND]);
    assert!(codes(go(&server, &ours).await).contains(&"E0873".to_owned()));
    let ours = Migrations { shared: true, ..ours };
    let force = Force { ignore_missing: true, ..Force::default() };
    assert_eq!(run(&server.url(), &ours, &with(force), &mut |_| {}).await.unwrap(), [1, 2]);
}

#[tokio::test]
async fn a_migration_that_empties_the_search_path_is_noted_all_the_same() {
    let test = "a_migration_that_empties_the_search_path_is_noted_all_the_same";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let dumped = "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.b (x int);";
    let (migrations, _a) =
        folder(&[("1_dump.sql", dumped), ("2_more.sql", "INSERT INTO public.b VALUES (1);")]);
    assert_eq!(go(&server, &migrations).await.unwrap(), [1, 2]);
    assert_eq!(go(&server, &migrations).await.unwrap(), [0_i64; 0]);
}

#[tokio::test]
async fn a_server_that_is_stopped_in_the_middle_leaves_a_run_that_goes_on() {
    let test = "a_server_that_is_stopped_in_the_middle_leaves_a_run_that_goes_on";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    // In the midst of its second statement it says which session it is.
    let slow = (
        "2_slow.sql",
        "INSERT INTO a VALUES (2);\nDO $$ BEGIN RAISE LOG 'asleep: %', pg_backend_pid(); PERFORM pg_sleep(600); END $$;\n",
    );
    let (migrations, _a) = folder(&[FIRST, slow]);
    let mut other = server.session().await;
    let ending = async {
        let end =
            format!("SELECT pg_terminate_backend({}, 60000)::int::bigint", server.says("asleep: ").await);
        assert_eq!(number(&mut other, &end).await, 1);
    };
    let (result, ()) = tokio::join!(go(&server, &migrations), ending);
    // What the server said and where, and not that the transaction could not be taken back, too.
    let Err(DbError::Migration { version: 2, origin, reason, left }) = result else { panic!("{result:?}") };
    assert!(origin.line == 2 && reason.contains("terminating connection"), "{reason}");
    assert!(left.starts_with("Nothing of this file was kept"), "{left}");
    let (quick, _b) = folder(&[FIRST, SECOND]);
    assert_eq!(go(&server, &quick).await.unwrap(), [2]);
    execute(&mut other, "SELECT 1").await;
    assert_eq!(number(&mut other, "SELECT sum(x) FROM a").await, 3);
}
