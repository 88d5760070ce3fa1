//! Changing an instance, online or by a stop and a start; and ending it.

use std::time::Duration;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, HttpTokensState, IamInstanceProfileSpecification,
    Instance as Described, InstanceStateName,
};
use lh_kind::{CloudError, ErrorKind, FieldDiff, Op};
use lh_model::value::text_of;
use serde_json::Value;

use super::{
    Facts, PROTECTED_TAG, Props,
    facts::{boot_volume, state},
    renew, see,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{
        ec2::{query, tags},
        known,
    },
};

const MODIFY: &str = "ec2:ModifyInstanceAttribute";
/// Between two looks at a stopping instance.
const LOOK: Duration = Duration::from_secs(5);
/// Looks before giving up: ten minutes, the longest that EC2 waits for an operating system.
const LOOKS: u32 = 120;

/// Makes the differing properties as wanted.
pub(super) async fn update(
    clients: &Clients,
    op: &Op,
    id: &str,
    want: &Props,
    diffs: &[FieldDiff],
) -> Result<(), CloudError> {
    let diff = |name: &str| diffs.iter().find(|diff| diff.field == name);
    if diffs.iter().any(|diff| diff.field.starts_with("tags.")) {
        // The root volume was tagged with the instance. It goes first: as long as the instance
        // differs, a change that was cut off is made again.
        let instances = see::read(clients, query::by("instance-id", [id.to_owned()]).concat()).await?;
        if let Some(root) = instances.first().and_then(boot_volume) {
            tags::retag(clients, root, diffs).await?;
        }
        tags::retag(clients, id, diffs).await?;
        // An instance launched again by its persistent spot request has lost the tags of ownership.
        tags::write(clients, id, op.tags.clone()).await?;
    }
    if diff("security_group_ids").is_some() {
        let groups: Result<Vec<_>, _> = want
            .security_group_ids
            .iter()
            .map(|id| known(id, MODIFY, "security_group_ids").cloned())
            .collect();
        let request = clients.ec2.modify_instance_attribute().instance_id(id).set_groups(Some(groups?));
        request.send().await.named(MODIFY)?;
    }
    if diff("instance_profile").is_some() {
        set_profile(clients, id, want).await?;
    }
    if diff("disable_api_termination").is_some() {
        protect(clients, id, want.disable_api_termination).await?;
    }
    if diff("http_tokens").is_some() {
        let tokens = HttpTokensState::from(want.http_tokens.as_deref().unwrap_or("required"));
        let request = clients.ec2.modify_instance_metadata_options().instance_id(id).http_tokens(tokens);
        request.send().await.named("ec2:ModifyInstanceMetadataOptions")?;
    }
    if let Some(diff) = diff("type") {
        set_type(clients, id, &text_of(&diff.old), &want.kind).await?;
    } else if diff("running").is_some_and(|diff| diff.new == Value::Bool(true)) {
        start(clients, id).await?;
    }
    // Last, for it needs a running host, and is made again until there is one.
    match want.host.as_ref().filter(|_| diff("host").is_some()) {
        Some(text) => renew::renew(clients, id, text).await,
        None => Ok(()),
    }
}

/// The tag goes first and leaves last: where the attribute may be set, it will be read.
async fn protect(clients: &Clients, id: &str, on: bool) -> Result<(), CloudError> {
    let mark = PROTECTED_TAG.to_owned();
    if on {
        tags::write(clients, id, [(mark.clone(), "on".to_owned())]).await?;
    }
    set_protection(clients, id, on).await?;
    if on { Ok(()) } else { tags::remove(clients, id, &[mark]).await }
}

async fn set_protection(clients: &Clients, id: &str, on: bool) -> Result<(), CloudError> {
    let value = AttributeBooleanValue::builder().value(on).build();
    let request = clients.ec2.modify_instance_attribute().instance_id(id).disable_api_termination(value);
    request.send().await.named(MODIFY).map(drop)
}

