//! `migrate`, by its URL, on Debian's PostgreSQL: what was decided is told, what has no file can be
//! passed over everywhere, and Ctrl-C.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command},
};

use lh_testkit::Postgres;

use crate::place::{Ended, Place};

const FIRST: &str = "CREATE TABLE a (x int);\n";
const INSERT: &str = "-- no-transaction\nINSERT INTO a VALUES (2);\n";

/// In the midst of its second statement it waits.
const SLOW: &str = "INSERT INTO a VALUES (3);\nDO $$ BEGIN PERFORM pg_sleep(600); END $$;\n";

/// A folder with these migrations, and a server.
struct Scene {
    place: Place,
    server: Postgres,
    url: String,
}

impl Scene {
    fn of(test: &str, files: &[(&str, &str)]) -> Option<Self> {
        let server = Postgres::start(test, &[])?;
        let place = Place::new();
        for (name, text) in files {
            place.write(&format!("migrations/{name}"), text);
        }
        let url = server.url("postgres", "?sslmode=disable");
        Some(Self { place, server, url })
    }

    fn run(&self, args: &str) -> Ended {
        self.place.with(&[("DATABASE_URL", &self.url)], args)
    }

    fn begin(&self, args: &str) -> Child {
        self.place.command(&[("DATABASE_URL", &self.url)], args).spawn().unwrap()
    }
}

/// The schema inside lhctl is nobody's that did not ask for it.
#[test]
fn migrations_that_nobody_named_do_not_go_into_a_database_of_others() {
    let test = "migrations_that_nobody_named_do_not_go_into_a_database_of_others";
    let Some(scene) = Scene::of(test, &[]) else { return };
    scene.server.psql("postgres", "CREATE TABLE invoices (n int);");
    let refused = scene.run("migrate").expect(5).says("E0868").says("It has public.invoices");
    assert!(refused.err.contains("--migrations"), "{}", refused.err);
    assert_eq!(scene.server.psql("postgres", "SELECT to_regclass('_sqlx_migrations');"), "\n");
    // Named, they are tried: this server has no TimescaleDB.
    scene.run("migrate stacks/dev.yaml").expect(1).says("E0870");
    scene.server.psql("postgres", "DROP TABLE invoices;");
    scene.run("migrate").expect(1).says("E0870");
    scene.place.write("empty/README.md", "none");
    for command in ["migrate run", "migrate status", "verify"] {
        let ended = scene.run(&format!("{command} --migrations empty")).expect(1);
        ended.says("empty: the folder holds no migration");
    }
    scene.run("migrate new first").expect(0);
}

#[test]
fn what_is_to_be_skipped_is_skipped_without_a_session_too() {
    let place = Place::new();
    let url = [("DATABASE_URL", "postgres://u@127.0.0.1:1/d")];
    place.with(&url, "verify").expect(1);
    place.with(&url, "verify --skip connection").expect(0).says("--skip connection");
}

#[test]
fn the_stack_file_stands_before_the_verb_or_behind_it() {
    let test = "the_stack_file_stands_before_the_verb_or_behind_it";
    let Some(scene) = Scene::of(test, &[("1_first.sql", FIRST)]) else { return };
    scene.run("migrate run stacks/dev.yaml").expect(0).says("1 migration run");
    for args in ["migrate stacks/dev.yaml status", "migrate status stacks/dev.yaml"] {
        scene.run(args).expect(0).says("first");
    }
    let twice = scene.run("migrate stacks/dev.yaml status stacks/prod.yaml").expect(1);
    twice.says("Two stack files were named: stacks/dev.yaml and stacks/prod.yaml.");
}

