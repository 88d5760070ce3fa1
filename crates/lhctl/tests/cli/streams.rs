//! Output that nobody reads, or that there is no room for: the work is done all the same.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

use crate::place::{Ended, Place};

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn a_full_disk_under_standard_output_ends_no_apply_and_is_told() {
    let place = Place::new();
    let mut apply = place.command(&[], "apply --local stacks/dev.yaml --auto-approve");
    let ended = Ended::of(apply.stdout(full()).output().unwrap()).expect(1);
    ended.says("error: Standard output could not be written: No space left on device");
    place.run("plan --local stacks/dev.yaml --detailed-exitcode").expect(0);
    // Where the command failed by itself, that is its exit code.
    let mut refused = place.command(&[], "destroy --local stacks/dev.yaml");
    Ended::of(refused.stdout(full()).output().unwrap()).expect(5);
}

/// What is typed after Ctrl-C is for the shell, and not an answer.
#[test]
fn ctrl_c_at_a_question_is_an_answer() {
    let place = Place::new();
    let lhctl = place.command(&[], "apply --local stacks/dev.yaml");
    let line = std::iter::once(lhctl.get_program()).chain(lhctl.get_args());
    let line = line.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).current_dir(place.path(""));
    let mut child = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut look = |until: &str| {
        let mut letter = [0];
        while !String::from_utf8_lossy(&seen).contains(until) {
            assert_eq!(screen.read(&mut letter).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
            seen.push(letter[0]);
        }
    };
    look("Only `yes` does it:");
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    look("Interrupted at the question. Nothing was changed.");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(place.steps("").len(), 14, "nothing was made");
}

#[test]
fn what_runs_on_the_instance_ends_with_its_reader() {
    let place = Place::applied();
    let mut endless = place.command(&[], "ssh stacks/dev.yaml --local --");
    let mut endless = endless.arg("while echo more; do sleep 0.1; done").spawn().unwrap();
    let mut lines = BufReader::new(endless.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "more");
    drop(lines);
    assert_eq!(endless.wait().unwrap().code(), Some(130));
    let mut cut = place.command(&[], "ssh stacks/dev.yaml --local -- seq 100");
    Ended::of(cut.stdout(full()).output().unwrap())
        .expect(1)
        .says("error: Standard output could not be written");
}

#[test]
fn a_reader_that_leaves_ends_no_apply() {
    let place = Place::new();
    let mut apply = place.command(&[], "apply --local stacks/dev.yaml --auto-approve").spawn().unwrap();
    let mut lines = BufReader::new(apply.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().is_ok());
    drop((lines, apply.stderr.take()));
    assert_eq!(apply.wait().unwrap().code(), Some(0));
    place.run("plan --local stacks/dev.yaml --detailed-exitcode").expect(0);
}
