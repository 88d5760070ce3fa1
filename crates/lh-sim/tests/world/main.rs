//! The simulated AWS as a client sees it: every test talks to it through the real SDK clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod commands;
mod faults;
mod groups;
mod identity;
mod instances;
mod keeping;
mod monitoring;
mod named;
mod parameters;
mod spot;
mod volumes;

use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{Filter, InstanceType, ResourceType, Tag, TagSpecification, VolumeType};
use lh_sim::Sim;
use std::time::Duration;

/// The region of the clients.
pub const REGION: &str = "us-east-1";

/// An EC2 client.
pub fn ec2(sim: &Sim) -> aws_sdk_ec2::Client {
    let config = aws_sdk_ec2::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    aws_sdk_ec2::Client::from_conf(config.build())
}

/// An IAM client.
pub fn iam(sim: &Sim) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    aws_sdk_iam::Client::from_conf(config.build())
}

/// An SSM client.
pub fn ssm(sim: &Sim) -> aws_sdk_ssm::Client {
    let config = aws_sdk_ssm::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    aws_sdk_ssm::Client::from_conf(config.build())
}

/// The service's error code of a failed call.
pub fn code<T: std::fmt::Debug, E, R>(result: Result<T, aws_sdk_ec2::error::SdkError<E, R>>) -> String
where
    aws_sdk_ec2::error::SdkError<E, R>: ProvideErrorMetadata,
{
    result.expect_err("the call should fail").code().unwrap_or("no code").to_owned()
}

/// So many seconds.
pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A filter with one value.
pub fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// One tag for one kind of resource.
pub fn tagged(kind: ResourceType, key: &str, value: &str) -> TagSpecification {
    let tag = Tag::builder().key(key).value(value).build();
    TagSpecification::builder().resource_type(kind).tags(tag).build()
}

/// The id of the image that the public parameter names.
pub async fn image(sim: &Sim) -> String {
    let name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id";
    let answer = ssm(sim).get_parameter().name(name).send().await.unwrap();
    answer.parameter.unwrap().value.unwrap()
}

/// A launch that succeeds unless the test changes something.
pub async fn launch(sim: &Sim, ec2: &aws_sdk_ec2::Client) -> RunInstancesFluentBuilder {
    ec2.run_instances()
        .image_id(image(sim).await)
        .instance_type(InstanceType::T4gSmall)
        .min_count(1)
        .max_count(1)
}

/// An instance that runs already, and its id.
pub async fn running(sim: &Sim, ec2: &aws_sdk_ec2::Client) -> String {
    let answer = launch(sim, ec2).await.send().await.unwrap();
    sim.advance(seconds(15));
    answer.instances()[0].instance_id().unwrap().to_owned()
}

/// A gp3 volume that is available already, and its id.
pub async fn volume(sim: &Sim, ec2: &aws_sdk_ec2::Client, zone: &str, size: i32) -> String {
    let answer = ec2
        .create_volume()
        .availability_zone(zone)
        .size(size)
        .volume_type(VolumeType::Gp3)
        .send()
        .await
        .unwrap();
    sim.advance(seconds(5));
    answer.volume_id.unwrap()
}

/// The state of an instance, as the world has it.
pub fn state(sim: &Sim, id: &str) -> &'static str {
    sim.snapshot().region(REGION).unwrap().instances[id].state.name()
}
