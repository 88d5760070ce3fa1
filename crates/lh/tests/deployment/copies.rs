//! Snapshots of the data volume before a change, in the simulated AWS.

use std::time::Duration;

use lh::{Cloud, Mode};
use lh_sim::{Faults, Fuse, OnFuse, Sim};

use crate::{apply, deployment};

fn copies(sim: &Sim) -> Vec<(String, String)> {
    let world = sim.snapshot();
    let all = world.regions["us-east-1"].snapshots.values();
    all.map(|one| (one.volume_id.clone(), one.tags["lhctl:before"].clone())).collect()
}

#[tokio::test]
async fn an_upgrade_that_is_repeated_has_one_copy_and_a_later_one_its_own() {
    let sim = Sim::in_memory();
    let cloud = Cloud::simulated_in(sim.clone());
    apply(&cloud, &[]).await;
    let stack = deployment(&cloud, &[]);
    let first = stack.copy_data_volume("upgrade to a:2.18.0").await.unwrap();
    assert_eq!(stack.copy_data_volume("upgrade to a:2.18.0").await.unwrap(), first);
    assert_ne!(stack.copy_data_volume("upgrade to a:2.19.0").await.unwrap(), first);
    sim.advance(Duration::from_secs(3601));
    assert_ne!(stack.copy_data_volume("upgrade to a:2.18.0").await.unwrap(), first);
    assert_eq!(copies(&sim).len(), 3);
    // They are nobody's resources: the stack is as its file says.
    assert!(stack.plan(Mode::Apply).await.unwrap().steps.is_empty());
}

#[tokio::test]
async fn a_copy_whose_answer_was_lost_is_found_again() {
    let sim = Sim::in_memory();
    let cloud = Cloud::simulated_in(sim.clone());
    apply(&cloud, &[]).await;
    let stack = deployment(&cloud, &[]);
    let fuse = Some(Fuse::After(sim.mutations() + 1));
    sim.set_faults(Faults { fuse, on_fuse: OnFuse::Fail, ..Faults::default() });
    stack.copy_data_volume("upgrade to a:2.18.0").await.unwrap_err();
    sim.set_faults(Faults::default());
    stack.copy_data_volume("upgrade to a:2.18.0").await.unwrap();
    assert_eq!(copies(&sim).len(), 1);
}

#[tokio::test]
async fn without_a_volume_there_is_nothing_to_copy() {
    let error = deployment(&Cloud::simulated(), &[]).copy_data_volume("upgrade").await.unwrap_err();
    assert_eq!(error.to_string(), "The stack lighthouse-dev has no data volume yet.");
}
