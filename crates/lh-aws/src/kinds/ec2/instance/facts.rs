//! What EC2 shows of an instance, in the words of its properties.

use aws_sdk_ec2::types::{
    Instance as Described, InstanceBlockDeviceMapping, InstanceLifecycleType, InstanceStateName,
    SpotInstanceRequest,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{HOST_TAG, IMAGE_TAG, PROTECTED_TAG, Props, ROOT_VOLUME_TAG, RootVolume, Spot};
use crate::kinds::{
    Tags,
    ec2::{query::Object, tags},
    labels::Labels,
};

/// What EC2 shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Instance type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The image it started from.
    pub image_id: String,
    /// The subnet it is in.
    pub subnet_id: Option<String>,
    /// Its security groups, in the order wanted where they are those wanted.
    pub security_group_ids: Vec<String>,
    /// Name of its instance profile.
    pub instance_profile: Option<String>,
    /// Name of the key pair for SSH.
    pub key_name: Option<String>,
    /// The image of the database server that its host was last brought to.
    pub database_image: Option<String>,
    /// Digest of what its host was last brought to.
    pub host: Value,
    /// Null for on-demand.
    pub spot: Option<Spot>,
    /// Its root volume at launch.
    pub root_volume: Option<RootVolume>,
    /// Whether EC2 refuses to terminate it.
    pub disable_api_termination: bool,
    /// Whether it runs, starts, or will be started by EC2 when spot capacity returns.
    pub running: bool,
    /// `required` for IMDSv2 only.
    pub http_tokens: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// `pending`, `running`, `stopping`, `stopped`, `shutting-down`, `terminated`.
    pub state: String,
    /// Why it is in this state, where EC2 says so.
    pub state_reason: Option<String>,
    /// Private IPv4 address.
    pub private_ip: Option<String>,
    /// Public IPv4 address; null while it has none.
    pub public_ip: Option<String>,
    /// Availability zone.
    pub zone: Option<String>,
    /// Its root volume.
    pub root_volume_id: Option<String>,
    /// The spot request behind it, which outlives it unless it is cancelled.
    pub spot_request_id: Option<String>,
}

impl Object for Described {
    fn id(&self) -> &str {
        self.instance_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }

    fn is_leaving(&self) -> bool {
        matches!(state(self), Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated))
    }

    fn since(&self) -> i64 {
        self.launch_time().map_or(0, aws_smithy_types::DateTime::secs)
    }
}

/// The state of an instance.
pub(super) fn state(instance: &Described) -> Option<&InstanceStateName> {
    instance.state().and_then(|state| state.name())
}

/// Whether nothing but its name is left.
pub(super) fn is_terminated(instance: &Described) -> bool {
    state(instance) == Some(&InstanceStateName::Terminated)
}

/// Whether its API termination was switched off by us, so that it is worth asking for.
pub(super) fn is_marked_protected(instance: &Described) -> bool {
    instance.labels().get(PROTECTED_TAG).is_some()
}

/// The value of [`ROOT_VOLUME_TAG`].
pub(super) fn root_volume_text(root: &RootVolume) -> String {
    format!("{} {}", root.size, if root.encrypted { "encrypted" } else { "plain" })
}

fn root_volume_of(text: &str) -> Option<RootVolume> {
    let (size, encryption) = text.split_once(' ')?;
    Some(RootVolume { size: size.parse().ok()?, encrypted: encryption == "encrypted" })
}

/// EC2 lists the groups in an order of its own; order alone is no difference.
fn in_wanted_order(found: Vec<String>, props: &Props) -> Vec<String> {
    let wanted: Vec<String> = props.security_group_ids.iter().filter_map(|id| id.known().cloned()).collect();
    let mut sorted = (found.clone(), wanted.clone());
    sorted.0.sort();
    sorted.1.sort();
    if sorted.0 == sorted.1 { wanted } else { found }
}

fn spot_of(instance: &Described, request: Option<&SpotInstanceRequest>) -> Option<Spot> {
    if instance.instance_lifecycle() != Some(&InstanceLifecycleType::Spot) && request.is_none() {
        return None;
    }
    let behaviour = request.and_then(|r| r.instance_interruption_behavior()).map(|b| b.as_str());
    Some(Spot { interruption: behaviour.unwrap_or("terminate").to_owned() })
}

