//! The linter: what it finds, where, and what it lets pass. No server is needed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;

use lh_db::{Migrations, sql::lint};

/// Code and place of each finding in files with these texts.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let findings = lint(&Migrations::folder(folder.path()).unwrap().all);
    let place = |finding: &lh_model::Diagnostic| {
        let origin = finding.origin.clone().unwrap();
        format!("{} {}:{}", finding.code, origin.line, origin.column)
    };
    assert!(findings.iter().all(|finding| finding.fix.is_some()), "every finding says what to do");
    findings.iter().map(place).collect()
}

fn one(text: &str) -> Vec<String> {
    found(&[("1_a.sql", text)])
}

#[test]
fn the_migrations_inside_lhctl_have_no_findings() {
    assert_eq!(lint(&Migrations::embedded().all), []);
}

#[test]
fn an_aggregate_with_data_is_refused_in_a_transaction_and_so_is_the_default() {
    let view = "SELECT 1;\n  CREATE MATERIALIZED VIEW v WITH (timescaledb.continuous) AS SELECT 1";
    assert_eq!(one(&format!("{view} WITH DATA;")), ["E0851 2:3"]);
    assert_eq!(one(&format!("{view};")), ["E0851 2:3"]);
    assert!(one(&format!("{view} WITH NO DATA;")).is_empty());
    assert!(one("CREATE MATERIALIZED VIEW v AS SELECT 1 WITH DATA;").is_empty(), "an ordinary view may");
}

#[test]
fn what_commits_on_its_way_is_refused_in_a_transaction() {
    assert_eq!(one("CALL refresh_continuous_aggregate('v', NULL, NULL);"), ["E0852 1:1"]);
    assert_eq!(one("CALL run_job(1000);"), ["E0853 1:1"]);
    assert_eq!(one("VACUUM ANALYZE t;"), ["E0854 1:1"]);
    assert_eq!(one("-- why\ncreate index concurrently i on t (a);"), ["E0854 2:1"]);
    assert!(one("-- no-transaction\nCALL refresh_continuous_aggregate('v', NULL, NULL);").is_empty());
    assert!(one("-- no-transaction\nVACUUM t;").is_empty());
}

#[test]
fn what_stands_in_strings_and_comments_is_not_meant() {
    assert!(
        one("SELECT 'VACUUM; COMMIT'; -- CALL run_job(1)\n/* BEGIN; */ SELECT $$CALL run_job(1);$$;")
            .is_empty()
    );
}

#[test]
fn an_index_cannot_be_made_concurrently_on_a_hypertable_of_any_file() {
    let table = (
        "1_t.sql",
        "CREATE TABLE h (time timestamptz);\nSELECT create_hypertable('public.h', by_range('time'));",
    );
    let index = "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON public.h (time);";
    assert_eq!(found(&[table, ("2_i.sql", index)]), ["E0855 2:1"]);
    let new_form = (
        "1_t.sql",
        "CREATE TABLE h (time timestamptz) WITH (tsdb.hypertable, tsdb.partition_column='time');",
    );
    assert_eq!(found(&[new_form, ("2_i.sql", index)]), ["E0855 2:1"]);
    assert!(found(&[("2_i.sql", index)]).is_empty(), "on an ordinary table it can");
}

#[test]
fn a_file_outside_a_transaction_has_one_statement_that_can_be_run_again() {
    assert_eq!(one("-- no-transaction\nVACUUM a;\nVACUUM b;"), ["E0863 3:1"]);
    assert_eq!(one("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);"), ["W0864 2:1"]);
    assert_eq!(one("SELECT 1;\n-- no-transaction\n"), ["E0862 2:1"]);
}

#[test]
fn a_file_does_not_end_its_own_transaction() {
    assert_eq!(one("BEGIN;\nSELECT 1;\nCOMMIT;"), ["E0856 1:1", "E0856 3:1"]);
    assert!(one("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;").is_empty());
    assert!(one("DO $$ BEGIN PERFORM 1; END $$;").is_empty());
}

