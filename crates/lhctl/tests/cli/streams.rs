//! Output that nobody reads, or that there is no room for: the work is done all the same.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader},
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
