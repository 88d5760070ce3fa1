//! Volumes: tokens, limits, modification over time, attachment, pages and filters.

use crate::{code, ec2, filter, running, seconds, volume};
use aws_sdk_ec2::types::{VolumeModificationState, VolumeState, VolumeType};
use lh_sim::{Faults, Sim};

#[tokio::test]
async fn a_token_makes_one_volume_and_refuses_other_parameters() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let create =
        |size| ec2.create_volume().availability_zone("us-east-1a").size(size).client_token("t").send();
    let first = create(20).await.unwrap().volume_id;
    sim.advance(seconds(10));
    let again = create(20).await.unwrap();
    assert_eq!(again.volume_id, first);
    assert_eq!(again.state, Some(VolumeState::Available));
    assert_eq!(code(create(21).await), "IdempotentParameterMismatch");
    assert_eq!(sim.snapshot().region("us-east-1").unwrap().volumes.len(), 1);
}

#[tokio::test]
async fn gp3_limits_are_those_that_aws_documents() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let create = |size, iops, throughput| {
        ec2.create_volume()
            .availability_zone("us-east-1a")
            .volume_type(VolumeType::Gp3)
            .size(size)
            .iops(iops)
            .throughput(throughput)
            .send()
    };
    for (size, iops, throughput) in [(1, 3000, 125), (65536, 80000, 2000), (10, 5000, 1000), (1, 3000, 750)] {
        create(size, iops, throughput).await.unwrap();
    }
    for (size, iops, throughput) in [
        (0, 3000, 125),
        (65537, 3000, 125),
        (100, 2999, 125),
        (500, 80001, 125),
        (10, 5001, 125),
        (100, 3000, 751),
        (100, 3000, 124),
        (1000, 80000, 2001),
    ] {
        let error = code(create(size, iops, throughput).await);
        assert_eq!(error, "InvalidParameterValue", "{size} {iops} {throughput}");
    }
}

#[tokio::test]
async fn a_modification_takes_time_and_has_a_budget() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = volume(&sim, &ec2, "us-east-1a", 10).await;
    let modification = || async {
        let answer = ec2.describe_volumes_modifications().volume_ids(&id).send().await.unwrap();
        answer.volumes_modifications()[0].clone()
    };
    ec2.modify_volume().volume_id(&id).size(20).send().await.unwrap();
    assert_eq!(modification().await.modification_state, Some(VolumeModificationState::Modifying));
    assert_eq!(sim.snapshot().region("us-east-1").unwrap().volumes[&id].size, 10);
    assert_eq!(code(ec2.modify_volume().volume_id(&id).size(30).send().await), "IncorrectModificationState");
    sim.advance(seconds(30));
    assert_eq!(modification().await.modification_state, Some(VolumeModificationState::Optimizing));
    assert_eq!(sim.snapshot().region("us-east-1").unwrap().volumes[&id].size, 20);
    sim.advance(seconds(120));
    assert_eq!(modification().await.modification_state, Some(VolumeModificationState::Completed));
    assert_eq!(code(ec2.modify_volume().volume_id(&id).size(19).send().await), "InvalidParameterValue");
    for size in [21, 22, 23] {
        ec2.modify_volume().volume_id(&id).size(size).send().await.unwrap();
        sim.advance(seconds(200));
    }
    let fifth = ec2.modify_volume().volume_id(&id).size(24).send().await;
    assert_eq!(code(fifth), "VolumeModificationRateExceeded");
    sim.advance(seconds(24 * 3600));
    ec2.modify_volume().volume_id(&id).size(24).send().await.unwrap();
}

