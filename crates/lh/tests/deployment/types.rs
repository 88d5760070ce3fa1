//! The instance gets another type: what happens when AWS has no room for it.

use lh_sim::world::InstanceState;

use crate::{apply, deployment};

const ON_DEMAND: &str = "instance.purchase=on-demand";

/// The types and states of all instances.
fn servers(cloud: &lh::Cloud) -> Vec<(String, InstanceState)> {
    let world = cloud.sim().unwrap().snapshot();
    let all = world.regions["us-east-1"].instances.values();
    all.map(|one| (one.launch.instance_type.clone(), one.state)).collect()
}

#[tokio::test]
async fn without_room_for_the_new_type_the_old_one_runs_again_and_the_reason_is_told() {
    let cloud = lh::Cloud::simulated();
    apply(&cloud, &[ON_DEMAND]).await;
    let sim = cloud.sim().unwrap();
    sim.edit(|world| world.region_mut("us-east-1").full.insert("t4g.medium".to_owned()));
    let wider = [ON_DEMAND, "instance.type=t4g.medium"];
    let applied = deployment(&cloud, &wider).apply(|_| true).await.unwrap();
    let failed: Vec<_> = applied.outcome.failed.iter().collect();
    let [(step, error)] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((step.to_string().as_str(), error.kind), ("update instance.main", lh::ErrorKind::Capacity));
    assert!(error.to_string().contains("t4g.medium"), "{error}");
    sim.advance(std::time::Duration::from_secs(300));
    assert_eq!(servers(&cloud), [("t4g.micro".to_owned(), InstanceState::Running)]);

    sim.edit(|world| world.region_mut("us-east-1").full.clear());
    apply(&cloud, &wider).await;
    assert_eq!(servers(&cloud), [("t4g.medium".to_owned(), InstanceState::Running)]);
    assert!(deployment(&cloud, &wider).plan(lh::Mode::Apply).await.unwrap().is_empty());
}