async fn set_profile(clients: &Clients, id: &str, want: &Props) -> Result<(), CloudError> {
    let describe = "ec2:DescribeIamInstanceProfileAssociations";
    let request = clients
        .ec2
        .describe_iam_instance_profile_associations()
        .filters(query::filter("instance-id", [id.to_owned()]));
    let found: Vec<_> = request.into_paginator().items().send().try_collect().await.named(describe)?;
    let live = |state: &str| matches!(state, "associating" | "associated");
    let current = found
        .iter()
        .find(|one| one.state().is_some_and(|state| live(state.as_str())))
        .and_then(|one| one.association_id());
    let Some(name) = &want.instance_profile else {
        let Some(current) = current else { return Ok(()) };
        let request = clients.ec2.disassociate_iam_instance_profile().association_id(current);
        return unless_gone(request.send().await.named("ec2:DisassociateIamInstanceProfile"));
    };
    let name = known(name, MODIFY, "instance_profile")?;
    let profile = IamInstanceProfileSpecification::builder().name(name).build();
    if let Some(current) = current {
        let request = clients
            .ec2
            .replace_iam_instance_profile_association()
            .association_id(current)
            .iam_instance_profile(profile);
        return request.send().await.named("ec2:ReplaceIamInstanceProfileAssociation").map(drop);
    }
    let request = clients.ec2.associate_iam_instance_profile().instance_id(id).iam_instance_profile(profile);
    request.send().await.named("ec2:AssociateIamInstanceProfile").map(drop)
}

/// Stop, change, start. Each part is skipped where it is done already, so that a change that was
/// cut off is completed by the next. Where the new type has no capacity the old one runs again.
async fn set_type(clients: &Clients, id: &str, old: &str, new: &str) -> Result<(), CloudError> {
    let instances = see::read(clients, query::by("instance-id", [id.to_owned()]).concat()).await?;
    let is_done = |one: &Described| {
        let runs = matches!(state(one), Some(InstanceStateName::Pending | InstanceStateName::Running));
        runs && one.instance_type().is_some_and(|kind| kind.as_str() == new)
    };
    if instances.first().is_some_and(is_done) {
        return Ok(());
    }
    stop(clients, id).await?;
    write_type(clients, id, new).await?;
    match start(clients, id).await {
        Err(error) if matches!(error.kind, ErrorKind::Capacity | ErrorKind::Quota) && !old.is_empty() => {
            write_type(clients, id, old).await?;
            start(clients, id).await?;
            Err(error)
        }
        result => result,
    }
}

async fn write_type(clients: &Clients, id: &str, kind: &str) -> Result<(), CloudError> {
    let value = AttributeValue::builder().value(kind).build();
    let request = clients.ec2.modify_instance_attribute().instance_id(id).instance_type(value);
    request.send().await.named(MODIFY).map(drop)
}

async fn start(clients: &Clients, id: &str) -> Result<(), CloudError> {
    clients.ec2.start_instances().instance_ids(id).send().await.named("ec2:StartInstances").map(drop)
}

/// Returns when the instance is stopped.
async fn stop(clients: &Clients, id: &str) -> Result<(), CloudError> {
    let operation = "ec2:StopInstances";
    let mut asked = false;
    for _ in 0..LOOKS {
        let instances = see::read(clients, query::by("instance-id", [id.to_owned()]).concat()).await?;
        let seen = instances.first().and_then(state);
        match seen {
            Some(InstanceStateName::Stopped) => return Ok(()),
            Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown) => {
                let message = format!("the instance {id} is being terminated");
                return Err(CloudError::new(ErrorKind::NotFound, operation, message));
            }
            Some(InstanceStateName::Running) if !asked => {
                clients.ec2.stop_instances().instance_ids(id).send().await.named(operation)?;
                asked = true;
            }
            _ => {}
        }
        tracing::debug!(id, state = ?seen, "waiting for the instance to stop");
        clients.pace.pause(LOOK).await;
    }
    let message = format!("the instance {id} did not stop within ten minutes");
    Err(CloudError::new(ErrorKind::NotYet, operation, message))
}

/// Ends the instance. Its spot request first: a persistent one would launch another.
pub(super) async fn delete(clients: &Clients, id: &str, facts: &Facts) -> Result<(), CloudError> {
    if let Some(request) = &facts.spot_request_id {
        let cancel = clients.ec2.cancel_spot_instance_requests().spot_instance_request_ids(request);
        unless_gone(cancel.send().await.named("ec2:CancelSpotInstanceRequests"))?;
    }
    if !id.starts_with("i-") || facts.state == InstanceStateName::Terminated.as_str() {
        return Ok(());
    }
    if facts.disable_api_termination {
        unless_gone(set_protection(clients, id, false).await)?;
    }
    unless_gone(
        clients.ec2.terminate_instances().instance_ids(id).send().await.named("ec2:TerminateInstances"),
    )
}
