//! How much memory a plan of hundreds of resources takes. A test of its own, since the peak is the
//! process's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod many;

use std::{fs, path::Path, process::Command};

use lh::{Cloud, Deployment, Mode, Stack};

/// The most memory that this process has had in RAM without what it has from files, in KiB
/// (`proc_pid_status(5)`): an unoptimised executable alone fills half of the budget.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let of = |name: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    of("VmHWM:")?.checked_sub(of("RssFile:")?)
}

const NAME: &str = "a_plan_of_350_resources_takes_less_than_60_mb";
/// Names the folder of the simulated AWS in the process that plans.
const FOLDER: &str = "LHCTL_TEST_MEMORY_FOLDER";

/// A process of its own plans what was applied; the simulated AWS is in its memory, too.
#[tokio::test]
async fn a_plan_of_350_resources_takes_less_than_60_mb() {
    let kept = tempfile::tempdir().unwrap();
    let planning = std::env::var_os(FOLDER);
    let folder = planning.as_ref().map_or(kept.path(), Path::new);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/dev.yaml");
    let cloud = Cloud::local(folder).unwrap();
    let dev = Deployment::new(Stack::load(file, &[]).unwrap(), cloud.clone());
    let many = many::copies(&cloud, &dev, 50).await;
    if planning.is_some() {
        let plan = many.plan(Mode::Apply).await.unwrap();
        assert!(plan.is_empty(), "{:#?}", plan.steps);
        match peak() {
            Some(kib) => {
                println!("{kib} KiB");
                assert!(kib * 1024 < 60_000_000, "{kib} KiB");
            }
            None => eprintln!("SKIPPED {NAME}: this system has no /proc/self/status"),
        }
        return;
    }
    let applied = many.apply(|_| true).await.unwrap();
    assert_eq!(applied.state.resources.len(), 350);
    let mut again = Command::new(std::env::current_exe().unwrap());
    let ended = again.args(["--exact", NAME, "--nocapture"]).env(FOLDER, folder).status().unwrap();
    assert!(ended.success());
}
