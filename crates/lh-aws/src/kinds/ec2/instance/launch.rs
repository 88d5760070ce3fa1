//! Launching: one `RunInstances` with its client token, everything tagged in the same call.

use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, HttpTokensState, IamInstanceProfileSpecification,
    InstanceInterruptionBehavior, InstanceMarketOptionsRequest, InstanceMetadataEndpointState,
    InstanceMetadataOptionsRequest, InstanceType, MarketType, ResourceType, SpotInstanceType,
    SpotMarketOptions, VolumeType,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lh_kind::{CloudError, ErrorKind, Op};
use lh_model::{CloudId, Late};

use super::{
    HOST_TAG, IMAGE_TAG, PROTECTED_TAG, Props, ROOT_VOLUME_TAG, RootVolume, Spot, facts::root_volume_text,
    renew,
};
use crate::{
    clients::Clients,
    error::Named,
    kinds::{
        Tags,
        ec2::{query, tags},
        known,
    },
};

const RUN: &str = "ec2:RunInstances";
/// Containers on the instance are one network hop further from the metadata service.
const HOP_LIMIT: i32 = 2;

/// Launches the instance of `op`.
pub(super) async fn launch(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
    let image = known(&props.image_id, RUN, "image_id")?;
    let user_data = optional(props.user_data.as_ref(), "user_data")?;
    let groups: Result<Vec<String>, CloudError> =
        props.security_group_ids.iter().map(|id| known(id, RUN, "security_group_ids").cloned()).collect();
    let mut tags_of_it = props.tags.clone();
    tags_of_it.extend(memory_of(props));
    let mut request = clients
        .ec2_once
        .run_instances()
        .client_token(op.token())
        .min_count(1)
        .max_count(1)
        .image_id(image)
        .instance_type(InstanceType::from(props.kind.as_str()))
        .subnet_id(known(&props.subnet_id, RUN, "subnet_id")?)
        .set_security_group_ids(Some(groups?))
        .set_key_name(optional(props.key_name.as_ref(), "key_name")?.cloned())
        .set_user_data(user_data.map(|text| STANDARD.encode(text)))
        .set_iam_instance_profile(
            optional(props.instance_profile.as_ref(), "instance_profile")?
                .map(|name| IamInstanceProfileSpecification::builder().name(name).build()),
        )
        .metadata_options(metadata_options())
        .tag_specifications(tags::specification(ResourceType::Instance, op, &tags_of_it))
        .tag_specifications(tags::specification(ResourceType::Volume, op, &props.tags));
    if props.disable_api_termination {
        request = request.disable_api_termination(true);
    }
    if let Some(root) = &props.root_volume {
        request = request.block_device_mappings(root_mapping(root_device(clients, image).await?, root));
    }
    if let Some(spot) = &props.spot {
        request = request.instance_market_options(market(spot)).tag_specifications(tags::specification(
            ResourceType::SpotInstancesRequest,
            op,
            &props.tags,
        ));
    }
    let made = request.send().await.named(RUN)?;
    let id = made.instances.unwrap_or_default().into_iter().next().and_then(|one| one.instance_id);
    id.map(CloudId)
        .ok_or_else(|| CloudError::new(ErrorKind::Other, RUN, "AWS named no instance in its answer"))
}

fn optional<'a>(late: Option<&'a Late<String>>, field: &str) -> Result<Option<&'a String>, CloudError> {
    late.map(|late| known(late, RUN, field)).transpose()
}

/// What only the launch knows, kept in tags so that a plan needs no call to compare it.
fn memory_of(props: &Props) -> Tags {
    let mut memory = Tags::new();
    if let Some(image) = &props.database_image {
        memory.insert(IMAGE_TAG.to_owned(), image.clone());
    }
    if let Some(text) = &props.host {
        memory.insert(HOST_TAG.to_owned(), renew::digest(text));
    }
    if let Some(root) = &props.root_volume {
        memory.insert(ROOT_VOLUME_TAG.to_owned(), root_volume_text(root));
    }
    if props.disable_api_termination {
        memory.insert(PROTECTED_TAG.to_owned(), "on".to_owned());
    }
    memory
}

/// IMDSv2 only (EC2 user guide, "Use the Instance Metadata Service").
fn metadata_options() -> InstanceMetadataOptionsRequest {
    InstanceMetadataOptionsRequest::builder()
        .http_endpoint(InstanceMetadataEndpointState::Enabled)
        .http_tokens(HttpTokensState::Required)
        .http_put_response_hop_limit(HOP_LIMIT)
        .build()
}

/// The name under which the image maps its root volume: under any other name the mapping would
/// add a second volume.
async fn root_device(clients: &Clients, image: &str) -> Result<String, CloudError> {
    let operation = "ec2:DescribeImages";
    let filter = query::filter("image-id", [image.to_owned()]);
    let answer = clients.ec2.describe_images().filters(filter).send().await.named(operation)?;
    let device = answer.images.unwrap_or_default().into_iter().find_map(|image| image.root_device_name);
    let missing = || {
        CloudError::new(ErrorKind::NotFound, operation, format!("there is no image {image} in this region"))
    };
    device.ok_or_else(missing)
}

fn root_mapping(device: String, root: &RootVolume) -> BlockDeviceMapping {
    let volume = EbsBlockDevice::builder()
        .volume_type(VolumeType::Gp3)
        .volume_size(root.size)
        .encrypted(root.encrypted)
        .delete_on_termination(true)
        .build();
    BlockDeviceMapping::builder().device_name(device).ebs(volume).build()
}

/// Stopping on interruption needs a persistent request (EC2 user guide, "Behavior of Spot
/// Instance interruptions").
fn market(spot: &Spot) -> InstanceMarketOptionsRequest {
    let (kind, behaviour) = match spot.interruption.as_str() {
        "stop" => (SpotInstanceType::Persistent, InstanceInterruptionBehavior::Stop),
        _ => (SpotInstanceType::OneTime, InstanceInterruptionBehavior::Terminate),
    };
    let options = SpotMarketOptions::builder()
        .spot_instance_type(kind)
        .instance_interruption_behavior(behaviour)
        .build();
    InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).spot_options(options).build()
}
