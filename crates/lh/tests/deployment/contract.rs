//! A plan lists the operations it may call, and carrying it out calls no other.

use lh::{Applied, Cloud, Mode, SavedPlan};

use crate::{apply, called, deployment};

#[track_caller]
fn assert_kept(cloud: &Cloud, applied: &Applied) {
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome);
    let (called, listed) = (called(cloud), applied.plan.calls());
    let others: Vec<_> = called.difference(&listed).collect();
    assert!(others.is_empty(), "called and not listed: {others:?}");
    assert!(called.len() > 5, "{called:?}");
}

#[tokio::test]
async fn an_apply_keeps_to_its_plan() {
    let cloud = Cloud::simulated();
    let applied = apply(&cloud, &[]).await;
    assert_kept(&cloud, &applied);
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
        cloud.sim().unwrap().forget_calls();
        let applied = apply(&cloud, set).await;
        assert!(!applied.plan.is_empty(), "{set:?} changes nothing");
        assert_kept(&cloud, &applied);
    }
}

#[tokio::test]
async fn a_destroy_keeps_to_its_plan() {
    for retain_data in [false, true] {
        let cloud = Cloud::simulated();
        apply(&cloud, &[]).await;
        cloud.sim().unwrap().forget_calls();
        let applied = deployment(&cloud, &[]).destroy(retain_data, |_| true).await.unwrap();
        assert_kept(&cloud, &applied);
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
    let applied = deployment.apply_saved(&saved, |_| true).await.unwrap();
    assert_kept(&cloud, &applied);
}
