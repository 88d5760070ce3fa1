//! Spot: one-time and persistent requests, cancelling, and interruption.

use crate::{REGION, code, ec2, launch, seconds, state, tagged};
use aws_sdk_ec2::types::{
    AttributeValue, InstanceInterruptionBehavior, InstanceMarketOptionsRequest, MarketType, ResourceType,
    SpotInstanceType, SpotMarketOptions,
};
use lh_sim::Sim;

fn market(kind: SpotInstanceType, on: InstanceInterruptionBehavior) -> InstanceMarketOptionsRequest {
    let spot = SpotMarketOptions::builder().spot_instance_type(kind).instance_interruption_behavior(on);
    InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).spot_options(spot.build()).build()
}

/// A running spot instance and its request.
async fn spot(sim: &Sim, kind: SpotInstanceType, on: InstanceInterruptionBehavior) -> (String, String) {
    let answer = launch(sim, &ec2(sim))
        .await
        .instance_market_options(market(kind, on))
        .tag_specifications(tagged(ResourceType::Instance, "stack", "s"))
        .tag_specifications(tagged(ResourceType::SpotInstancesRequest, "stack", "s"))
        .send()
        .await
        .unwrap();
    sim.advance(seconds(15));
    let instance = &answer.instances()[0];
    assert_eq!(instance.instance_lifecycle().unwrap().as_str(), "spot");
    (instance.instance_id.clone().unwrap(), instance.spot_instance_request_id.clone().unwrap())
}

async fn request_state(sim: &Sim, id: &str) -> String {
    let answer =
        ec2(sim).describe_spot_instance_requests().spot_instance_request_ids(id).send().await.unwrap();
    answer.spot_instance_requests()[0].state().unwrap().as_str().to_owned()
}

#[tokio::test]
async fn a_persistent_request_launches_a_second_untagged_instance() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let (instance, request) =
        spot(&sim, SpotInstanceType::Persistent, InstanceInterruptionBehavior::Terminate).await;
    ec2.terminate_instances().instance_ids(&instance).send().await.unwrap();
    assert_eq!(request_state(&sim, &request).await, "open");
    sim.advance(seconds(60));
    assert_eq!(request_state(&sim, &request).await, "active");
    let world = sim.snapshot();
    let second = world.region(REGION).unwrap().instances.values().find(|it| it.id != instance).unwrap();
    assert!(second.tags.is_empty());
    assert_eq!(second.state.name(), "running");
    assert_eq!(second.spot_request_id.as_deref(), Some(request.as_str()));
}

#[tokio::test]
async fn a_cancelled_request_launches_nothing() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let (instance, request) =
        spot(&sim, SpotInstanceType::Persistent, InstanceInterruptionBehavior::Stop).await;
    ec2.cancel_spot_instance_requests().spot_instance_request_ids(&request).send().await.unwrap();
    assert_eq!(state(&sim, &instance), "running", "cancelling leaves the instance");
    ec2.terminate_instances().instance_ids(&instance).send().await.unwrap();
    sim.advance(seconds(300));
    assert_eq!(sim.snapshot().region(REGION).unwrap().instances.len(), 1);
    assert_eq!(request_state(&sim, &request).await, "cancelled");
}

#[tokio::test]
async fn a_one_time_instance_cannot_be_stopped_and_ends_its_request() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let (instance, request) =
        spot(&sim, SpotInstanceType::OneTime, InstanceInterruptionBehavior::Terminate).await;
    assert_eq!(code(ec2.stop_instances().instance_ids(&instance).send().await), "UnsupportedOperation");
    assert!(sim.edit(|world| world.interrupt_spot(REGION, &instance)));
    sim.advance(seconds(300));
    assert_eq!(state(&sim, &instance), "terminated");
    assert_eq!(request_state(&sim, &request).await, "closed");
    assert_eq!(sim.snapshot().region(REGION).unwrap().instances.len(), 1);
}

#[tokio::test]
async fn stopping_on_interruption_needs_a_persistent_request() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let options = market(SpotInstanceType::OneTime, InstanceInterruptionBehavior::Stop);
    let wrong = launch(&sim, &ec2).await.instance_market_options(options).send().await;
    assert_eq!(code(wrong), "InvalidParameterCombination");
    let (instance, request) =
        spot(&sim, SpotInstanceType::Persistent, InstanceInterruptionBehavior::Stop).await;
    assert!(sim.edit(|world| world.interrupt_spot(REGION, &instance)));
    sim.advance(seconds(15));
    assert_eq!(state(&sim, &instance), "stopped");
    let medium = AttributeValue::builder().value("t4g.medium").build();
    let resized = ec2.modify_instance_attribute().instance_id(&instance).instance_type(medium).send().await;
    assert_eq!(code(resized), "UnsupportedOperation");
    // EC2 starts the same instance again when there is capacity.
    sim.advance(seconds(60));
    assert_eq!(state(&sim, &instance), "running");
    assert_eq!(request_state(&sim, &request).await, "active");
}
