//! `lhctl ssh`, as far as it goes without an instance that runs.

use std::process::{Command, Stdio};

use crate::place::{DEV, Ended, Place};

#[test]
fn without_an_instance_it_says_so() {
    for command in ["-- uptime", "--via ssm -- uptime", "--via ssh -- uptime"] {
        let ended = Place::new().run(&format!("ssh {DEV} --local {command}")).expect(1);
        assert_eq!(
            ended.err,
            "error: The stack lighthouse-dev has no instance yet.\n  fix: Apply it first.\n"
        );
    }
}

#[test]
fn without_a_terminal_it_names_the_other_form() {
    let ended = Place::new().run(&format!("ssh {DEV} --local")).expect(1);
    ended.says("There is no terminal on standard input.").says("lhctl ssh STACK -- uptime");
}

/// Runs `lhctl args…` on a terminal of its own, with a `psql` before all others on PATH that tells
/// what it was given.
fn on_a_terminal(place: &Place, env: &[(&str, &str)], args: &str) -> Ended {
    let text = "#!/bin/sh\necho \"arguments: $*\"; env | grep '^PG' | sort\nexit 3\n";
    // By another process: a child of another test may hold open what this one writes, and Linux runs
    // no file that somebody has open to write.
    let put = "mkdir -p bin && printf '%s' \"$0\" >bin/psql && chmod 755 bin/psql";
    let put = Command::new("sh").args(["-c", put, text]).current_dir(place.path("")).status();
    assert!(put.unwrap().success());
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let lhctl = place.command(&[], args);
    let line = std::iter::once(lhctl.get_program()).chain(lhctl.get_args());
    let line = line.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env_clear().env("PATH", path).envs(env.iter().copied());
    terminal.current_dir(place.path("")).stdin(Stdio::null());
    Ended::of(terminal.output().unwrap())
}

#[test]
fn psql_on_a_terminal_gets_the_password_by_its_environment_and_passes_its_status_on() {
    let url = "postgresql://me:hunter%2F2@127.0.0.1:1/d?sslmode=disable";
    let ended = on_a_terminal(&Place::new(), &[("DATABASE_URL", url)], "db psql").expect(3);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(
        lines,
        [
            "arguments: ",
            "PGDATABASE=d",
            "PGHOST=127.0.0.1",
            "PGPASSWORD=hunter/2",
            "PGPORT=1",
            "PGSSLMODE=disable",
            "PGUSER=me"
        ]
    );
}
