//! `migrate`, `verify` and `local database`: what a user sees, without a database and with the
//! real one of `--local`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
};

use crate::{
    place::{Ended, Place},
    transcript,
};

/// Nothing listens on port 1 of this machine.
const NOBODY: &str = "--database-url postgresql://postgres:hunter2@127.0.0.1:1/lighthouse?sslmode=disable";

#[test]
fn without_a_database_there_is_a_reason_and_a_way_on() {
    let place = Place::new();
    let commands = [
        "migrate",
        "migrate stacks/dev.yaml --local",
        "verify stacks/dev.yaml --skip tabels",
        &format!("migrate status {NOBODY}"),
        &format!("verify {NOBODY}"),
    ];
    transcript::check("database-none", &place, &commands);
    let json = place.run(&format!("verify --json {NOBODY}")).expect(1).json();
    assert_eq!(json["holds"], false);
    assert_eq!(json["checks"][0]["outcome"], "failed");
    let applied = Place::applied();
    transcript::check("database-not-started", &applied, &["migrate stacks/dev.yaml --local"]);
}

#[test]
fn a_password_in_the_url_is_in_no_message() {
    let place = Place::new();
    for args in ["migrate", "migrate status", "verify", "verify --json"] {
        for url in
            ["postgres://u:hunter2@127.0.0.1:1/d", "postgres://u:hun/ter2@h/d", "mysql://u:hunter2@h/d"]
        {
            let by_option = place.run(&format!("{args} --database-url {url}")).expect(1);
            let env = [("DATABASE_URL", url), ("LHCTL_LOG", "trace")];
            let by_variable = place.with(&env, args).expect(1);
            for ended in [by_option, by_variable] {
                let all = ended.out + &ended.err;
                assert!(!all.contains("hunter2") && !all.contains("ter2"), "{args} {url}:\n{all}");
            }
        }
    }
}

#[test]
fn new_migrations_are_written_beside_stacks_and_the_linter_needs_no_database() {
    let place = Place::new();
    let wrote = place.run("migrate stacks/dev.yaml new add_regions").expect(0).out;
    let path = wrote.strip_prefix("Wrote ").unwrap().trim_end().trim_end_matches('.').to_owned();
    assert!(path.starts_with("migrations/20") && path.ends_with("_add_regions.sql"), "{path}");
    // As it was written it cannot be run: it would count as done before it says anything.
    let empty = place.run(&format!("migrate stacks/dev.yaml status {NOBODY}")).expect(1);
    empty.says("E0867").says("This file has no statement");
    std::fs::remove_file(place.path(&path)).unwrap();
    place.write("migrations/1_first.sql", "SELECT 1;\nVACUUM t;\n");
    place.write("migrations/2_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);\n");
    let status = format!("migrate stacks/dev.yaml status {NOBODY}");
    transcript::check("database-lint", &place, &[&status, "migrate stacks/dev.yaml new ../x"]);
    // Another stack has no migrations inside lhctl.
    let other = Place::new();
    other.run("init lantern").expect(0);
    other
        .run(&format!("migrate stacks/lantern.yaml {NOBODY}"))
        .expect(1)
        .says("migrations: there is no such folder");
}

#[test]
fn without_node_the_message_says_what_is_missing() {
    let place = Place::new();
    let ended = place.with(&[("PATH", "/nowhere")], "local database").expect(1);
    assert!(ended.err.contains("Node is missing") || ended.err.contains("node is missing"), "{}", ended.err);
    assert!(ended.err.contains("Node.js 20 or newer") && ended.err.contains("fix:"), "{}", ended.err);
}

/// `lhctl local database`, until it is dropped.
pub(crate) struct Running(Child);

impl Running {
    pub fn start(place: &Place, packages: &str) -> (Self, String) {
        let mut child = place.command(&[("LHCTL_TIMESCALEDB", packages)], "local database").spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        (Self(child), url.trim_end().to_owned())
    }

    fn interrupt(&mut self) -> Option<i32> {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.interrupt();
        }
    }
}

