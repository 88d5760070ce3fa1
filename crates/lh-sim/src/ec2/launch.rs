//! RunInstances: what it checks, and how an instance comes into being.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>

use super::query::{Kind, required};
use super::{images, show, spot, tags, tokens, volumes};
use crate::clock::SECOND;
use crate::ids::Random;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{
    Attachment, AttachmentState, Disk, Image, Instance, InstanceState, Launch, MetadataOptions, Millis,
    Region, Tags, Token, Volume, VolumeState,
};
use aws_sdk_ec2::operation::run_instances::{RunInstancesInput, RunInstancesOutput};
use aws_sdk_ec2::types::{
    BlockDeviceMapping, IamInstanceProfileSpecification, InstanceMetadataOptionsRequest, InstanceType,
    ShutdownBehavior, VolumeType,
};

const MAKES: &[&str] = &["instance", "volume", "network-interface", "spot-instances-request"];

/// How long EC2 does not know a new instance profile: "It can take several seconds":
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html>.
const PROFILE_DELAY: Millis = 10 * SECOND;

/// RunInstances, once for each client token.
pub(crate) fn run(s: &mut Scene<'_>, i: &RunInstancesInput) -> Result<RunInstancesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let token = i.client_token.as_deref();
    let mut parameters = i.clone();
    parameters.client_token = None;
    // The SDK redacts the user data in `Debug`, so it is added for itself.
    let fingerprint =
        tokens::fingerprint(&[&format!("{parameters:?}"), i.user_data.as_deref().unwrap_or_default()]);
    if let Some(token) = tokens::earlier(s.here, "RunInstances", token, &fingerprint)? {
        return again(s, token);
    }
    let count = count(i)?;
    let launch = launch(s, i)?;
    has_room(s.here, &launch.instance_type)?;
    let of = |kind| tags::at_creation(i.tag_specifications.as_deref(), kind, MAKES);
    let (instance_tags, volume_tags) = (of("instance")?, of("volume")?);
    let request = spot::requested(i)?;
    let reservation = s.random.id("r");
    let mut ids = Vec::new();
    for _ in 0..count {
        let spot_id = request
            .as_ref()
            .map(|request| spot::open(s, request, &launch, of("spot-instances-request")?))
            .transpose()?;
        let instance = instance(s.here, s.random, &launch, s.now);
        let instance = Instance {
            reservation_id: reservation.clone(),
            tags: instance_tags.clone(),
            spot_request_id: spot_id.clone(),
            disable_api_termination: i.disable_api_termination == Some(true),
            client_token: i.client_token.clone(),
            console: None,
            ..instance
        };
        if let Some(spot_id) = spot_id {
            spot::fulfil(s.here, &spot_id, &instance.id);
        }
        for volume in disks(s.here, s.random, &instance, &volume_tags, s.now) {
            s.born(&volume);
        }
        s.born(&instance.id);
        ids.push(instance.id.clone());
        s.here.instances.insert(instance.id.clone(), instance);
    }
    let answer = answer(s, &ids);
    tokens::remember(s.here, "RunInstances", token, Token { fingerprint, ids, volume: None });
    Ok(answer)
}

/// The answer to a repeated request. Of an instance that is gone, EC2's list of error codes says
/// IdempotentInstanceTerminated.
fn again(s: &Scene<'_>, token: &Token) -> Result<RunInstancesOutput, ApiError> {
    let alive = token.ids.iter().all(|id| s.here.instances.get(id).is_some_and(|it| !it.state.ending()));
    if !alive {
        return Err(ApiError::new(
            "IdempotentInstanceTerminated",
            "The request uses the same client token as a previous request whose instance has been terminated.",
        ));
    }
    Ok(answer(s, &token.ids))
}

fn answer(s: &Scene<'_>, ids: &[String]) -> RunInstancesOutput {
    let instances: Vec<_> = ids.iter().filter_map(|id| s.here.instances.get(id)).collect();
    let reservation = instances.first().map(|it| it.reservation_id.clone());
    RunInstancesOutput::builder()
        .set_reservation_id(reservation)
        .owner_id(s.account)
        .set_instances(Some(instances.into_iter().map(|it| show::instance(s, it)).collect()))
        .build()
}

fn count(i: &RunInstancesInput) -> Result<i32, ApiError> {
    let least = *required(&i.min_count, "MinCount")?;
    let most = *required(&i.max_count, "MaxCount")?;
    if least < 1 || least > most || most > 20 {
        return Err(ApiError::invalid(format!("MinCount {least} and MaxCount {most} do not fit")));
    }
    Ok(most)
}