#[tokio::test]
async fn a_volume_attaches_once_in_its_zone_to_a_free_device() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let instance = running(&sim, &ec2).await;
    let here = volume(&sim, &ec2, "us-east-1a", 10).await;
    let more = volume(&sim, &ec2, "us-east-1a", 10).await;
    let there = volume(&sim, &ec2, "us-east-1b", 10).await;
    let attach = |volume: &str, device: &str| {
        ec2.attach_volume().volume_id(volume).instance_id(&instance).device(device).send()
    };
    assert_eq!(code(attach(&there, "/dev/sdf").await), "InvalidVolume.ZoneMismatch");
    attach(&here, "/dev/sdf").await.unwrap();
    assert_eq!(code(attach(&here, "/dev/sdg").await), "VolumeInUse");
    assert_eq!(code(attach(&more, "/dev/sdf").await), "InvalidParameterValue");
    assert_eq!(code(ec2.delete_volume().volume_id(&here).send().await), "VolumeInUse");
    let by_instance = filter("attachment.instance-id", &instance);
    let found = ec2.describe_volumes().filters(by_instance).send().await.unwrap();
    assert_eq!(found.volumes().len(), 2, "the root volume and this one");
    ec2.detach_volume().volume_id(&here).send().await.unwrap();
    sim.advance(seconds(5));
    ec2.delete_volume().volume_id(&here).send().await.unwrap();
    sim.advance(seconds(5));
    assert_eq!(code(ec2.describe_volumes().volume_ids(&here).send().await), "InvalidVolume.NotFound");
}

#[tokio::test]
async fn termination_keeps_attached_volumes_and_deletes_the_root() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let instance = running(&sim, &ec2).await;
    let data = volume(&sim, &ec2, "us-east-1a", 10).await;
    ec2.attach_volume().volume_id(&data).instance_id(&instance).device("/dev/sdf").send().await.unwrap();
    let root = sim
        .snapshot()
        .region("us-east-1")
        .unwrap()
        .volumes
        .values()
        .find(|it| it.id != data)
        .unwrap()
        .id
        .clone();
    assert_eq!(code(ec2.detach_volume().volume_id(&root).send().await), "OperationNotPermitted");
    ec2.terminate_instances().instance_ids(&instance).send().await.unwrap();
    sim.advance(seconds(15));
    let world = sim.snapshot();
    let volumes = &world.region("us-east-1").unwrap().volumes;
    assert_eq!(volumes.keys().collect::<Vec<_>>(), [&data]);
    assert_eq!(volumes[&data].state.name(), "available");
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    for _ in 0..12 {
        volume(&sim, &ec2, "us-east-1a", 1).await;
    }
    let pages: Vec<_> = ec2
        .describe_volumes()
        .max_results(5)
        .into_paginator()
        .send()
        .collect::<Result<_, _>>()
        .await
        .unwrap();
    let sizes: Vec<_> = pages.iter().map(|page| page.volumes().len()).collect();
    assert_eq!(sizes, [5, 5, 2]);
    // A client that asks for no pages has to follow them all the same.
    sim.set_faults(Faults { page: Some(7), ..Faults::default() });
    let all: Vec<_> =
        ec2.describe_volumes().into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
    assert_eq!(all.len(), 12);
    assert_eq!(ec2.describe_volumes().send().await.unwrap().volumes().len(), 7);
    assert_eq!(code(ec2.describe_volumes().max_results(4).send().await), "InvalidParameterValue");
}

#[tokio::test]
async fn an_unknown_filter_or_id_fails_the_whole_call() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = volume(&sim, &ec2, "us-east-1a", 1).await;
    let wrong = ec2.describe_volumes().filters(filter("colour", "red")).send().await;
    assert_eq!(code(wrong), "InvalidParameterValue");
    let missing = ec2.describe_volumes().volume_ids(id).volume_ids("vol-0").send().await;
    assert_eq!(code(missing), "InvalidVolume.NotFound");
}

#[tokio::test]
async fn a_snapshot_completes_over_time() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = volume(&sim, &ec2, "us-east-1a", 8).await;
    let snapshot = ec2.create_snapshot().volume_id(&id).send().await.unwrap().snapshot_id.unwrap();
    let done = || async {
        let completed = filter("status", "completed");
        ec2.describe_snapshots().owner_ids("self").filters(completed).send().await.unwrap().snapshots().len()
    };
    assert_eq!(done().await, 0);
    sim.advance(seconds(40));
    assert_eq!(done().await, 1);
    let small =
        ec2.create_volume().availability_zone("us-east-1a").snapshot_id(&snapshot).size(7).send().await;
    assert_eq!(code(small), "InvalidParameterValue");
}
