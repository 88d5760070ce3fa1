//! One run at a time: who comes second is told who was first, and nothing is done twice.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader},
};

use crate::{
    canonical,
    place::{Ended, Place, STATE},
};

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";

#[test]
fn a_held_lock_ends_with_3_and_names_the_holder() {
    let place = Place::new();
    fs::create_dir_all(place.path(".lhctl/local/state")).unwrap();
    let path = place.path(&format!("{STATE}.lock"));
    let holder = r#"{"who":"ada@lighthouse","pid":4711,"operation":"apply","since":"2026-01-02T03:04:05Z"}"#;
    fs::write(&path, holder).unwrap();
    let lock = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    lock.lock().unwrap();
    for command in ["apply", "destroy", "recover"] {
        place
            .run(&format!("{command} --local stacks/dev.yaml --auto-approve"))
            .expect(3)
            .says("ada@lighthouse (process 4711, `apply`, since 2026-01-02T03:04:05Z)")
            .says("fix: Wait for the other run to end");
    }
    place.run("plan --local stacks/dev.yaml").expect(0);
    lock.unlock().unwrap();
    // The file of a run that died stays and says so; its lock is free.
    place.run(APPLY).expect(0);
}

#[test]
fn of_two_applies_at_once_one_is_turned_away_and_the_other_completes() {
    let place = Place::new();
    let mut first = place.command(&[("LHCTL_LOCAL_FAULTS", "latency=60ms")], APPLY).spawn().unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    // A step is on its way, so the first run has the lock.
    assert!(lines.by_ref().any(|line| line.unwrap().starts_with("create ")), "no step was begun");
    place.run(APPLY).expect(3).says("`apply`");
    place.run("destroy --local stacks/dev.yaml --auto-approve").expect(3);
    lines.for_each(drop);
    Ended::of(first.wait_with_output().unwrap()).expect(0).says("14 added");
    place.run(APPLY).expect(0).says("0 added");
    canonical::assert_same(
        "the simulated AWS",
        &canonical::world(&place),
        &canonical::world(&Place::applied()),
    );
}

#[test]
fn many_applies_at_once_make_one_stack() {
    let place = Place::new();
    let runs: Vec<_> = (0..4).map(|_| place.command(&[], APPLY).spawn().unwrap()).collect();
    let codes: Vec<_> = runs.into_iter().map(|run| run.wait_with_output().unwrap().status.code()).collect();
    assert!(codes.iter().all(|code| [Some(0), Some(3)].contains(code)), "{codes:?}");
    assert!(codes.contains(&Some(0)), "nobody had the lock");
    canonical::assert_same(
        "the simulated AWS",
        &canonical::world(&place),
        &canonical::world(&Place::applied()),
    );
    canonical::assert_owned(&place);
}