/// Checks everything the request refers to.
fn launch(s: &Scene<'_>, i: &RunInstancesInput) -> Result<Launch, ApiError> {
    let image_id = required(&i.image_id, "ImageId")?;
    let image = s.here.images.get(image_id).ok_or_else(|| Kind::Image.missing(image_id))?;
    let instance_type = i.instance_type.as_ref().map_or("m1.small", InstanceType::as_str);
    let (subnet_id, groups, public_address) = place(s, i)?;
    let zone = s.here.subnets.get(&subnet_id).map_or("", |subnet| subnet.zone.as_str());
    fits(instance_type, image, zone)?;
    if let Some(asked) = i.placement.as_ref().and_then(|it| it.availability_zone.as_deref())
        && asked != zone
    {
        return Err(ApiError::invalid(format!("The subnet {subnet_id} is in {zone}, not in {asked}")));
    }
    if let Some(key) = &i.key_name
        && !s.here.key_pairs.contains_key(key)
    {
        return Err(Kind::KeyPair.missing(key));
    }
    Ok(Launch {
        image_id: image.id.clone(),
        architecture: image.architecture.clone(),
        root_device: image.root_device.clone(),
        instance_type: instance_type.to_owned(),
        subnet_id,
        groups,
        key_name: i.key_name.clone(),
        profile: i.iam_instance_profile.as_ref().map(|asked| profile(s, asked)).transpose()?,
        user_data: i.user_data.clone(),
        public_address,
        disks: disks_of(image, i.block_device_mappings.as_deref().unwrap_or_default())?,
        metadata: i.metadata_options.as_ref().map(metadata).unwrap_or_default(),
        shutdown_behavior: i
            .instance_initiated_shutdown_behavior
            .as_ref()
            .map_or("stop", ShutdownBehavior::as_str)
            .to_owned(),
        monitoring: i.monitoring.as_ref().and_then(|it| it.enabled) == Some(true),
    })
}

/// The type must exist, be offered in the zone, and have the image's architecture.
pub(super) fn fits(instance_type: &str, image: &Image, zone: &str) -> Result<(), ApiError> {
    let Some(architecture) = images::architecture(instance_type) else {
        return Err(ApiError::invalid(format!("Invalid value '{instance_type}' for InstanceType.")));
    };
    if architecture != image.architecture {
        return Err(ApiError::invalid(format!(
            "The architecture '{architecture}' of the specified instance type does not match the architecture '{}' of the specified AMI.",
            image.architecture
        )));
    }
    if !images::offered(instance_type, zone) {
        return Err(ApiError::new(
            "Unsupported",
            format!(
                "Your requested instance type ({instance_type}) is not supported in your requested Availability Zone ({zone})."
            ),
        ));
    }
    Ok(())
}

/// "We currently do not have sufficient capacity":
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html>.
pub(super) fn has_room(region: &Region, instance_type: &str) -> Result<(), ApiError> {
    if !region.full.contains(instance_type) {
        return Ok(());
    }
    Err(ApiError::with_status(
        500,
        "InsufficientInstanceCapacity",
        format!(
            "We currently do not have sufficient {instance_type} capacity in the Availability Zone you requested. Our system will be working on provisioning additional capacity."
        ),
    ))
}

fn place(s: &Scene<'_>, i: &RunInstancesInput) -> Result<(String, Vec<String>, bool), ApiError> {
    let interface = i.network_interfaces.as_deref().unwrap_or_default().first();
    if interface.is_some() && (i.subnet_id.is_some() || i.security_group_ids.is_some()) {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request",
        ));
    }
    let asked = interface.and_then(|it| it.subnet_id.as_ref()).or(i.subnet_id.as_ref());
    let subnet = match asked {
        Some(id) => s.here.subnets.get(id).ok_or_else(|| Kind::Subnet.missing(id))?,
        None => s
            .here
            .subnets
            .values()
            .filter(|subnet| subnet.default_for_az)
            .min_by_key(|subnet| &subnet.zone)
            .ok_or_else(|| ApiError::missing("SubnetId"))?,
    };
    let public = interface.and_then(|it| it.associate_public_ip_address).unwrap_or(subnet.public);
    let groups = interface.and_then(|it| it.groups.as_deref()).or(i.security_group_ids.as_deref());
    Ok((subnet.id.clone(), groups_in(s, &subnet.vpc_id, groups.unwrap_or_default())?, public))
}

/// Groups must exist in the VPC; no group means the VPC's default one.
pub(super) fn groups_in(s: &Scene<'_>, vpc: &str, asked: &[String]) -> Result<Vec<String>, ApiError> {
    for id in asked {
        let group = s.here.groups.get(id).ok_or_else(|| Kind::Group.missing(id))?;
        if group.vpc_id != vpc {
            return Err(ApiError::new(
                "InvalidParameter",
                format!("Security group {id} and subnet belong to different networks."),
            ));
        }
    }
    if !asked.is_empty() {
        return Ok(asked.to_vec());
    }
    let default = s.here.groups.values().filter(|group| group.vpc_id == vpc && group.name == "default");
    Ok(default.map(|group| group.id.clone()).collect())
}

/// The name of an instance profile, once EC2 knows it.
pub(super) fn profile(s: &Scene<'_>, asked: &IamInstanceProfileSpecification) -> Result<String, ApiError> {
    let name = match (&asked.name, &asked.arn) {
        (Some(name), _) => name.as_str(),
        (None, Some(arn)) => arn.rsplit('/').next().unwrap_or_default(),
        (None, None) => return Err(ApiError::missing("IamInstanceProfile.Name")),
    };
    match s.iam.profiles.get(name) {
        Some(profile) if s.now >= profile.created_at + PROFILE_DELAY => Ok(name.to_owned()),
        _ => Err(ApiError::invalid(format!(
            "Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
        ))),
    }
}

