//! A plan lists the operations it may call, and carrying it out calls no other.

use lh::{Cloud, Mode, SavedPlan};

use crate::{apply, called, deployment, kept};

#[tokio::test]
async fn an_apply_keeps_to_its_plan() {
    let cloud = Cloud::simulated();
    let applied = deployment(&cloud, &[]).apply(|_| true).await;
    assert!(called(&cloud).len() > 5, "{:?}", called(&cloud));
    kept(&cloud, applied);
}

#[tokio::test]
async fn state_in_s3_is_part_of_the_plan() {
    let cloud = Cloud::simulated();
    let state = [
        "state.path=null",
        "state.bucket=lighthouse-state",
        "state.key=dev.json",
        "state.lock_table=lighthouse-locks",
    ];
    deployment(&cloud, &state).bootstrap().await.unwrap();
    cloud.sim().unwrap().forget_calls();
    let applied = deployment(&cloud, &state).apply(|_| true).await;
    assert!(called(&cloud).contains("dynamodb:PutItem"));
    let applied = kept(&cloud, applied);
    assert!(applied.plan.keeping.contains("s3:PutObject"));
    cloud.sim().unwrap().forget_calls();
    kept(&cloud, deployment(&cloud, &state).destroy(false, |_| true).await);
}

#[tokio::test]
async fn what_moves_after_the_approval_is_left_alone() {
    let cloud = Cloud::simulated();
    let id = apply(&cloud, &[]).await.state.resources[&"volume.data".parse().unwrap()].id.0.clone();
    let sim = cloud.sim().unwrap().clone();
    let meddle = |_: &lh::Plan| {
        sim.edit(|world| {
            let region = world.regions.get_mut("us-east-1").unwrap();
            region.volumes.get_mut(&id).unwrap().throughput = Some(200);
        });
        true
    };
    let applied = deployment(&cloud, &["volume.size=30"]).apply(meddle).await.unwrap();
    let error = applied.outcome.failed.values().next().unwrap();
    assert_eq!(error.kind, lh::ErrorKind::Stale);
    assert!(error.message.contains("throughput was 125 and is 200"), "{error}");
    let world = sim.snapshot();
    assert_eq!(world.region("us-east-1").unwrap().volumes[&id].size, 20);
}

#[tokio::test]
async fn an_update_keeps_to_its_plan() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    for set in [
        ["volume.size=30", "network.allow_postgres_from=[198.51.100.0/24]", "tags={Team: lighthouse}"]
            .as_slice(),
        &["volume.size=30", "volume.throughput=200", "instance.type=t4g.small"],
        &["volume.size=30", "instance.purchase=on-demand", "instance.spot=null"],
    ] {
        // EBS takes a second modification only when the first is complete.
        cloud.sim().unwrap().advance(std::time::Duration::from_hours(1));
        let applied = apply(&cloud, set).await;
        assert!(!applied.plan.is_empty(), "{set:?} changes nothing");
    }
}

#[tokio::test]
async fn a_destroy_keeps_to_its_plan() {
    for retain_data in [false, true] {
        let cloud = Cloud::simulated();
        apply(&cloud, &[]).await;
        cloud.sim().unwrap().forget_calls();
        kept(&cloud, deployment(&cloud, &[]).destroy(retain_data, |_| true).await);
    }
}

#[tokio::test]
async fn what_is_not_approved_is_not_done() {
    let cloud = Cloud::simulated();
    let applied = deployment(&cloud, &[]).apply(|_| false).await.unwrap();
    assert!(!applied.approved && applied.outcome.done.is_empty());
    assert!(cloud.sim().unwrap().calls().iter().all(|call| !call.mutating));
}

#[tokio::test]
async fn a_saved_plan_survives_its_file() {
    let cloud = Cloud::simulated();
    let deployment = deployment(&cloud, &[]);
    let plan = deployment.plan(Mode::Apply).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dev.plan");
    deployment.save(plan.clone()).write(&file).unwrap();
    assert!(SavedPlan::is_at(&file));
    let saved = SavedPlan::read(&file).unwrap();
    assert_eq!(saved.plan, plan);
    cloud.sim().unwrap().forget_calls();
    cloud.sim().unwrap().forget_calls();
    kept(&cloud, deployment.apply_saved(&saved, |_| true).await);
}
