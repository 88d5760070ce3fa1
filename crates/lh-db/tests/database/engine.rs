//! What the local engine adds to TimescaleDB in WebAssembly, by its own programs, as the scripts of
//! a host use them: several databases, COPY, dumps, restores, and that it finds its data again.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use lh_db::local::LocalDatabase;

use crate::{
    reference::migrate,
    servers::{execute, number, session, timescale},
};

/// What a program of the engine wrote, and its exit status.
struct Ran {
    out: String,
    err: String,
    status: i32,
}

/// Runs `node PROGRAM ARGS` with `input`, as the stand-in for `docker exec` does.
fn run(folder: &Path, program: &str, args: &[&str], input: &str) -> Ran {
    let mut child = Command::new("node")
        .arg(folder.join("database/engine").join(program))
        .args(args)
        .env("LHCTL_RECORD", folder.join("database.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap(),
    }
}

/// SQL for a database, as `lib.sh` sends it.
fn sql(folder: &Path, database: &str, text: &str) -> Ran {
    let args = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database];
    run(folder, "psql.mjs", &args, text)
}

/// Ends the server in the background where a test fails before it does.
struct Background<'f>(&'f Path);

impl Drop for Background<'_> {
    fn drop(&mut self) {
        if self.0.join("database.json").exists() {
            run(self.0, "tool.mjs", &["stop"], "");
        }
    }
}

#[track_caller]
fn done(ran: Ran) -> String {
    assert_eq!(ran.status, 0, "{}", ran.err);
    ran.out
}

const COUNTS: &str = "SELECT count(*) FROM check_history; SELECT sum(total_checks) FROM hourly_metrics;
SELECT count(*) FROM users; SELECT count(*) FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL;
SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed;";

/// So many chunks that pg_dump locks them by a statement of more than 8 KB, which it sends in pieces.
const ROWS: &str = "INSERT INTO users (email) VALUES ('a@example.com');
INSERT INTO check_history (time, subscription_id, status, latency_ms)
SELECT now() - i * interval '2 hours', gen_random_uuid(), 'success', i FROM generate_series(1, 2000) AS i;
CALL refresh_continuous_aggregate('hourly_metrics', NULL, now() - interval '1 day');
SELECT count(compress_chunk(c)) FROM (SELECT c FROM show_chunks('check_history') AS c LIMIT 2) AS two;";

#[tokio::test]
async fn a_dump_is_restored_beside_the_database_and_takes_its_name() {
    let test = "a_dump_is_restored_beside_the_database_and_takes_its_name";
    let Some((database, folder)) = timescale(test).await else { return };
    let folder = folder.path();
    let url = LocalDatabase::beside_as(folder, "lighthouse").unwrap().unwrap();
    migrate(&url).await;
    assert_eq!(done(sql(folder, "lighthouse", ROWS)), "2\n");
    let counts = done(sql(folder, "lighthouse", COUNTS));
    assert!(counts.starts_with("2000\n2000\n1\n"), "{counts}");

    let dump = run(folder, "tool.mjs", &["pg_dump", "-U", "postgres", "-d", "lighthouse"], "");
    let dump = done(dump);
    assert!(dump.trim_end().ends_with("-- PostgreSQL database dump complete\n--"), "{}", dump.len());

    let refused = run(folder, "tool.mjs", &["pg_dump", "-d", "lighthouse", "--no-such-option"], "");
    assert_eq!((refused.status, refused.out.as_str()), (1, ""));

    // What happens after the dump is not in it.
    done(sql(folder, "lighthouse", "DELETE FROM users"));
    done(sql(folder, "postgres", "CREATE DATABASE lighthouse_new TEMPLATE template0"));
    done(sql(folder, "lighthouse_new", "CREATE EXTENSION timescaledb; SELECT timescaledb_pre_restore()"));
    done(sql(folder, "lighthouse_new", &dump));
    done(sql(folder, "lighthouse_new", "SELECT timescaledb_post_restore()"));
    assert_eq!(done(sql(folder, "lighthouse_new", COUNTS)), counts);

    let swap = "ALTER DATABASE lighthouse RENAME TO lighthouse_before;
ALTER DATABASE lighthouse_new RENAME TO lighthouse;";
    done(sql(folder, "postgres", swap));
    assert_eq!(done(sql(folder, "lighthouse", COUNTS)), counts);
    assert_eq!(done(sql(folder, "lighthouse_before", "SELECT count(*) FROM users")), "0\n");
    // The restored database works on: rows go into new chunks, aggregates are refreshed.
    let more = "INSERT INTO check_history (time, subscription_id, status) VALUES (now() + interval '9 days', gen_random_uuid(), 'success');
CALL refresh_continuous_aggregate('hourly_metrics', NULL, NULL); SELECT sum(total_checks) FROM hourly_metrics;";
    assert_eq!(done(sql(folder, "lighthouse", more)), "2001\n");
    done(sql(folder, "postgres", "DROP DATABASE lighthouse_before"));
    database.stop().await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_new_start_and_hypertables_take_rows() {
    let test = "what_was_stored_is_there_after_a_new_start_and_hypertables_take_rows";
    let Some((database, folder)) = timescale(test).await else { return };
    let folder = folder.path();
    let text = "CREATE TABLE h (time timestamptz NOT NULL); SELECT create_hypertable('h', 'time') IS NULL;
INSERT INTO h VALUES (now());";
    done(sql(folder, "postgres", text));
    let second = LocalDatabase::start(folder, None, &mut |_| {}).await.err().unwrap().to_string();
    assert!(second.contains("runs there already"), "{second}");
    database.stop().await;
    assert!(LocalDatabase::beside(folder).unwrap().is_none());
    let ran = sql(folder, "postgres", "SELECT 1");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("lhctl local database"), "{}", ran.err);

    let (url, _) = LocalDatabase::detach(folder, None, &mut |_| {}).await.unwrap();
    let _background = Background(folder);
    let mut session = session(&url).await;
    execute(&mut session, "INSERT INTO h VALUES (now() + interval '30 days')").await;
    assert_eq!(number(&mut session, "SELECT count(*) FROM h").await, 2);
    assert_eq!(number(&mut session, "SELECT count(*) FROM show_chunks('h')").await, 2);
    drop(session);
    assert!(LocalDatabase::stop_beside(folder).await.unwrap());
    assert!(!LocalDatabase::stop_beside(folder).await.unwrap());
}

