//! Instances as the SDK shows them.

use super::tags;
use crate::clock::date;
use crate::scene::Scene;
use crate::world::{Instance, InstanceState, MetadataOptions, Volume};
use aws_sdk_ec2::types::{
    ArchitectureValues, AttachmentStatus, DeviceType, EbsInstanceBlockDevice, GroupIdentifier,
    HttpTokensState, IamInstanceProfile, Instance as Shown, InstanceBlockDeviceMapping,
    InstanceLifecycleType, InstanceMetadataEndpointState, InstanceMetadataOptionsResponse,
    InstanceMetadataOptionsState, InstanceMetadataTagsState, InstanceNetworkInterface,
    InstanceNetworkInterfaceAssociation, InstanceState as ShownState, InstanceStateChange, InstanceStateName,
    InstanceType, Monitoring, MonitoringState, NetworkInterfaceStatus, Placement, Reservation, StateReason,
    Tenancy, VirtualizationType,
};

/// The reservation of an instance; each launch here is one reservation.
pub(crate) fn reservation(s: &Scene<'_>, id: &str, instances: Vec<&Instance>) -> Reservation {
    Reservation::builder()
        .reservation_id(id)
        .owner_id(s.account)
        .set_instances(Some(instances.into_iter().map(|it| instance(s, it)).collect()))
        .build()
}

/// One instance.
pub(crate) fn instance(s: &Scene<'_>, it: &Instance) -> Shown {
    let gone = it.state == InstanceState::Terminated;
    let shown = Shown::builder()
        .instance_id(&it.id)
        .image_id(&it.launch.image_id)
        .instance_type(InstanceType::from(it.launch.instance_type.as_str()))
        .architecture(ArchitectureValues::from(it.launch.architecture.as_str()))
        .state(state(it.state))
        .set_key_name(it.launch.key_name.clone())
        .launch_time(date(it.launched_at))
        .placement(Placement::builder().availability_zone(&it.zone).tenancy(Tenancy::Default).build())
        .root_device_name(&it.launch.root_device)
        .root_device_type(DeviceType::Ebs)
        .virtualization_type(VirtualizationType::Hvm)
        .ebs_optimized(false)
        .set_client_token(it.client_token.clone())
        .set_spot_instance_request_id(it.spot_request_id.clone())
        .set_instance_lifecycle(it.spot_request_id.as_ref().map(|_| InstanceLifecycleType::Spot))
        .set_state_reason(
            it.state_reason
                .as_ref()
                .map(|(code, message)| StateReason::builder().code(code).message(message).build()),
        )
        .monitoring(Monitoring::builder().state(monitoring(it.launch.monitoring)).build())
        .metadata_options(metadata(&it.launch.metadata))
        .set_tags(Some(tags::show(&it.tags)));
    if gone {
        // A terminated instance has lost its network and its volumes.
        return shown.build();
    }
    shown
        .subnet_id(&it.launch.subnet_id)
        .vpc_id(&it.vpc_id)
        .private_ip_address(&it.private_ip)
        .set_public_ip_address(public_ip(s, it))
        .set_security_groups(Some(groups(s, it)))
        .set_iam_instance_profile(profile(s, it))
        .network_interfaces(interface(s, it))
        .set_block_device_mappings(Some(devices(s, it)))
        .build()
}

/// The state, with AWS's number.
pub(crate) fn state(state: InstanceState) -> ShownState {
    ShownState::builder().code(state.code()).name(InstanceStateName::from(state.name())).build()
}

/// A change of state.
pub(crate) fn change(id: &str, before: InstanceState, after: InstanceState) -> InstanceStateChange {
    InstanceStateChange::builder()
        .instance_id(id)
        .previous_state(state(before))
        .current_state(state(after))
        .build()
}

/// The options of the metadata service.
pub(crate) fn metadata(it: &MetadataOptions) -> InstanceMetadataOptionsResponse {
    InstanceMetadataOptionsResponse::builder()
        .state(InstanceMetadataOptionsState::Applied)
        .http_tokens(HttpTokensState::from(it.http_tokens.as_str()))
        .http_endpoint(InstanceMetadataEndpointState::from(it.http_endpoint.as_str()))
        .http_put_response_hop_limit(it.hop_limit)
        .instance_metadata_tags(InstanceMetadataTagsState::from(it.instance_tags.as_str()))
        .build()
}

/// The groups, by id and name.
pub(crate) fn groups(s: &Scene<'_>, it: &Instance) -> Vec<GroupIdentifier> {
    it.launch
        .groups
        .iter()
        .map(|id| {
            let name = s.here.groups.get(id).map(|group| group.name.clone());
            GroupIdentifier::builder().group_id(id).set_group_name(name).build()
        })
        .collect()
}

/// The public address: an elastic one hides the instance's own.
pub(crate) fn public_ip(s: &Scene<'_>, it: &Instance) -> Option<String> {
    s.here
        .addresses
        .values()
        .find(|address| address.association.as_ref().is_some_and(|at| at.instance_id == it.id))
        .map(|address| address.public_ip.clone())
        .or_else(|| it.public_ip.clone())
}

/// Its volumes with an attachment to this instance.
pub(crate) fn volumes<'s>(s: &'s Scene<'_>, it: &'s Instance) -> impl Iterator<Item = &'s Volume> {
    s.here
        .volumes
        .values()
        .filter(|volume| volume.attachment.as_ref().is_some_and(|at| at.instance_id == it.id))
}

fn devices(s: &Scene<'_>, it: &Instance) -> Vec<InstanceBlockDeviceMapping> {
    volumes(s, it)
        .filter_map(|volume| {
            let at = volume.attachment.as_ref()?;
            let status = super::volumes::attachment_state(at.state);
            let ebs = EbsInstanceBlockDevice::builder()
                .volume_id(&volume.id)
                .delete_on_termination(at.delete_on_termination)
                .attach_time(date(at.since))
                .status(AttachmentStatus::from(status.as_str()))
                .build();
            Some(InstanceBlockDeviceMapping::builder().device_name(&at.device).ebs(ebs).build())
        })
        .collect()
}

fn interface(s: &Scene<'_>, it: &Instance) -> InstanceNetworkInterface {
    let association =
        public_ip(s, it).map(|ip| InstanceNetworkInterfaceAssociation::builder().public_ip(ip).build());
    InstanceNetworkInterface::builder()
        .network_interface_id(&it.interface_id)
        .subnet_id(&it.launch.subnet_id)
        .vpc_id(&it.vpc_id)
        .private_ip_address(&it.private_ip)
        .status(NetworkInterfaceStatus::InUse)
        .set_groups(Some(groups(s, it)))
        .set_association(association)
        .build()
}

/// The instance profile as EC2 shows it.
pub(super) fn profile(s: &Scene<'_>, it: &Instance) -> Option<IamInstanceProfile> {
    let name = it.launch.profile.as_ref()?;
    let id = s.iam.profiles.get(name).map(|profile| profile.id.clone());
    let arn = s.iam_arn(&format!("instance-profile/{name}"));
    Some(IamInstanceProfile::builder().arn(arn).set_id(id).build())
}

fn monitoring(on: bool) -> MonitoringState {
    if on { MonitoringState::Enabled } else { MonitoringState::Disabled }
}