/// FACTS, defect 13: a configuration that is replaced loses the keys that it does not name.
#[test]
fn guide_defect_13_alter_job_changes_one_key_and_does_not_replace_the_configuration() {
    assert_eq!(one("SELECT alter_job(1, config => '{\"drop_after\": \"30 days\"}');"), ["E0857 1:1"]);
    assert!(
        one("SELECT alter_job(1, config => jsonb_set(config, '{drop_after}', '\"30 days\"'));").is_empty()
    );
    assert!(one("SELECT alter_job(1, schedule_interval => INTERVAL '1 day');").is_empty());
}

#[test]
fn guide_defect_13_a_configuration_is_found_wherever_it_stands_among_the_arguments() {
    let replaced = |text: &str| assert_eq!(one(text), ["E0857 1:1"], "{text}");
    let kept = |text: &str| assert_eq!(one(text), [""; 0], "{text}");
    replaced("SELECT alter_job(1002, NULL, NULL, NULL, NULL, NULL, '{\"drop_after\":\"30 days\"}'::jsonb);");
    replaced(
        "SELECT public.alter_job((SELECT max(a, b) FROM j), make_interval(0, 1), NULL, ARRAY[1, 2][1], NULL, true, '{}');",
    );
    replaced("SELECT \"alter_job\"(1, \"config\" := jsonb_build_object('drop_after', '30 days'));");
    replaced("SELECT alter_job(1, config => jsonb_set('{}', '{drop_after}', '\"30 days\"'));");
    replaced("SELECT alter_job(1, NULL, NULL, NULL, NULL, NULL, new) FROM (SELECT '{}'::jsonb AS new) AS n;");
    // What is left as it is, or built upon what is there.
    kept("SELECT alter_job(1, NULL, NULL, NULL, NULL, NULL, NULL, now());");
    kept("SELECT alter_job(1, config => NULL::jsonb);");
    kept(
        "SELECT alter_job(1, NULL, NULL, NULL, NULL, NULL, j.config || '{\"drop_after\": \"30 days\"}') FROM j;",
    );
    kept("SELECT alter_job(1, config => (SELECT config - 'drop_after' FROM j));");
    kept("SELECT alter_job(1, NULL, NULL, NULL, NULL, true);");
    kept(
        "SELECT alter_job(1, config => n.new) FROM (SELECT jsonb_set(config, '{a}', '1') AS new FROM j) AS n;",
    );
    kept("SELECT 'alter_job(1, config => ''{}'')';");
}

#[test]
fn guide_defect_13_one_alter_job_does_not_answer_for_another() {
    let merged = "alter_job(1, config => jsonb_set(config, '{drop_after}', '\"30 days\"'))";
    let whole = "alter_job(2, config => '{\"drop_after\": \"30 days\"}')";
    assert_eq!(one(&format!("SELECT {merged}, {whole} FROM j;")), ["E0857 1:1"]);
    assert_eq!(one(&format!("SELECT {whole}, {merged} FROM j;")), ["E0857 1:1"]);
    assert_eq!(one(&format!("SELECT {whole}, jsonb_set('{{}}', '{{a}}', '1');")), ["E0857 1:1"]);
    assert!(one(&format!("SELECT {merged}, {merged} FROM j;")).is_empty());
}

/// What `lhctl migrate new` writes is to be filled before it is run: noted as done, it could not be
/// filled any more.
#[test]
fn a_file_without_a_statement_is_found() {
    for text in ["", "\n\n", "-- What this changes, and why.\n", "/* later */ ;;\n"] {
        assert_eq!(one(text), ["E0867 1:1"], "{text:?}");
    }
    assert_eq!(one("-- no-transaction\n"), ["E0867 1:1"]);
    assert_eq!(one("/* SELECT 1;"), ["E0861 1:1"], "it does not end, which is what to mend");
    let folder = tempfile::tempdir().unwrap();
    Migrations::create(folder.path(), "later", 1).unwrap();
    let findings = lint(&Migrations::folder(folder.path()).unwrap().all);
    assert_eq!(findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["E0867"]);
}

#[test]
fn what_only_psql_understands_is_found() {
    assert_eq!(one("COPY t FROM STDIN;"), ["E0858 1:1"]);
    assert_eq!(one("\\set x 1\n"), ["E0858 1:1"]);
}

