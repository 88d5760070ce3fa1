//! Attributes of an instance: read, and modified while its state allows it.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html>

use super::query::{Kind, required};
use super::{launch, show};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Image, InstanceState};
use aws_sdk_ec2::operation::describe_instance_attribute::{
    DescribeInstanceAttributeInput, DescribeInstanceAttributeOutput,
};
use aws_sdk_ec2::operation::modify_instance_attribute::{
    ModifyInstanceAttributeInput, ModifyInstanceAttributeOutput,
};
use aws_sdk_ec2::operation::modify_instance_metadata_options::{
    ModifyInstanceMetadataOptionsInput, ModifyInstanceMetadataOptionsOutput,
};
use aws_sdk_ec2::types::{AttributeBooleanValue, AttributeValue, InstanceAttributeName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// DescribeInstanceAttribute: type, user data, termination protection, groups, shutdown behavior.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeInstanceAttributeInput,
) -> Result<DescribeInstanceAttributeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.instance_id, "InstanceId")?;
    if !s.here.instances.contains_key(id) || !s.visible(id) {
        return Err(Kind::Instance.missing(id));
    }
    let it = s.here.instances.get(id).ok_or_else(|| Kind::Instance.missing(id))?;
    let text = |value: &str| AttributeValue::builder().value(value).build();
    let shown = DescribeInstanceAttributeOutput::builder().instance_id(id);
    let shown = match required(&i.attribute, "Attribute")? {
        InstanceAttributeName::InstanceType => shown.instance_type(text(&it.launch.instance_type)),
        InstanceAttributeName::UserData => {
            shown.user_data(AttributeValue::builder().set_value(it.launch.user_data.clone()).build())
        }
        InstanceAttributeName::DisableApiTermination => shown.disable_api_termination(
            AttributeBooleanValue::builder().value(it.disable_api_termination).build(),
        ),
        InstanceAttributeName::GroupSet => shown.set_groups(Some(show::groups(s, it))),
        InstanceAttributeName::InstanceInitiatedShutdownBehavior => {
            shown.instance_initiated_shutdown_behavior(text(&it.launch.shutdown_behavior))
        }
        InstanceAttributeName::RootDeviceName => shown.root_device_name(text(&it.launch.root_device)),
        other => return Err(ApiError::invalid(format!("The attribute {other} is not simulated"))),
    };
    Ok(shown.build())
}

/// ModifyInstanceAttribute: one attribute at a time.
pub(crate) fn modify(
    s: &mut Scene<'_>,
    i: &ModifyInstanceAttributeInput,
) -> Result<ModifyInstanceAttributeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.instance_id, "InstanceId")?;
    let it = s.here.instances.get(id).ok_or_else(|| Kind::Instance.missing(id))?;
    if it.state.ending() {
        return Err(ApiError::new(
            "IncorrectInstanceState",
            format!("The instance '{id}' is {}.", it.state.name()),
        ));
    }
    let mut launch = it.launch.clone();
    let mut protected = it.disable_api_termination;
    let (stopped, zone) = (it.state == InstanceState::Stopped, it.zone.clone());
    let mut changed = 0;
    if let Some(new) = i.instance_type.as_ref().and_then(|it| it.value.as_ref()).or(named(i, "instanceType"))
    {
        changed += 1;
        resize(s, id, stopped, &zone, new)?;
        launch.instance_type = new.clone();
    }
    if let Some(new) = &i.user_data {
        changed += 1;
        needs_stop(id, stopped, "userData")?;
        // The SDK takes raw bytes here and encodes them on the wire, while RunInstances takes
        // text that the caller has encoded.
        launch.user_data = new.value.as_ref().map(|blob| STANDARD.encode(blob.as_ref()));
    }
    if let Some(new) = &i.disable_api_termination {
        changed += 1;
        protected = new.value == Some(true);
    }
    if let Some(new) = i.groups.as_deref().filter(|groups| !groups.is_empty()) {
        changed += 1;
        launch.groups = launch::groups_in(s, &it.vpc_id, new)?;
    }
    if let Some(new) = i.instance_initiated_shutdown_behavior.as_ref().and_then(|it| it.value.as_ref()) {
        changed += 1;
        launch.shutdown_behavior = new.clone();
    }
    match changed {
        1 => {}
        0 => return Err(ApiError::missing("attribute")),
        _ => {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "Fields for multiple attribute types specified",
            ));
        }
    }
    if let Some(it) = s.here.instances.get_mut(id) {
        it.launch = launch;
        it.disable_api_termination = protected;
    }
    Ok(ModifyInstanceAttributeOutput::builder().build())
}

fn named<'i>(i: &'i ModifyInstanceAttributeInput, name: &str) -> Option<&'i String> {
    i.attribute.as_ref().filter(|attribute| attribute.as_str() == name).and(i.value.as_ref())
}

fn needs_stop(id: &str, stopped: bool, attribute: &str) -> Result<(), ApiError> {
    if stopped {
        return Ok(());
    }
    Err(ApiError::new(
        "IncorrectInstanceState",
        format!(
            "The instance '{id}' is not in the 'stopped' state; its {attribute} can only be changed while it is."
        ),
    ))
}

/// A spot instance keeps its type for life: "you can modify some of its instance attributes, but
/// not the instance type":
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-instances-request.html>.
fn resize(s: &Scene<'_>, id: &str, stopped: bool, zone: &str, new: &str) -> Result<(), ApiError> {
    let it = s.here.instances.get(id).ok_or_else(|| Kind::Instance.missing(id))?;
    needs_stop(id, stopped, "instanceType")?;
    if it.spot_request_id.is_some() {
        return Err(ApiError::new(
            "UnsupportedOperation",
            "The instance type of a Spot Instance cannot be changed.",
        ));
    }
    let image = Image {
        id: it.launch.image_id.clone(),
        name: String::new(),
        owner: String::new(),
        architecture: it.launch.architecture.clone(),
        root_device: it.launch.root_device.clone(),
        root_size: 0,
        created: String::new(),
    };
    launch::fits(new, &image, zone)
}

/// ModifyInstanceMetadataOptions: what is not named stays; running or stopped:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html>.
pub(crate) fn modify_metadata(
    s: &mut Scene<'_>,
    i: &ModifyInstanceMetadataOptionsInput,
) -> Result<ModifyInstanceMetadataOptionsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.instance_id, "InstanceId")?;
    let it = s.here.instances.get_mut(id).ok_or_else(|| Kind::Instance.missing(id))?;
    if !matches!(it.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(ApiError::new(
            "IncorrectInstanceState",
            format!("The instance '{id}' is {}.", it.state.name()),
        ));
    }
    let options = &mut it.launch.metadata;
    if let Some(new) = &i.http_tokens {
        options.http_tokens = new.as_str().to_owned();
    }
    if let Some(new) = &i.http_endpoint {
        options.http_endpoint = new.as_str().to_owned();
    }
    if let Some(new) = i.http_put_response_hop_limit {
        options.hop_limit = new;
    }
    if let Some(new) = &i.instance_metadata_tags {
        options.instance_tags = new.as_str().to_owned();
    }
    let shown = show::metadata(options);
    Ok(ModifyInstanceMetadataOptionsOutput::builder()
        .instance_id(id)
        .instance_metadata_options(shown)
        .build())
}