#[tokio::test]
async fn its_psql_does_what_scripts_ask_of_psql() {
    let test = "its_psql_does_what_scripts_ask_of_psql";
    let Some((database, folder)) = timescale(test).await else { return };
    let folder = folder.path();
    let text = "CREATE TEMP TABLE t (a int, b text);
COPY t FROM stdin;
1\tone
2\t\\N
\\.
SELECT * FROM t;
COPY t TO stdout;
SELECT $$a;b$$, '::x', 1::text, E'\\';' -- a comment; with an end
;
SELECT 7 AS seven \\gset
\\if :{?seven}
\\echo :seven
\\else
SELECT 'never';
\\endif
SELECT format('SELECT %s', i) FROM generate_series(1, 2) AS i \\gexec
";
    assert_eq!(done(sql(folder, "postgres", text)), "1|one\n2|\n1\tone\n2\t\\N\na;b|::x|1|';\n7\n1\n2\n");

    let args = ["-XqAt", "-v", "it=o'clock", "-v", "n=3", "-U", "postgres", "-d", "postgres"];
    let quoted = run(folder, "psql.mjs", &args, "SELECT :'it', :n AS :\"it\";");
    assert_eq!(done(quoted), "o'clock|3\n");

    let failed = sql(folder, "postgres", "SELECT 1;\nSELECT 1 / 0;\nSELECT 2;\n");
    assert_eq!((failed.status, failed.out.as_str()), (3, "1\n"));
    assert_eq!(failed.err, "ERROR:  division by zero\n");
    let absent = sql(folder, "absent", "SELECT 1");
    assert_eq!(absent.status, 2);
    assert!(absent.err.contains("database \"absent\" does not exist"), "{}", absent.err);
    // What one session sets is not there for the next one, and what the database is given is.
    done(sql(
        folder,
        "postgres",
        "SET work_mem = '7MB'; ALTER DATABASE postgres SET lock_timeout = '9s'; BEGIN",
    ));
    let settings = "SHOW work_mem; SHOW lock_timeout; SELECT to_regclass('t') IS NULL;";
    assert_eq!(done(sql(folder, "postgres", settings)), "4MB\n9s\nt\n");
    database.stop().await;
}

#[tokio::test]
async fn sessions_of_one_database_do_not_disturb_each_other() {
    let test = "sessions_of_one_database_do_not_disturb_each_other";
    let Some((database, _folder)) = timescale(test).await else { return };
    let url = database.url();
    let (mut one, mut two, mut third) = (session(url).await, session(url).await, session(url).await);
    execute(&mut one, "CREATE TABLE t (n int8)").await;
    let adds = async |session: &mut sqlx::PgConnection, from: i64| {
        for n in from..from + 50 {
            let asked = sqlx::query_scalar::<_, i64>("INSERT INTO t VALUES ($1) RETURNING n + 1").bind(n);
            assert_eq!(asked.persistent(n % 2 == 0).fetch_one(&mut *session).await.unwrap(), n + 1);
        }
    };
    let transaction = async |session: &mut sqlx::PgConnection| {
        execute(session, "BEGIN; INSERT INTO t VALUES (-1)").await;
        assert_eq!(number(session, "SELECT count(*) FROM t WHERE n = -1").await, 1);
        execute(session, "ROLLBACK").await;
        // As a pool does it: the statements of others stay.
        execute(session, "DEALLOCATE ALL").await;
    };
    tokio::join!(adds(&mut one, 0), adds(&mut two, 1000), transaction(&mut third));
    assert_eq!(number(&mut third, "SELECT count(*) FROM t").await, 100);
    // One that leaves in the middle of a transaction takes what it did with it.
    execute(&mut one, "BEGIN; DELETE FROM t").await;
    drop(one);
    assert_eq!(number(&mut two, "SELECT count(*) FROM t").await, 100);
    database.stop().await;
}
