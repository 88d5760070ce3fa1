//! `db slow-queries`, on Debian's PostgreSQL with the extension that counts.

use lh_testkit::Postgres;
use serde_json::Value;

use crate::place::{Ended, Place};

/// A statement that takes far more time than all others here, once.
const HEAVY: &str =
    "SELECT count(*) FROM generate_series(1, 3000000) AS heavy(n) WHERE n::text <> 'hunter2';";

/// One that takes little, three times, with another constant each time.
const LIGHT: &str = "SELECT n AS light FROM generate_series(1, 4) n WHERE 'hunter2' <> 'a';
SELECT n AS light FROM generate_series(1, 4) n WHERE 'swordfish' <> 'b';
SELECT n AS light FROM generate_series(1, 4) n WHERE 'hunter2' <> 'swordfish';";

fn ask(server: &Postgres, database: &str, args: &str) -> Ended {
    let url = server.url(database, "?sslmode=disable");
    Place::new().run(&format!("db slow-queries --database-url {url} {args}"))
}

#[test]
fn statements_are_shown_by_the_time_they_took_without_their_constants() {
    let test = "statements_are_shown_by_the_time_they_took_without_their_constants";
    let settings = ["shared_preload_libraries=pg_stat_statements"];
    let Some(server) = Postgres::start(test, &settings) else { return };
    server.psql("postgres", "CREATE DATABASE other;");
    server.psql("postgres", "CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset();");
    server.psql("other", "SELECT 'hunter2' AS elsewhere;");
    server.psql("postgres", &format!("{LIGHT}\n{HEAVY}"));

    let json = ask(&server, "postgres", "--json").expect(0).json();
    let queries = json["queries"].as_array().unwrap();
    assert!(json["since"].as_str().is_some_and(|since| since.starts_with("20")), "{json:#}");
    let took: Vec<f64> = queries.iter().map(|one| one["total_ms"].as_f64().unwrap()).collect();
    assert!(took.is_sorted_by(|one, next| one >= next), "{json:#}");
    let heavy = "SELECT count(*) FROM generate_series($1, $2) AS heavy(n) WHERE n::text <> $3";
    let light = "SELECT n AS light FROM generate_series($1, $2) n WHERE $3 <> $4";
    assert_eq!(queries[0]["query"], heavy, "{json:#}");
    let counts = |query: &str| {
        let mut found = queries.iter().filter(|one| one["query"] == query);
        let (one, None) = (found.next().unwrap(), found.next()) else { panic!("{json:#}") };
        let mean = one["total_ms"].as_f64().unwrap() / one["calls"].as_f64().unwrap();
        assert!((mean - one["mean_ms"].as_f64().unwrap()).abs() < 0.06, "{one:#}");
        (one["calls"].clone(), one["rows"].clone())
    };
    assert_eq!(counts(heavy), (Value::from(1), Value::from(1)));
    assert_eq!(counts(light), (Value::from(3), Value::from(12)));

    let human = ask(&server, "postgres", "").expect(0).out;
    let lines: Vec<&str> = human.lines().collect();
    let words: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(words, ["total", "ms", "mean", "ms", "calls", "rows", "statement"]);
    assert!(lines[1].ends_with(&format!("1           1  {heavy}")), "{human}");
    assert!(lines.iter().any(|line| line.ends_with(&format!("3          12  {light}"))), "{human}");
    let last = lines[lines.len() - 1];
    assert!(last.starts_with("Counted since 20"), "{human}");
    assert!(last.ends_with("to begin anew: SELECT pg_stat_statements_reset()."), "{human}");
    for secret in ["hunter2", "swordfish", "3000000", "elsewhere"] {
        assert!(
            !human.contains(secret) && !json.to_string().contains(secret),
            "{secret}:\n{human}\n{json:#}"
        );
    }

    // As many as were asked for, at most.
    let one = ask(&server, "postgres", "--top 1 --json").expect(0).json();
    assert_eq!(one["queries"].as_array().unwrap().len(), 1, "{one:#}");
    assert_eq!(one["queries"][0]["query"], heavy, "{one:#}");

    // Loaded by the server, and not made in this database.
    for args in ["", "--json"] {
        let none = ask(&server, "other", args).expect(1);
        assert_eq!(none.out, "");
        none.says("The statements cannot be read").says("the database has no extension pg_stat_statements");
    }
}

/// The server keeps utility statements as they were typed.
#[test]
fn a_password_in_a_statement_is_not_shown() {
    let test = "a_password_in_a_statement_is_not_shown";
    let settings = ["shared_preload_libraries=pg_stat_statements"];
    let Some(server) = Postgres::start(test, &settings) else { return };
    server.psql("postgres", "CREATE EXTENSION pg_stat_statements; CREATE ROLE app;");
    for password in ["'hunter2'", "'it''s hunter2'", r"E'it\'s hunter2'", "$$hunter2$$", "$p$hunter2$p$"] {
        server.psql("postgres", &format!("ALTER ROLE app PASSWORD {password};"));
    }
    server.psql("postgres", "COPY (SELECT 'hunter2') TO '/dev/null';");
    for args in ["", "--json"] {
        let shown = ask(&server, "postgres", args).expect(0).out;
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("ALTER ROLE app PASSWORD '…'"), "{shown}");
    }
}

#[test]
fn an_extension_that_the_server_did_not_load_is_told_in_its_words() {
    let test = "an_extension_that_the_server_did_not_load_is_told_in_its_words";
    let Some(server) = Postgres::start(test, &[]) else { return };
    server.psql("postgres", "CREATE EXTENSION pg_stat_statements;");
    let ended = ask(&server, "postgres", "").expect(1);
    ended.says("The statements cannot be read").says("must be loaded via shared_preload_libraries");
}