#[test]
fn what_was_run_and_has_no_file_can_be_passed_over_wherever_it_is_found() {
    let test = "what_was_run_and_has_no_file_can_be_passed_over_wherever_it_is_found";
    let Some(scene) = Scene::of(test, &[("1_first.sql", FIRST), ("2_theirs.sql", "SELECT 2;")]) else {
        return;
    };
    scene.run("migrate run").expect(0);
    fs::remove_file(scene.place.path("migrations/2_theirs.sql")).unwrap();
    let told = scene.run("migrate status").expect(1).says("E0872");
    for way in ["migrate STACK run", "migrate STACK status", "verify STACK"] {
        assert!(told.err.contains(&format!("`lhctl {way} --ignore-missing`")), "{way}: {}", told.err);
    }
    scene.run("migrate run").expect(5).says("E0872");
    scene.run("migrate run --ignore-missing").expect(0);
    let passed = scene.run("migrate status --ignore-missing").expect(0);
    assert!(passed.out.ends_with("1 applied, 0 pending, 1 without a file passed over.\n"), "{}", passed.out);
    let json = scene.run("migrate status --ignore-missing --json").expect(0).json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 0, "{json:#}");
    assert_eq!(json["migrations"][1]["state"], "missing", "{json:#}");
    let verified = |args: &str| {
        let json = scene.run(&format!("verify --json {args}")).json();
        let checks = json["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "migrations").unwrap().clone()
    };
    assert_eq!(verified("")["outcome"], "failed");
    let check = verified("--ignore-missing");
    assert_eq!(check["outcome"], "passed", "{check:#}");
    let evidence = check["evidence"].to_string();
    assert!(evidence.contains("1 migrations applied") && evidence.contains("1 without a file"), "{evidence}");
    // What is pending is not passed over with it.
    scene.place.write("migrations/3_third.sql", "SELECT 3;");
    assert_eq!(verified("--ignore-missing")["outcome"], "failed");
}

#[test]
fn what_was_decided_is_told_and_fixes_name_whole_commands() {
    let test = "what_was_decided_is_told_and_fixes_name_whole_commands";
    let files = [("1_first.sql", FIRST), ("2_insert.sql", INSERT), ("3_more.sql", INSERT)];
    let Some(scene) = Scene::of(test, &files) else { return };
    scene.run("migrate run").expect(0).says("Migrated: 3 migrations run. The database is at 3.");
    scene.run("migrate run").expect(0).says("Nothing to run. The database is at 3.");

    scene.place.write("migrations/1_first.sql", &format!("-- why\n{FIRST}"));
    let changed = scene.run("migrate run").expect(5);
    assert!(changed.err.contains("`lhctl migrate STACK run --accept 1`"), "{}", changed.err);
    assert!(changed.err.contains("with another text than the file has now"), "{}", changed.err);
    let accepted = scene.run("migrate run --accept 1 --accept 2 --accept 9").expect(0);
    assert_eq!(accepted.out, "Accepted: 1. Nothing to run. The database is at 3.\n");
    assert!(accepted.err.contains("1 first: the file as it is now was noted."), "{}", accepted.err);
    assert!(accepted.err.contains("--accept 2, 9: nothing was there to decide"), "{}", accepted.err);

    scene.server.psql("postgres", "UPDATE _sqlx_migrations SET success = false WHERE version > 1;");
    let unfinished = scene.run("migrate run").expect(5);
    for option in ["--retry 2", "--done 2"] {
        let whole = format!("`lhctl migrate STACK run {option}`");
        assert!(unfinished.err.contains(&whole), "{whole}: {}", unfinished.err);
    }
    scene.run("migrate run --done 2 --retry 2").expect(1).says("contradict each other");
    let decided = scene.run("migrate run --done 2 --retry 3").expect(0);
    assert_eq!(
        decided.out,
        "Noted as done: 2. Migrated: 1 migration run (again: 3). The database is at 3.\n"
    );
    assert!(decided.err.contains("2 insert: noted as done, as you decided."), "{}", decided.err);
    assert!(decided.err.contains("3 more… (again, as you decided)"), "{}", decided.err);
    scene.run("migrate status").expect(0);

    scene.place.write("migrations/0_no.sql", "SELECT 1;");
    scene.run("migrate run").expect(1).says("The migrations are not run: 1 finding. Nothing was changed.");
    let status = scene.run("migrate status").expect(1).says("E0865");
    assert!(status.err.contains("cannot be compared with the database: 1 finding."), "{}", status.err);
    let new = scene.run("migrate new more").expect(1);
    assert!(new.err.contains("No migration was written: 1 finding."), "{}", new.err);
    let verify = scene.run("verify").expect(1);
    assert!(verify.err.contains("The database was not verified: 1 finding."), "{}", verify.err);
    for ended in [status, new, verify] {
        assert!(!ended.err.contains("are not run"), "{}", ended.err);
    }
    fs::remove_file(scene.place.path("migrations/0_no.sql")).unwrap();
    scene.place.write("migrations/3_more.sql", "");
    scene.place.write("migrations/4_late.sql", "SELECT 4;");
    scene
        .run("migrate run --accept 3")
        .expect(0)
        .says("Accepted: 3. Migrated: 1 migration run. The database is at 4.");
    fs::remove_file(scene.place.path("migrations/2_insert.sql")).unwrap();
    scene.server.psql("postgres", "DELETE FROM _sqlx_migrations WHERE version = 2;");
    scene.place.write("migrations/2_insert.sql", "SELECT 2;");
    let late = scene.run("migrate run").expect(5).says("E0873");
    assert!(late.err.contains("`lhctl migrate STACK run --out-of-order`"), "{}", late.err);
}

