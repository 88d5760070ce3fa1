//! How much memory a plan of hundreds of resources takes. A test of its own, since the peak is the
//! process's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod many;

use std::fs;

use lh::{Cloud, Deployment, Mode, Stack};

/// The most memory that this process has had in RAM, in KiB (`proc_pid_status(5)`).
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Everything is in it: the simulated AWS, the apply before, and the plan.
#[tokio::test]
async fn a_plan_of_350_resources_takes_less_than_60_mb() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/dev.yaml");
    let cloud = Cloud::simulated();
    let dev = Deployment::new(Stack::load(file, &[]).unwrap(), cloud.clone());
    let many = many::copies(&cloud, &dev, 50).await;
    let applied = many.apply(|_| true).await.unwrap();
    assert_eq!(applied.state.resources.len(), 350);
    drop(applied);
    let plan = many.plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    match peak() {
        Some(kib) => assert!(kib * 1024 < 60_000_000, "{kib} KiB"),
        None => eprintln!(
            "SKIPPED a_plan_of_350_resources_takes_less_than_60_mb: this system has no /proc/self/status"
        ),
    }
}
