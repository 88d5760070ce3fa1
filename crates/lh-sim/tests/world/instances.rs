//! Instances and addresses: tokens, states over time, and what depends on the state.

use crate::{REGION, code, ec2, filter, launch, running, seconds, state, tagged};
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, InstanceAttributeName, InstanceType, LocationType, ResourceType,
};
use lh_sim::Sim;

#[tokio::test]
async fn a_token_launches_once_whatever_the_state_and_refuses_other_parameters() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let run = || async { launch(&sim, &ec2).await.client_token("run").user_data("IyE=") };
    let first = run().await.send().await.unwrap().instances()[0].instance_id.clone();
    sim.advance(seconds(20));
    let again = run().await.send().await.unwrap();
    assert_eq!(again.instances()[0].instance_id, first);
    assert_eq!(again.instances()[0].state().unwrap().code(), Some(16));
    // The SDK hides user data in `Debug`; the simulation must notice the difference all the same.
    let other = run().await.user_data("IyEhIQ==").send().await;
    assert_eq!(code(other), "IdempotentParameterMismatch");
    let other = run().await.instance_type(InstanceType::T4gMedium).send().await;
    assert_eq!(code(other), "IdempotentParameterMismatch");
    assert_eq!(sim.snapshot().region(REGION).unwrap().instances.len(), 1);
    ec2.terminate_instances().instance_ids(first.unwrap()).send().await.unwrap();
    assert_eq!(code(run().await.send().await), "IdempotentInstanceTerminated");
}

#[tokio::test]
async fn states_change_with_the_virtual_clock() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let answer = launch(&sim, &ec2).await.send().await.unwrap();
    let id = answer.instances()[0].instance_id().unwrap().to_owned();
    assert_eq!(state(&sim, &id), "pending");
    assert_eq!(code(ec2.stop_instances().instance_ids(&id).send().await), "IncorrectInstanceState");
    sim.advance(seconds(11));
    assert_eq!(state(&sim, &id), "running");
    ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    assert_eq!(state(&sim, &id), "stopping");
    assert_eq!(code(ec2.start_instances().instance_ids(&id).send().await), "IncorrectInstanceState");
    sim.advance(seconds(11));
    assert_eq!(state(&sim, &id), "stopped");
    ec2.start_instances().instance_ids(&id).send().await.unwrap();
    sim.advance(seconds(11));
    ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    sim.advance(seconds(11));
    assert_eq!(state(&sim, &id), "terminated");
    // A terminated instance stays visible for about an hour.
    assert_eq!(ec2.describe_instances().instance_ids(&id).send().await.unwrap().reservations().len(), 1);
    sim.advance(seconds(3700));
    assert_eq!(code(ec2.describe_instances().instance_ids(&id).send().await), "InvalidInstanceID.NotFound");
}

#[tokio::test]
async fn one_long_advance_ends_like_many_short_ones() {
    let (long, short) = (Sim::in_memory(), Sim::in_memory());
    for sim in [&long, &short] {
        let ec2 = ec2(sim);
        // A token of our own: the SDK's would be random, and the world keeps it.
        let answer = launch(sim, &ec2).await.client_token("launch").send().await.unwrap();
        let id = answer.instances()[0].instance_id().unwrap().to_owned();
        sim.advance(seconds(15));
        ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    }
    long.advance(seconds(100));
    for _ in 0..100 {
        short.advance(seconds(1));
    }
    let text = |sim: &Sim| serde_json::to_string(sim.snapshot().region(REGION).unwrap()).unwrap();
    assert_eq!(text(&long), text(&short));
}

#[tokio::test]
async fn type_and_user_data_change_only_while_stopped() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = running(&sim, &ec2).await;
    let medium = AttributeValue::builder().value("t4g.medium").build();
    let resize = || ec2.modify_instance_attribute().instance_id(&id).instance_type(medium.clone()).send();
    assert_eq!(code(resize().await), "IncorrectInstanceState");
    ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    sim.advance(seconds(11));
    resize().await.unwrap();
    let intel = AttributeValue::builder().value("t3.medium").build();
    let wrong = ec2.modify_instance_attribute().instance_id(&id).instance_type(intel).send().await;
    assert_eq!(code(wrong), "InvalidParameterValue");
    let attribute = InstanceAttributeName::InstanceType;
    let shown = ec2.describe_instance_attribute().instance_id(&id).attribute(attribute).send().await.unwrap();
    assert_eq!(shown.instance_type.unwrap().value.unwrap(), "t4g.medium");
}

