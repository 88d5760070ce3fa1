//! StopInstances, StartInstances and TerminateInstances.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>

use super::query::Kind;
use super::{launch, show, spot};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Instance, InstanceState, Millis, Region, SpotKind, SpotState};
use aws_sdk_ec2::operation::start_instances::{StartInstancesInput, StartInstancesOutput};
use aws_sdk_ec2::operation::stop_instances::{StopInstancesInput, StopInstancesOutput};
use aws_sdk_ec2::operation::terminate_instances::{TerminateInstancesInput, TerminateInstancesOutput};

fn ids(asked: Option<&[String]>) -> Result<&[String], ApiError> {
    match asked {
        None | Some([]) => Err(ApiError::missing("InstanceId")),
        Some(ids) => Ok(ids),
    }
}

fn find<'r>(region: &'r mut Region, id: &str) -> Result<&'r mut Instance, ApiError> {
    region.instances.get_mut(id).ok_or_else(|| Kind::Instance.missing(id))
}

fn wrong_state(instance: &Instance, verb: &str) -> ApiError {
    ApiError::new(
        "IncorrectInstanceState",
        format!(
            "The instance '{}' is not in a state from which it can be {verb}; it is {}.",
            instance.id,
            instance.state.name()
        ),
    )
}

/// StopInstances: stopping a stopped instance changes nothing; a spot instance can be stopped only
/// if its request is persistent:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html>.
pub(crate) fn stop(s: &mut Scene<'_>, i: &StopInstancesInput) -> Result<StopInstancesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let mut changes = Vec::new();
    for id in ids(i.instance_ids.as_deref())? {
        let now = s.now;
        let request = spot::of(s.here, id).map(|request| request.kind);
        let instance = find(s.here, id)?;
        let before = instance.state;
        match before {
            InstanceState::Running if request == Some(SpotKind::OneTime) => {
                return Err(ApiError::new(
                    "UnsupportedOperation",
                    format!(
                        "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests."
                    ),
                ));
            }
            InstanceState::Running => {
                enter(instance, InstanceState::Stopping, now);
                instance.state_reason = Some((
                    "Client.UserInitiatedShutdown".to_owned(),
                    "Client.UserInitiatedShutdown: User initiated shutdown".to_owned(),
                ));
                spot::stopped(s.here, id);
            }
            InstanceState::Stopping | InstanceState::Stopped => {}
            _ => return Err(wrong_state(instance, "stopped")),
        }
        changes.push(show::change(id, before, find(s.here, id)?.state));
    }
    Ok(StopInstancesOutput::builder().set_stopping_instances(Some(changes)).build())
}

/// StartInstances: starting a running instance changes nothing:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartInstances.html>.
pub(crate) fn start(s: &mut Scene<'_>, i: &StartInstancesInput) -> Result<StartInstancesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let mut changes = Vec::new();
    for id in ids(i.instance_ids.as_deref())? {
        let now = s.now;
        let request = spot::of(s.here, id).map(|request| request.state);
        let kind = find(s.here, id)?.launch.instance_type.clone();
        let room = launch::has_room(s.here, &kind);
        let instance = find(s.here, id)?;
        let before = instance.state;
        match before {
            InstanceState::Stopped if room.is_err() => room?,
            InstanceState::Stopped if request == Some(SpotState::Cancelled) => {
                return Err(ApiError::new(
                    "IncorrectSpotRequestState",
                    format!("The Spot request of '{id}' is cancelled, so the instance cannot be started."),
                ));
            }
            InstanceState::Stopped => {
                enter(instance, InstanceState::Pending, now);
                instance.launched_at = now;
                instance.state_reason = None;
                instance.public_ip = instance.launch.public_address.then(|| launch::public_ip(s.random));
                spot::started(s.here, id);
            }
            InstanceState::Pending | InstanceState::Running => {}
            _ => return Err(wrong_state(instance, "started")),
        }
        changes.push(show::change(id, before, find(s.here, id)?.state));
    }
    Ok(StartInstancesOutput::builder().set_starting_instances(Some(changes)).build())
}

/// TerminateInstances: idempotent; all or none if one is protected:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html>.
pub(crate) fn terminate(
    s: &mut Scene<'_>,
    i: &TerminateInstancesInput,
) -> Result<TerminateInstancesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let mut changes = Vec::new();
    for id in ids(i.instance_ids.as_deref())? {
        let now = s.now;
        let instance = find(s.here, id)?;
        let before = instance.state;
        if instance.disable_api_termination && !before.ending() {
            return Err(ApiError::new(
                "OperationNotPermitted",
                format!(
                    "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
                ),
            ));
        }
        if !before.ending() {
            begin_end(s.here, id, now, ("Client.UserInitiatedShutdown", "User initiated shutdown"));
            spot::ended(s.here, id, now, "instance-terminated-by-user");
        }
        changes.push(show::change(id, before, find(s.here, id)?.state));
    }
    Ok(TerminateInstancesOutput::builder().set_terminating_instances(Some(changes)).build())
}

/// An instance starts to shut down; its elastic address is free again.
pub(super) fn begin_end(region: &mut Region, id: &str, now: Millis, reason: (&str, &str)) {
    if let Some(instance) = region.instances.get_mut(id) {
        enter(instance, InstanceState::ShuttingDown, now);
        instance.state_reason = Some((reason.0.to_owned(), format!("{}: {}", reason.0, reason.1)));
    }
    for address in region.addresses.values_mut() {
        if address.association.as_ref().is_some_and(|at| at.instance_id == id) {
            address.association = None;
        }
    }
}

/// Enters a state.
pub(super) fn enter(instance: &mut Instance, state: InstanceState, now: Millis) {
    instance.state = state;
    instance.state_since = now;
    if state == InstanceState::Stopping {
        instance.public_ip = None;
    }
}
