//! AttachVolume and DetachVolume.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-attaching-volume.html>

use super::query::{Kind, required};
use super::volumes::attachment_state;
use crate::clock::date;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Attachment, AttachmentState, InstanceState, VolumeState};
use aws_sdk_ec2::operation::attach_volume::{AttachVolumeInput, AttachVolumeOutput};
use aws_sdk_ec2::operation::detach_volume::{DetachVolumeInput, DetachVolumeOutput};

/// AttachVolume: same zone, instance running or stopped, device free, volume available.
pub(crate) fn attach(s: &mut Scene<'_>, i: &AttachVolumeInput) -> Result<AttachVolumeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let volume_id = required(&i.volume_id, "VolumeId")?;
    let instance_id = required(&i.instance_id, "InstanceId")?;
    let device = required(&i.device, "Device")?;
    let volume = s.here.volumes.get(volume_id).ok_or_else(|| Kind::Volume.missing(volume_id))?;
    let instance = s.here.instances.get(instance_id).ok_or_else(|| Kind::Instance.missing(instance_id))?;
    if let Some(at) = &volume.attachment {
        return Err(ApiError::new(
            "VolumeInUse",
            format!("{volume_id} is already attached to an instance ({})", at.instance_id),
        ));
    }
    if volume.state != VolumeState::Available {
        return Err(ApiError::new("IncorrectState", format!("{volume_id} is {}", volume.state.name())));
    }
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(ApiError::new(
            "IncorrectState",
            format!("Instance '{instance_id}' is not 'running'; it is {}.", instance.state.name()),
        ));
    }
    if volume.zone != instance.zone {
        return Err(ApiError::new(
            "InvalidVolume.ZoneMismatch",
            format!(
                "The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'"
            ),
        ));
    }
    let taken = |at: &Attachment| at.instance_id == *instance_id && at.device == *device;
    if s.here.volumes.values().filter_map(|volume| volume.attachment.as_ref()).any(taken) {
        return Err(ApiError::invalid(format!(
            "Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        )));
    }
    let attachment = Attachment {
        instance_id: instance_id.clone(),
        device: device.clone(),
        state: AttachmentState::Attaching,
        since: s.now,
        delete_on_termination: false,
    };
    if let Some(volume) = s.here.volumes.get_mut(volume_id) {
        volume.attachment = Some(attachment);
        volume.state = VolumeState::InUse;
        volume.state_since = s.now;
    }
    Ok(AttachVolumeOutput::builder()
        .volume_id(volume_id)
        .instance_id(instance_id)
        .device(device)
        .state(attachment_state(AttachmentState::Attaching))
        .attach_time(date(s.now))
        .delete_on_termination(false)
        .build())
}

/// DetachVolume: a root volume only while its instance is stopped:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html>.
pub(crate) fn detach(s: &mut Scene<'_>, i: &DetachVolumeInput) -> Result<DetachVolumeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.volume_id, "VolumeId")?;
    let now = s.now;
    let instances = &s.here.instances;
    let volume = s.here.volumes.get_mut(id).ok_or_else(|| Kind::Volume.missing(id))?;
    let state = volume.state.name();
    let Some(at) = volume.attachment.as_mut() else {
        return Err(ApiError::new("IncorrectState", format!("Volume '{id}' is in the '{state}' state.")));
    };
    let elsewhere = i.instance_id.as_ref().is_some_and(|asked| *asked != at.instance_id)
        || i.device.as_ref().is_some_and(|asked| *asked != at.device);
    if elsewhere {
        return Err(ApiError::new(
            "InvalidAttachment.NotFound",
            format!("Volume '{id}' is attached to {} as {}", at.instance_id, at.device),
        ));
    }
    if at.state == AttachmentState::Detaching {
        return Err(ApiError::new("IncorrectState", format!("Volume '{id}' is being detached already.")));
    }
    let rooted = instances.get(&at.instance_id).is_some_and(|instance| {
        instance.launch.root_device == at.device && instance.state != InstanceState::Stopped
    });
    if rooted {
        return Err(ApiError::new(
            "OperationNotPermitted",
            format!("Unable to detach root volume '{id}' from instance '{}'", at.instance_id),
        ));
    }
    at.state = AttachmentState::Detaching;
    at.since = now;
    Ok(DetachVolumeOutput::builder()
        .volume_id(id)
        .instance_id(&at.instance_id)
        .device(&at.device)
        .state(attachment_state(at.state))
        .build())
}