#[tokio::test]
async fn a_protected_instance_is_not_terminated() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = running(&sim, &ec2).await;
    let protect = |on| {
        let value = AttributeBooleanValue::builder().value(on).build();
        ec2.modify_instance_attribute().instance_id(&id).disable_api_termination(value).send()
    };
    protect(true).await.unwrap();
    assert_eq!(code(ec2.terminate_instances().instance_ids(&id).send().await), "OperationNotPermitted");
    protect(false).await.unwrap();
    ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
}

#[tokio::test]
async fn a_launch_is_refused_for_what_does_not_exist_or_does_not_fit() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let go = || launch(&sim, &ec2);
    let cases = [
        (go().await.image_id("ami-0"), "InvalidAMIID.NotFound"),
        (go().await.instance_type(InstanceType::T3Small), "InvalidParameterValue"),
        (go().await.instance_type(InstanceType::from("t4g.gigantic")), "InvalidParameterValue"),
        (go().await.key_name("nobody"), "InvalidKeyPair.NotFound"),
        (go().await.subnet_id("subnet-0"), "InvalidSubnetID.NotFound"),
        (go().await.security_group_ids("sg-0"), "InvalidGroup.NotFound"),
        (
            go().await.tag_specifications(tagged(ResourceType::Instance, "aws:x", "y")),
            "InvalidParameterValue",
        ),
        (go().await.dry_run(true), "DryRunOperation"),
    ];
    for (request, wanted) in cases {
        assert_eq!(code(request.send().await), wanted);
    }
    let other_zone = filter("availability-zone", "us-east-1e");
    let subnet =
        ec2.describe_subnets().filters(other_zone).send().await.unwrap().subnets()[0].subnet_id.clone();
    assert_eq!(code(go().await.set_subnet_id(subnet).send().await), "Unsupported");
    assert!(sim.snapshot().region(REGION).unwrap().instances.is_empty());
    let offered = ec2
        .describe_instance_type_offerings()
        .location_type(LocationType::AvailabilityZone)
        .filters(filter("instance-type", "t4g.small"))
        .send()
        .await
        .unwrap();
    assert_eq!(offered.instance_type_offerings().len(), 5);
}

#[tokio::test]
async fn an_address_follows_the_state_of_its_instance() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let address = ec2.allocate_address().send().await.unwrap().allocation_id.unwrap();
    let answer = launch(&sim, &ec2).await.send().await.unwrap();
    let id = answer.instances()[0].instance_id().unwrap().to_owned();
    let associate = || ec2.associate_address().allocation_id(&address).instance_id(&id).send();
    assert_eq!(code(associate().await), "IncorrectInstanceState");
    sim.advance(seconds(15));
    let first = associate().await.unwrap().association_id;
    assert_eq!(associate().await.unwrap().association_id, first, "repeating it changes nothing");
    assert_eq!(code(ec2.release_address().allocation_id(&address).send().await), "InvalidIPAddress.InUse");
    let found = ec2.describe_addresses().filters(filter("instance-id", &id)).send().await.unwrap();
    let shown = ec2.describe_instances().instance_ids(&id).send().await.unwrap();
    assert_eq!(shown.reservations()[0].instances()[0].public_ip_address, found.addresses()[0].public_ip);
    ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    ec2.release_address().allocation_id(&address).send().await.unwrap();
    for _ in 0..5 {
        ec2.allocate_address().send().await.unwrap();
    }
    assert_eq!(code(ec2.allocate_address().send().await), "AddressLimitExceeded");
}

#[tokio::test]
async fn another_region_has_a_world_of_its_own() {
    let sim = Sim::in_memory();
    let config = aws_sdk_ec2::config::Builder::from(&sim.sdk_config())
        .interceptor(sim.interceptor())
        .region(aws_sdk_ec2::config::Region::new("eu-central-1"))
        .build();
    let abroad = aws_sdk_ec2::Client::from_conf(config);
    let subnets = abroad.describe_subnets().filters(filter("default-for-az", "true")).send().await.unwrap();
    let mut zones: Vec<_> = subnets.subnets().iter().filter_map(|it| it.availability_zone()).collect();
    zones.sort_unstable();
    assert_eq!(zones, ["eu-central-1a", "eu-central-1b", "eu-central-1c", "eu-central-1d"]);
    let vpc = abroad.describe_vpcs().filters(filter("tag:Name", "lighthouse-*-vpc")).send().await.unwrap();
    assert_eq!(vpc.vpcs()[0].cidr_block(), Some("10.0.0.0/16"));
}
