//! Throttling, server errors, lost answers, denials, lag, fuses, unknown operations and rounds.

use crate::{code, ec2, filter, iam, launch, seconds, ssm, state, volume};
use lh_sim::{Faults, Fuse, OnFuse, Sim};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_throttled_call_is_retried_by_the_sdk_and_succeeds() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { throttle_every: Some(2), ..Faults::default() });
    for _ in 0..4 {
        ec2(&sim).describe_vpcs().send().await.unwrap();
        iam(&sim).get_role().role_name("nobody").send().await.unwrap_err();
    }
    let throttled = sim.calls().iter().filter(|c| c.error.as_deref() == Some("RequestLimitExceeded")).count();
    assert!(throttled > 0, "{:?}", sim.calls());
    assert!(sim.calls().iter().all(|call| !call.request_id.is_empty()));
}

#[tokio::test]
async fn throttling_without_end_is_told_by_each_service_in_its_own_format() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { endless_throttle: true, ..Faults::default() });
    assert_eq!(code(ec2(&sim).describe_vpcs().send().await), "RequestLimitExceeded");
    let error = iam(&sim).get_role().role_name("r").send().await.unwrap_err();
    assert_eq!(aws_sdk_iam::error::ProvideErrorMetadata::code(&error), Some("Throttling"));
    let error = ssm(&sim).get_parameter().name("p").send().await.unwrap_err();
    assert_eq!(aws_sdk_ssm::error::ProvideErrorMetadata::code(&error), Some("ThrottlingException"));
    assert!(sim.calls().len() > 3, "the SDK retries a throttled call");
}

#[tokio::test]
async fn a_server_error_is_retried_and_leaves_nothing_behind() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { server_error_every: Some(2), ..Faults::default() });
    let ec2 = ec2(&sim);
    for _ in 0..2 {
        ec2.allocate_address().send().await.unwrap();
    }
    let failed = sim.calls().iter().filter(|call| call.error.as_deref() == Some("InternalError")).count();
    assert_eq!((failed, sim.mutations()), (1, 2));
    assert_eq!(sim.snapshot().region("us-east-1").unwrap().addresses.len(), 2);
}

#[tokio::test]
async fn an_answer_lost_after_the_effect_makes_a_second_address_but_not_a_second_volume() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { lose_answer_of: BTreeSet::from([1, 3]), ..Faults::default() });
    let ec2 = ec2(&sim);
    // AllocateAddress has no token, so the SDK's retry allocates again.
    ec2.allocate_address().send().await.unwrap();
    ec2.create_volume().availability_zone("us-east-1a").size(10).send().await.unwrap();
    let world = sim.snapshot();
    let region = world.region("us-east-1").unwrap();
    assert_eq!((region.addresses.len(), region.volumes.len()), (2, 1));
    assert_eq!(sim.mutations(), 4);
}

#[tokio::test]
async fn a_request_that_was_dropped_had_no_effect() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { drop_request_of: BTreeSet::from([1]), ..Faults::default() });
    ec2(&sim).allocate_address().send().await.unwrap();
    assert_eq!(sim.snapshot().region("us-east-1").unwrap().addresses.len(), 1);
    assert_eq!(sim.calls()[0].error.as_deref(), Some("request dropped"));
}

#[tokio::test]
async fn a_denied_operation_is_not_authorized_and_not_retried() {
    let sim = Sim::in_memory();
    let deny = ["AllocateAddress", "GetRole", "GetParameter"].map(str::to_owned);
    sim.set_faults(Faults { deny: BTreeSet::from(deny), ..Faults::default() });
    assert_eq!(code(ec2(&sim).allocate_address().send().await), "UnauthorizedOperation");
    let error = iam(&sim).get_role().role_name("r").send().await.unwrap_err();
    assert_eq!(aws_sdk_iam::error::ProvideErrorMetadata::code(&error), Some("AccessDenied"));
    let error = ssm(&sim).get_parameter().name("p").send().await.unwrap_err();
    assert_eq!(aws_sdk_ssm::error::ProvideErrorMetadata::code(&error), Some("AccessDeniedException"));
    assert_eq!(sim.calls().len(), 3);
}

#[tokio::test]
async fn an_operation_that_nobody_simulated_is_named() {
    let sim = Sim::in_memory();
    let error = ec2(&sim).describe_nat_gateways().send().await.unwrap_err();
    let error = error.into_service_error();
    let meta = aws_sdk_ec2::error::ProvideErrorMetadata::meta(&error);
    assert_eq!(meta.code(), Some("UnsupportedOperation"));
    assert!(meta.message().unwrap().contains("EC2:DescribeNatGateways is not simulated"), "{meta:?}");
}