/// The facts of an instance; `protection` where the attribute was read.
pub(super) fn facts(
    instance: &Described,
    request: Option<&SpotInstanceRequest>,
    protection: Option<bool>,
    props: &Props,
) -> Facts {
    let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let labels = instance.labels();
    let state = state(instance).map(InstanceStateName::as_str).unwrap_or_default().to_owned();
    let groups = instance.security_groups().iter().filter_map(|group| own(group.group_id())).collect();
    let profile = instance.iam_instance_profile().and_then(|profile| profile.arn());
    // An instance launched by another hand carries no such tags: then nothing can be told.
    let database_image = labels.get(IMAGE_TAG).map(str::to_owned);
    let root_volume = labels.get(ROOT_VOLUME_TAG).and_then(root_volume_of);
    let interrupted = request
        .and_then(|r| r.status())
        .and_then(|s| s.code())
        .is_some_and(|code| code.starts_with("instance-stopped-") && !code.ends_with("by-user"));
    Facts {
        kind: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        image_id: own(instance.image_id()).unwrap_or_default(),
        subnet_id: own(instance.subnet_id()),
        security_group_ids: in_wanted_order(groups, props),
        instance_profile: own(profile.and_then(|arn| arn.rsplit('/').next())),
        key_name: own(instance.key_name()),
        database_image: database_image.or_else(|| props.database_image.clone()),
        host: labels.get(HOST_TAG).map_or(Value::Null, Value::from),
        spot: spot_of(instance, request),
        root_volume: root_volume.or_else(|| props.root_volume.clone()),
        disable_api_termination: protection.unwrap_or_default(),
        running: matches!(state.as_str(), "pending" | "running") || interrupted,
        http_tokens: instance
            .metadata_options()
            .and_then(|options| options.http_tokens())
            .map(|tokens| tokens.as_str().to_owned()),
        tags: labels.user(),
        state_reason: own(instance.state_reason().and_then(|reason| reason.message())),
        private_ip: own(instance.private_ip_address()),
        public_ip: own(instance.public_ip_address()),
        zone: own(instance.placement().and_then(|placement| placement.availability_zone())),
        root_volume_id: own(boot_volume(instance)),
        spot_request_id: own(instance.spot_instance_request_id())
            .or_else(|| own(request.and_then(|r| r.spot_instance_request_id()))),
        state,
    }
}

/// The facts of a spot request that outlived its instance: deleting cancels it.
pub(super) fn facts_of_request(request: &SpotInstanceRequest, props: &Props) -> Facts {
    Facts {
        kind: props.kind.clone(),
        spot: props.spot.clone(),
        tags: request.labels().user(),
        state: InstanceStateName::Terminated.as_str().to_owned(),
        spot_request_id: request.spot_instance_request_id().map(str::to_owned),
        ..Facts::default()
    }
}

/// The volume the instance boots from.
pub(super) fn boot_volume(instance: &Described) -> Option<&str> {
    let root = instance.root_device_name();
    let is_root = |mapping: &&InstanceBlockDeviceMapping| mapping.device_name() == root && root.is_some();
    let mapped = instance.block_device_mappings().iter().find(is_root);
    mapped?.ebs()?.volume_id()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_volume_survives_its_tag() {
        let root = RootVolume { size: 8, encrypted: true };
        assert_eq!(root_volume_of(&root_volume_text(&root)), Some(root));
        assert_eq!(root_volume_of("what"), None);
    }

    #[test]
    fn the_order_of_security_groups_is_no_difference() {
        let props: Props = serde_json::from_value(serde_json::json!({
            "type": "t4g.micro", "image_id": "ami-1", "subnet_id": "subnet-1",
            "security_group_ids": ["sg-b", "sg-a"],
        }))
        .unwrap();
        let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(in_wanted_order(own(&["sg-a", "sg-b"]), &props), own(&["sg-b", "sg-a"]));
        assert_eq!(in_wanted_order(own(&["sg-a"]), &props), own(&["sg-a"]));
    }
}
