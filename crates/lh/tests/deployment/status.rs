//! Status at a glance, in the simulated AWS.

use std::time::Duration;

use lh::{Cloud, Deployment, Fleet, Standing, Status, StatusPart};

use crate::{apply, deployment};

const REGION: &str = "us-east-1";
const SET: &[&str] = &[
    "monitoring={ alarms: { cpu_percent: 80 }, emails: [ops@example.com] }",
    "backup={vault: prod-vault, bucket: prod-dumps}",
];

async fn status(cloud: &Cloud, set: &[&str]) -> Status {
    let deployment = deployment(cloud, set);
    let fleet: Fleet<'_> = std::iter::once(&deployment).collect();
    fleet.status().await.remove(0)
}

fn part<'s>(status: &'s Status, name: &str) -> &'s StatusPart {
    status.parts.iter().find(|part| part.part == name).unwrap()
}

#[tokio::test]
async fn a_stack_that_was_never_applied_has_nothing_and_nothing_wrong() {
    let status = status(&Cloud::simulated(), SET).await;
    assert!(status.fine, "{status:?}");
    for name in ["state", "instance", "database", "disk", "drill", "cost"] {
        assert_eq!(
            (part(&status, name).standing, part(&status, name).text.as_str()),
            (Standing::Absent, "not applied yet")
        );
    }
    assert_eq!(status.parts.iter().map(|part| part.part).collect::<Vec<_>>(), lh::PARTS);
}

#[tokio::test]
async fn an_applied_stack_is_told_part_by_part() {
    let cloud = Cloud::simulated();
    apply(&cloud, SET).await;
    let told = status(&cloud, SET).await;
    assert!(told.fine, "{told:?}");
    assert!(part(&told, "instance").text.contains("t4g.micro, us-east-1a, running for"), "{told:?}");
    assert!(part(&told, "spot").text.ends_with("active, fulfilled"), "{told:?}");
    assert!(part(&told, "volume").text.ends_with("20 GiB, in-use"), "{told:?}");
    assert_eq!(part(&told, "lock").text, "free");
    assert!(part(&told, "alarms").text.starts_with("none of 2 in ALARM"), "{told:?}");
    assert!(part(&told, "cost").text.contains("dollars a month"), "{told:?}");
    // Without a way to the host its parts say why, and nothing fails for it.
    for name in ["database", "disk", "drill"] {
        let part = part(&told, name);
        assert!(part.standing == Standing::Unknown && part.text.contains("No way leads"), "{part:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_red() {
    let cloud = Cloud::simulated();
    apply(&cloud, SET).await;
    let id = part(&status(&cloud, SET).await, "instance").facts["id"].as_str().unwrap().to_owned();
    cloud.sim().unwrap().edit(|world| {
        assert!(world.interrupt_spot(REGION, &id));
        let alarms = &mut world.region_mut(REGION).cloudwatch.alarms;
        alarms.get_mut("lighthouse-dev-timescaledb-cpu").unwrap().state = "ALARM".to_owned();
    });
    let told = status(&cloud, SET).await;
    assert!(!told.fine);
    let spot = part(&told, "spot");
    assert!(spot.standing == Standing::Red && spot.text.contains("instance-stopped-no-capacity"), "{spot:?}");
    let instance = part(&told, "instance");
    assert!(instance.standing == Standing::Red && instance.text.contains("capacity"), "{instance:?}");
    let alarms = part(&told, "alarms");
    assert!(alarms.standing == Standing::Red && alarms.text.contains("cpu is ALARM"), "{alarms:?}");
}

#[tokio::test]
async fn an_old_recovery_point_is_red_and_a_denied_part_says_why() {
    let cloud = Cloud::simulated();
    apply(&cloud, SET).await;
    let sim = cloud.sim().unwrap();
    let id = part(&status(&cloud, SET).await, "volume").facts["id"].as_str().unwrap().to_owned();
    let arn = format!("arn:aws:ec2:{REGION}:123456789012:volume/{id}");
    sim.edit(|world| world.add_recovery_point(REGION, "prod-vault", &arn)).unwrap();
    assert_eq!(part(&status(&cloud, SET).await, "recovery_point").standing, Standing::Fine);
    sim.advance(Duration::from_secs(9 * 86_400));
    assert_eq!(part(&status(&cloud, SET).await, "recovery_point").standing, Standing::Red);
    sim.set_faults(lh_sim::Faults { deny: ["DescribeVolumes".to_owned()].into(), ..Default::default() });
    let told = status(&cloud, SET).await;
    let volume = part(&told, "volume");
    assert!(
        volume.standing == Standing::Unknown && volume.text.contains("ec2:DescribeVolumes"),
        "{volume:?}"
    );
}

/// Two stacks of one region cost the shared questions once.
#[tokio::test]
async fn stacks_of_a_region_are_asked_for_together_and_nothing_is_changed() {
    let cloud = Cloud::simulated();
    let other: Vec<&str> = SET.iter().copied().chain(["state.path=other.json"]).collect();
    apply(&cloud, SET).await;
    let stacks: Vec<Deployment> = vec![deployment(&cloud, SET), deployment(&cloud, &other)];
    let sim = cloud.sim().unwrap();
    let mutations = sim.mutations();
    sim.forget_calls();
    let fleet: Fleet<'_> = stacks.iter().collect();
    let told = fleet.status().await;
    assert_eq!(told.len(), 2);
    assert_eq!(sim.mutations(), mutations);
    let asked = |operation: &str| sim.calls().iter().filter(|call| call.operation == operation).count();
    for operation in
        ["DescribeInstances", "DescribeVolumes", "DescribeSpotInstanceRequests", "DescribeAlarms"]
    {
        assert_eq!(asked(operation), 1, "{operation}");
    }
}

#[tokio::test]
async fn two_stacks_of_a_region_are_read_together_and_told_apart() {
    let cloud = Cloud::simulated();
    let second = [
        "name=beacon",
        "instance.type=t4g.small",
        "volume.size=30",
        "database.password={ ssm: /beacon, generate: true }",
    ];
    // One account, and a state each.
    let beside = Cloud::simulated_in(cloud.sim().unwrap().clone());
    apply(&cloud, &[]).await;
    apply(&beside, &second).await;
    let (first, second) = (deployment(&cloud, &[]), deployment(&beside, &second));
    let fleet: Fleet<'_> = [&first, &second].into_iter().collect();
    let told = fleet.status().await;
    for (status, name, kind, size) in
        [(&told[0], "lighthouse-dev", "t4g.micro", "20 GiB"), (&told[1], "beacon-dev", "t4g.small", "30 GiB")]
    {
        assert_eq!(status.stack, name);
        assert!(part(status, "instance").text.contains(kind), "{status:?}");
        assert!(part(status, "volume").text.contains(size), "{status:?}");
    }
}