#[test]
fn what_does_not_end_is_found_where_it_begins() {
    assert_eq!(one("SELECT 1;\nSELECT 'abc;\n"), ["E0861 2:8"]);
}

/// The same refusals, however the statement is written.
#[test]
fn what_is_refused_in_a_transaction_is_found_in_every_spelling() {
    for (text, code) in [
        ("CALL public.run_job(1000);", "E0853"),
        ("CALL public.\"refresh_continuous_aggregate\"('v', NULL, NULL);", "E0852"),
        ("DO $$ BEGIN CALL refresh_continuous_aggregate('v', NULL, NULL); END $$;", "E0852"),
        ("DO LANGUAGE plpgsql $x$ BEGIN IF true THEN CALL public.run_job(1); END IF; END $x$;", "E0853"),
        ("DO $$ BEGIN PERFORM alter_job(1, config => '{}'); END $$;", "E0857"),
        ("CREATE MATERIALIZED VIEW v WITH (\"timescaledb\".continuous) AS SELECT 1;", "E0851"),
        ("REINDEX SCHEMA s;", "E0854"),
        ("REINDEX (VERBOSE) DATABASE d;", "E0854"),
        ("REINDEX (CONCURRENTLY) TABLE t;", "E0854"),
        ("REINDEX TABLE CONCURRENTLY t;", "E0854"),
        ("CLUSTER;", "E0854"),
        ("CLUSTER VERBOSE;", "E0854"),
        ("DISCARD ALL;", "E0854"),
        ("ALTER DATABASE d SET TABLESPACE t;", "E0854"),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;", "E0854"),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY;", "E0854"),
        ("CREATE INDEX ON t (a) WITH (timescaledb.transaction_per_chunk);", "E0854"),
    ] {
        assert_eq!(one(text), [format!("{code} 1:1")], "{text}");
    }
}

#[test]
fn what_only_looks_like_it_is_let_pass() {
    for text in [
        "GRANT EXECUTE ON PROCEDURE refresh_continuous_aggregate TO r;",
        "COMMENT ON PROCEDURE run_job IS 'x';",
        "CREATE MATERIALIZED VIEW v WITH (timescaledb.continuous = false) AS SELECT 1;",
        "DO $$ DECLARE c jsonb; BEGIN c := jsonb_set('{}', '{a}', '1'); PERFORM alter_job(1, config => c); END $$;",
        "REINDEX TABLE t;",
        "CLUSTER t USING i;",
        "CREATE RULE r AS ON INSERT TO a DO ALSO (INSERT INTO l VALUES (1); DELETE FROM l);",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end; SELECT t.end FROM t; END;",
        "SELECT E'it'\n  '\\'s; ok';",
        "-- About it\n-- no-transaction is not needed here.\nSELECT 1;",
        "SELECT '\n-- no-transaction\n';",
    ] {
        assert_eq!(one(text), [""; 0], "{text}");
    }
}

#[test]
fn only_what_does_no_more_the_second_time_is_repeated() {
    let warned = |text: &str| one(&format!("-- no-transaction\n{text}")) == ["W0864 2:1"];
    for text in [
        "SELECT 1 FROM charge();",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, ADD COLUMN b int;",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS v WITH (timescaledb.continuous) AS SELECT 1 WITH DATA;",
        "INSERT INTO t SELECT 'IF NOT EXISTS', a IS NULL IF NOT EXISTS;",
    ] {
        assert!(warned(text), "{text}");
    }
    for text in [
        "ALTER TYPE t ADD VALUE IF NOT EXISTS 'x';",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a numeric(3, 1);",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);",
        "CALL public.refresh_continuous_aggregate('v', NULL, NULL);",
    ] {
        assert!(!warned(text), "{text}");
    }
}

#[test]
fn a_name_in_quotes_is_the_same_hypertable() {
    let table = ("1_t.sql", "SELECT create_hypertable('public.\"T\"', by_range('time'));");
    let index = "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON \"T\" (time);";
    assert_eq!(found(&[table, ("2_i.sql", index)]), ["E0855 2:1"]);
}
