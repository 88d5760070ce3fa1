//! Ctrl-C: the calls in flight are finished and recorded, and the next apply goes on.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
};

use crate::{
    canonical,
    place::{Ended, Place},
};

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";

/// An apply that takes some time, and the lines it tells, read until the first step is done.
fn begun(place: &Place) -> (Child, std::io::Lines<BufReader<std::process::ChildStderr>>) {
    let mut child = place.command(&[("LHCTL_LOCAL_FAULTS", "latency=60ms")], APPLY).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap().starts_with('✓')), "no step was done");
    (child, lines)
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn an_interrupted_apply_saves_and_the_next_one_goes_on() {
    let place = Place::new();
    let (child, lines) = begun(&place);
    interrupt(&child);
    let told: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let ended = Ended::of(child.wait_with_output().unwrap()).expect(130);
    ended.says("Apply interrupted. ").says(" left; run the command again to go on.");
    assert!(
        told.iter().any(|line| line.starts_with("Interrupted: finishing the calls in flight")),
        "{told:#?}"
    );
    place.run("state list --local stacks/dev.yaml").expect(0).says("iam_role.instance");
    place.run(APPLY).expect(0).says("Apply complete!");
    canonical::assert_same(
        "the simulated AWS",
        &canonical::world(&place),
        &canonical::world(&Place::applied()),
    );
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn a_second_interrupt_leaves_at_once_and_says_what_it_leaves() {
    let place = Place::new();
    let (child, mut lines) = begun(&place);
    interrupt(&child);
    assert!(lines.by_ref().any(|line| line.unwrap().starts_with("Interrupted: ")));
    interrupt(&child);
    let told: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let ended = child.wait_with_output().unwrap();
    // The first interrupt may have been enough.
    assert_eq!(ended.status.code(), Some(130), "{told:#?}");
    place.run(APPLY).expect(0);
    canonical::assert_same(
        "the simulated AWS",
        &canonical::world(&place),
        &canonical::world(&Place::applied()),
    );
    assert_eq!(place.steps(""), [""; 0]);
}

#[test]
fn an_interrupt_ends_the_wait_for_a_lock() {
    let place = crate::state_verbs::remote();
    place.edit("  size: 20 ", "  size: 25 ");
    // A run that died holds the lock for as long as its lease.
    assert!(place.faulty("fuse=after:3", APPLY).signal.is_some());
    let (state, world) =
        (place.run("state show --local stacks/dev.yaml --json").out, canonical::world(&place));
    for command in [APPLY, "destroy --local stacks/dev.yaml --auto-approve"] {
        let mut child = place.command(&[], command).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.by_ref().any(|line| line.unwrap().contains("lock")), "nothing was told of the lock");
        interrupt(&child);
        let told: Vec<String> = lines.map(|line| line.unwrap()).collect();
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert_eq!(ended.code, Some(130), "{told:#?}");
        assert!(told.iter().any(|line| line.contains("topped while waiting for the lock")), "{told:#?}");
    }
    assert_eq!(place.run("state show --local stacks/dev.yaml --json").out, state);
    canonical::assert_same("the simulated AWS", &canonical::world(&place), &world);
}