#[tokio::test]
async fn a_client_without_the_interceptor_is_told_what_is_missing() {
    let sim = Sim::in_memory();
    let bare = aws_sdk_ec2::Client::new(&sim.sdk_config());
    let error = bare.describe_vpcs().send().await.unwrap_err();
    let text = format!("{:?}", error);
    assert!(text.contains("not its interceptor"), "{text}");
}

#[tokio::test]
async fn fuses_stop_before_and_after_the_effect() {
    for (fuse, made) in [(Fuse::Before(2), 1), (Fuse::After(2), 2)] {
        let sim = Sim::in_memory();
        sim.set_faults(Faults { fuse: Some(fuse), on_fuse: OnFuse::Fail, ..Faults::default() });
        let ec2 = ec2(&sim);
        ec2.allocate_address().send().await.unwrap();
        ec2.allocate_address().send().await.unwrap_err();
        ec2.describe_vpcs().send().await.expect_err("nothing answers after the fuse has blown");
        assert!(sim.blown());
        assert_eq!(sim.snapshot().region("us-east-1").unwrap().addresses.len(), made, "{fuse:?}");
        sim.set_faults(Faults::default());
        ec2.describe_vpcs().send().await.unwrap();
    }
}

#[tokio::test]
async fn an_aborted_process_leaves_what_took_effect() {
    let exe = std::env::current_exe().unwrap();
    for (fuse, made) in [("before:2", 1), ("after:2", 2)] {
        let dir = tempfile::tempdir().unwrap();
        let status = std::process::Command::new(&exe)
            .args(["--ignored", "--exact", "faults::child_of_the_abort_test"])
            .env("LH_SIM_TEST_DIR", dir.path())
            .env("LHCTL_LOCAL_FAULTS", format!("fuse={fuse}"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "the child should have aborted");
        let world = Sim::open(dir.path()).unwrap().snapshot();
        assert_eq!(world.region("us-east-1").unwrap().addresses.len(), made, "fuse={fuse}");
    }
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn child_of_the_abort_test() {
    let Some(dir) = std::env::var_os("LH_SIM_TEST_DIR") else { return };
    let sim = Sim::open(dir.as_ref()).unwrap();
    sim.set_faults(Faults::from_env().unwrap());
    for _ in 0..3 {
        ec2(&sim).allocate_address().send().await.unwrap();
    }
}

#[tokio::test]
async fn a_young_object_is_invisible_to_as_many_reads_as_the_lag_says() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { lag: 2, ..Faults::default() });
    let ec2 = ec2(&sim);
    let id = volume(&sim, &ec2, "us-east-1a", 10).await;
    let by_zone = || ec2.describe_volumes().filters(filter("availability-zone", "us-east-1a")).send();
    // A read that would not have shown it does not make it older.
    ec2.describe_volumes().filters(filter("availability-zone", "us-east-1b")).send().await.unwrap();
    assert!(by_zone().await.unwrap().volumes().is_empty());
    assert_eq!(code(ec2.describe_volumes().volume_ids(&id).send().await), "InvalidVolume.NotFound");
    assert_eq!(by_zone().await.unwrap().volumes().len(), 1);
}

#[tokio::test]
async fn calls_side_by_side_are_one_round_and_calls_in_turn_are_many() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    ec2.describe_vpcs().send().await.unwrap();
    sim.forget_calls();
    let (a, b, c) = tokio::join!(
        ec2.describe_vpcs().send(),
        ec2.describe_subnets().send(),
        ec2.describe_volumes().send()
    );
    a.unwrap();
    b.unwrap();
    c.unwrap();
    assert_eq!(sim.rounds(), 1, "{:?}", sim.calls());
    ec2.describe_vpcs().send().await.unwrap();
    ec2.describe_vpcs().send().await.unwrap();
    assert_eq!((sim.rounds(), sim.calls().len()), (3, 5));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world() {
    async fn run(seed: u64) -> String {
        let sim = Sim::with_seed(seed);
        let ec2 = ec2(&sim);
        let id = launch(&sim, &ec2).await.client_token("t").send().await.unwrap().instances()[0]
            .instance_id()
            .unwrap()
            .to_owned();
        sim.advance(seconds(20));
        assert_eq!(state(&sim, &id), "running");
        id
    }
    assert_eq!(run(5).await, run(5).await);
    assert_ne!(run(5).await, run(6).await);
}