/// The metadata options of a request, with AWS's defaults for what it does not say.
pub(super) fn metadata(asked: &InstanceMetadataOptionsRequest) -> MetadataOptions {
    let usual = MetadataOptions::default();
    MetadataOptions {
        http_tokens: asked.http_tokens.as_ref().map_or(usual.http_tokens, |it| it.as_str().to_owned()),
        http_endpoint: asked.http_endpoint.as_ref().map_or(usual.http_endpoint, |it| it.as_str().to_owned()),
        hop_limit: asked.http_put_response_hop_limit.unwrap_or(usual.hop_limit),
        instance_tags: asked
            .instance_metadata_tags
            .as_ref()
            .map_or(usual.instance_tags, |it| it.as_str().to_owned()),
    }
}

/// The volumes of a launch: the image's root volume, changed by the mappings, and further ones.
fn disks_of(image: &Image, mappings: &[BlockDeviceMapping]) -> Result<Vec<Disk>, ApiError> {
    let mut disks = vec![Disk {
        device: image.root_device.clone(),
        size: image.root_size,
        kind: "gp3".to_owned(),
        iops: None,
        throughput: None,
        encrypted: false,
        delete_on_termination: true,
    }];
    for mapping in mappings {
        let device = required(&mapping.device_name, "DeviceName")?;
        let Some(ebs) = &mapping.ebs else { continue };
        let root = device == &image.root_device;
        let disk = Disk {
            device: device.clone(),
            size: ebs.volume_size.unwrap_or(image.root_size),
            kind: ebs.volume_type.as_ref().map_or("gp3", VolumeType::as_str).to_owned(),
            iops: ebs.iops,
            throughput: ebs.throughput,
            encrypted: ebs.encrypted == Some(true),
            delete_on_termination: ebs.delete_on_termination.unwrap_or(true),
        };
        if root && disk.size < image.root_size {
            return Err(ApiError::new(
                "InvalidBlockDeviceMapping",
                format!(
                    "Volume of size {}GB is smaller than snapshot, expect size >= {}GB",
                    disk.size, image.root_size
                ),
            ));
        }
        disks.retain(|other| other.device != disk.device);
        disks.push(disk);
    }
    for disk in &mut disks {
        let shape = volumes::shape(&disk.kind, disk.size, disk.iops, disk.throughput)?;
        (disk.iops, disk.throughput) = (shape.iops, shape.throughput);
    }
    Ok(disks)
}

/// A new pending instance, in a reservation of its own, without tags.
pub(super) fn instance(region: &mut Region, random: &mut Random, launch: &Launch, now: Millis) -> Instance {
    let subnet = region.subnets.get_mut(&launch.subnet_id);
    let (zone, vpc_id, private_ip) = match subnet {
        Some(subnet) => {
            subnet.handed_out += 1;
            let network = subnet.cidr.rsplit_once('.').map_or("10.0.0", |(network, _)| network);
            let host = 4 + subnet.handed_out % 250;
            (subnet.zone.clone(), subnet.vpc_id.clone(), format!("{network}.{host}"))
        }
        None => (String::new(), String::new(), String::new()),
    };
    Instance {
        id: random.id("i"),
        reservation_id: random.id("r"),
        state: InstanceState::Pending,
        state_since: now,
        state_reason: None,
        launched_at: now,
        zone,
        vpc_id,
        private_ip,
        public_ip: launch.public_address.then(|| public_ip(random)),
        interface_id: random.id("eni"),
        tags: Tags::new(),
        spot_request_id: None,
        disable_api_termination: false,
        client_token: None,
        console: None,
        launch: launch.clone(),
    }
}

/// A public address from a range that is reserved for documentation.
pub(super) fn public_ip(random: &mut Random) -> String {
    format!("203.0.113.{}", 1 + random.below(254))
}

/// Makes the volumes of an instance; the answer is their ids.
pub(super) fn disks(
    region: &mut Region,
    random: &mut Random,
    instance: &Instance,
    tags: &Tags,
    now: Millis,
) -> Vec<String> {
    let mut ids = Vec::new();
    for disk in &instance.launch.disks {
        let attachment = Attachment {
            instance_id: instance.id.clone(),
            device: disk.device.clone(),
            state: AttachmentState::Attaching,
            since: now,
            delete_on_termination: disk.delete_on_termination,
        };
        let volume = Volume {
            id: random.id("vol"),
            size: disk.size,
            kind: disk.kind.clone(),
            iops: disk.iops,
            throughput: disk.throughput,
            encrypted: disk.encrypted,
            kms_key_id: None,
            snapshot_id: None,
            zone: instance.zone.clone(),
            state: VolumeState::InUse,
            state_since: now,
            attachment: Some(attachment),
            modifications: Vec::new(),
            tags: tags.clone(),
            created_at: now,
        };
        ids.push(volume.id.clone());
        region.volumes.insert(volume.id.clone(), volume);
    }
    ids
}
