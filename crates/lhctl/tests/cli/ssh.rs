//! `lhctl ssh`, as far as it goes without an instance that runs.

use crate::place::{DEV, Place};

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