#[test]
fn apply_migrate_and_verify_run_end_to_end_on_one_machine() {
    let Ok(packages) = std::env::var("LHCTL_TIMESCALEDB") else {
        eprintln!(
            "SKIPPED apply_migrate_and_verify_run_end_to_end_on_one_machine: LHCTL_TIMESCALEDB is not set; scripts/test sets it"
        );
        return;
    };
    let place = Place::applied();
    let (mut database, url) = Running::start(&place, &packages);
    assert!(url.starts_with("postgresql://postgres@127.0.0.1:"), "{url}");
    let ended = place.run("verify stacks/dev.yaml --local").expect(1);
    assert!(ended.out.contains("6 of 6 migrations were not run"), "{}", ended.out);
    let ended = place.run("migrate stacks/dev.yaml --local").expect(0);
    assert!(
        ended.out.contains("Migrated: 6 migrations run. The database is at 20241001000006."),
        "{}",
        ended.out
    );
    place.run("migrate stacks/dev.yaml --local").expect(0).says("Nothing to run.");
    let status = place.run("migrate stacks/dev.yaml status --local").expect(0);
    assert!(status.out.ends_with("6 applied, 0 pending.\n"), "{}", status.out);
    let json = place.run("migrate stacks/dev.yaml status --json --local").expect(0).json();
    assert_eq!(json["migrations"][0]["state"], "applied");
    let ended = place.run("verify stacks/dev.yaml --local --skip benchmark").expect(0);
    assert!(ended.out.contains("12 passed, 0 failed, 8 skipped."), "{}", ended.out);
    asked_of_day_2(&place);
    // The same database by its URL, without a stack.
    let url = url.replace("/postgres?", "/lighthouse_dev?");
    place.with(&[("DATABASE_URL", &url)], "verify").expect(0).says("Verification of 127.0.0.1:");
    assert_eq!(database.interrupt(), Some(0));
    place.run("migrate stacks/dev.yaml --local").expect(1).says("lhctl local database");
}

/// What `db` says of wishes that do not fit, on the database of the reference stack.
fn asked_of_day_2(place: &Place) {
    let db = |args: &str| place.run(&format!("db {args} --local"));
    // A table without a policy: the ones that have one are named.
    for args in ["", " --json", " --drop-after 100d --auto-approve"] {
        let none = db(&format!("retention stacks/dev.yaml --table nope{args}")).expect(1);
        let none = none.says("The table nope has no retention policy");
        assert!(none.err.contains("public.alert_history, public.check_history"), "{}", none.err);
    }
    // What would delete rows from the aggregates is refused, with the way to it.
    let refused = db("retention stacks/dev.yaml --drop-after 7d --auto-approve").expect(5);
    assert!(refused.err.contains("fix: ") && refused.err.contains("jsonb_set"), "{}", refused.err);
    // What `verify` will not like is told before anything is asked.
    let warned = db("retention stacks/dev.yaml --drop-after 40d").expect(5);
    let (warning, asked) = (warned.err.find("wants 90 days"), warned.err.find("asks before it changes"));
    assert!(warning.is_some() && warning < asked, "{}", warned.err);
    let fits = db("retention stacks/dev.yaml --drop-after 3mo").expect(5);
    assert!(!fits.err.contains("wants 90 days"), "{}", fits.err);
    // psql's own exit statuses: 3 for a statement that failed, 2 for no session.
    db("psql stacks/dev.yaml -c SELEKT").expect(3).says("SELEKT");
    db("psql stacks/dev.yaml -c SELECT+1").expect(0);
}

#[test]
fn a_file_of_sql_that_is_not_there_is_told_with_what_to_do() {
    let ended = Place::new().run("db psql stacks/dev.yaml -f nope.sql").expect(1);
    assert!(
        ended.err.starts_with("error: nope.sql cannot be read: ") && ended.err.contains("fix: "),
        "{}",
        ended.err
    );
}

#[test]
fn a_database_in_the_background_runs_until_it_is_stopped() {
    let test = "a_database_in_the_background_runs_until_it_is_stopped";
    let Ok(packages) = std::env::var("LHCTL_TIMESCALEDB") else {
        eprintln!("SKIPPED {test}: LHCTL_TIMESCALEDB is not set; scripts/test sets it");
        return;
    };
    let place = Place::applied();
    place.run("local database --stop").expect(0).says("No database runs here.");
    let env = [("LHCTL_TIMESCALEDB", packages.as_str())];
    // Two at once on one folder: the second finds the first.
    let both = ["", ""].map(|_| place.command(&env, "local database --detach").spawn().unwrap());
    let mut both = both.map(|child| Ended::of(child.wait_with_output().unwrap()));
    both.sort_by_key(|ended| ended.code);
    let [started, late] = both;
    let started = started.expect(0);
    late.expect(1).says("A database runs there already");
    assert!(started.out.starts_with("postgresql://postgres@127.0.0.1:"), "{}", started.out);
    assert!(started.err.contains("`lhctl local database --stop` ends it"), "{}", started.err);
    let second = place.with(&env, "local database --detach").expect(1).says("A database runs there already");
    assert!(second.err.contains("fix: ") && second.err.contains("`lhctl local database --stop` ends it"));
    assert!(!second.err.contains("Everything else works without it"), "{}", second.err);
    place.run("migrate stacks/dev.yaml --local").expect(0);
    // What would pull the folder from under it ends it first.
    place.run("local reset").expect(0);
    place.run("local database --stop").expect(0).says("No database runs here.");
}