/// What `migrate new` writes is to be filled: run as it is, it would be noted as done.
#[test]
fn a_file_that_is_to_be_filled_is_run_only_when_it_is() {
    let test = "a_file_that_is_to_be_filled_is_run_only_when_it_is";
    let Some(scene) = Scene::of(test, &[("1_first.sql", FIRST)]) else { return };
    let wrote = scene.run("migrate new later").expect(0).out;
    let file = wrote.trim_end().trim_end_matches('.').strip_prefix("Wrote ").unwrap().to_owned();
    let refused = scene.run("migrate run").expect(1).says("error[E0867]: This file has no statement");
    assert!(refused.err.contains("1 finding. Nothing was changed."), "{}", refused.err);
    let tables = "SELECT count(*) FROM pg_class WHERE relname IN ('a', '_sqlx_migrations');";
    assert_eq!(scene.server.psql("postgres", tables), "0\n");
    scene.place.write(&file, "");
    scene.run("migrate status").expect(1).says("error[E0867]");
    scene.place.write(&file, "INSERT INTO a VALUES (7);");
    scene.run("migrate run").expect(0).says("Migrated: 2 migrations run.");
    assert_eq!(scene.server.psql("postgres", "SELECT x FROM a;"), "7\n");
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Interrupts `child` when it says `text`, and gives its end.
fn interrupted(mut child: Child, text: &str) -> (Ended, String) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap().contains(text)), "it did not say `{text}`");
    interrupt(&child);
    let told: Vec<String> = lines.map(|line| line.unwrap()).collect();
    (Ended::of(child.wait_with_output().unwrap()), told.join("\n"))
}

#[test]
fn an_interrupted_run_says_what_is_known_and_the_next_one_goes_on() {
    let test = "an_interrupted_run_says_what_is_known_and_the_next_one_goes_on";
    let files = [("1_first.sql", FIRST), ("2_insert.sql", INSERT), ("3_slow.sql", SLOW)];
    let Some(scene) = Scene::of(test, &files) else { return };
    let mut first = scene.begin("migrate run");
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap().starts_with("3 slow…")));

    // Another one, which waits for the first.
    let (ended, told) = interrupted(scene.begin("migrate run"), "holds the lock");
    ended.expect(130);
    assert!(told.contains("error: Interrupted before a migration was begun. None was run."), "{told}");

    interrupt(&first);
    let told: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let told = told.join("\n");
    Ended::of(first.wait_with_output().unwrap()).expect(130);
    assert!(told.contains("error: Interrupted while the migration 3 (slow) ran."), "{told}");
    assert!(told.contains("2 migrations were run before it."), "{told}");
    assert!(told.contains("wholly or not at all"), "{told}");
    assert!(told.contains("fix: Run `lhctl migrate STACK run` again: it goes on from there. "), "{told}");

    // The server ends its statement, which would take ten minutes, and gives the lock back.
    scene.place.write("migrations/3_slow.sql", "INSERT INTO a VALUES (3);\n");
    scene.run("migrate run").expect(0).says("Migrated: 1 migration run. The database is at 3.");
    assert_eq!(scene.server.psql("postgres", "SELECT sum(x) FROM a;"), "5\n");

    // Outside a transaction nobody can know.
    let outside = format!("-- no-transaction\n{}", SLOW.lines().last().unwrap());
    scene.place.write("migrations/4_outside.sql", &outside);
    let (ended, told) = interrupted(scene.begin("migrate run"), "4 outside…");
    ended.expect(130);
    assert!(told.contains("error: Interrupted while the migration 4 (outside) ran."), "{told}");
    assert!(told.contains("--retry 4") && told.contains("--done 4"), "{told}");

    // The same after a run that was killed.
    let mut killed = scene.begin("migrate run --retry 4");
    let mut lines = BufReader::new(killed.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("4 outside…")));
    killed.kill().unwrap();
    killed.wait().unwrap();
    scene.run("migrate run --done 4").expect(0);
}
