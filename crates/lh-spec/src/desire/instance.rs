//! The server, its data volume, and how they come together.

use std::collections::BTreeMap;

use lh_host::{DumpTarget, Host, Part, PasswordSource};
use lh_model::{Address, Origin, Resource, SecretRef, value::join};
use serde_json::{Value, json};

use super::{
    lookups::{self, found},
    monitoring, reference, resource, tags, text_or_null,
};
use crate::{
    checks::calendar,
    stack::{Instance, Interruption, Placed, Purchase, Stack},
};

/// Days that a dump stays on the data volume when it is in the bucket too.
const DUMP_DAYS: u32 = 7;

/// The volume, the instance, and the attachment.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let attachment = json!({
        "volume_id": reference("volume", "data", "id"),
        "instance_id": reference("instance", "main", "id"),
        "device": "/dev/sdf",
    });
    let attachment = resource("volume_attachment", "data", &stack.volume.origin, attachment);
    vec![volume(stack), instance(stack), attachment]
}

fn volume(stack: &Stack) -> Resource {
    let volume = &stack.volume;
    let mut data = resource(
        "volume",
        "data",
        &volume.origin,
        json!({
            "zone": found("network", "zone"),
            "size": volume.size.value,
            "type": "gp3",
            "iops": volume.iops.value,
            "throughput": volume.throughput.value,
            "encrypted": volume.encrypted.value,
            "kms_key": text_or_null(volume.kms_key.as_ref()),
            "database": stack.database.name.value,
            "tags": tags(stack, &format!("{}-data", stack.prefix())),
        }),
    );
    data.origins = origins([
        ("size", Some(&volume.size.origin)),
        ("iops", Some(&volume.iops.origin)),
        ("throughput", Some(&volume.throughput.origin)),
        ("encrypted", Some(&volume.encrypted.origin)),
        ("kms_key", volume.kms_key.as_ref().map(|key| &key.origin)),
        ("database", Some(&stack.database.name.origin)),
        ("zone", Some(zone_origin(stack))),
    ]);
    data
}

fn instance(stack: &Stack) -> Resource {
    let instance = &stack.instance;
    let mut server = resource("instance", "main", &instance.origin, properties(stack));
    server.origins = origins([
        ("type", Some(&instance.r#type.origin)),
        ("image_id", Some(&instance.image.origin)),
        ("subnet_id", Some(zone_origin(stack))),
        ("key_name", stack.ssh.key_name.as_ref().map(|key| &key.origin)),
        ("user_data", Some(&stack.database.origin)),
        ("database_image", Some(&stack.database.image.origin)),
        ("host", Some(stack.backup.as_ref().map_or(&stack.database.origin, |it| &it.dump_schedule.origin))),
        ("spot", Some(&instance.purchase.origin)),
        ("root_volume", Some(&instance.root_volume.size.origin)),
        ("disable_api_termination", Some(&instance.disable_api_termination.origin)),
    ]);
    // The host acts by its role, and fetches its password, as soon as it starts.
    server.after = [
        Address::new("instance_profile", "main"),
        Address::new("iam_role_policy", "instance"),
        Address::new("iam_policy_attachment", "ssm"),
        Address::new("iam_policy_attachment", "cloudwatch"),
    ]
    .into();
    if stack.monitoring.is_some() {
        // An agent that finds no log group makes one of its own, without retention.
        server.after.insert(Address::new("log_group", "main"));
    }
    let made = [super::password::resource_of(stack), super::key_pair::resource_of(stack)];
    server.after.extend(made.into_iter().flatten().map(|resource| resource.address));
    server
}

fn properties(stack: &Stack) -> Value {
    let instance = &stack.instance;
    let Instance { root_volume, .. } = instance;
    let further = stack.network.security_groups.iter();
    let further = further.map(|group| found(&lookups::group_name(&group.value), "id"));
    let groups: Vec<Value> = [reference("security_group", "main", "id")].into_iter().chain(further).collect();
    json!({
        "type": instance.r#type.value.name,
        "image_id": found("image", "id"),
        "subnet_id": found("network", "subnet_id"),
        "security_group_ids": groups,
        "instance_profile": stack.prefix(),
        "key_name": text_or_null(stack.ssh.key_name.as_ref()),
        "user_data": user_data(stack),
        "database_image": stack.database.image.value,
        "host": lh_host::install::renew(&host(stack)),
        "spot": spot(&instance.purchase),
        "root_volume": { "size": root_volume.size.value, "encrypted": root_volume.encrypted.value },
        "disable_api_termination": instance.disable_api_termination.value,
        "running": true,
        "http_tokens": "required",
        "tags": tags(stack, &stack.prefix()),
    })
}

fn spot(purchase: &Placed<Purchase>) -> Value {
    match purchase.value {
        Purchase::OnDemand => Value::Null,
        Purchase::Spot(Interruption::Stop) => json!({ "interruption": "stop" }),
        Purchase::Spot(Interruption::Terminate) => json!({ "interruption": "terminate" }),
    }
}

/// Cloud-init's text, with the volume's id where it goes.
fn user_data(stack: &Stack) -> Value {
    let parts = lh_host::user_data(&host(stack)).parts.into_iter().map(|part| match part {
        Part::Text(text) => json!(text),
        Part::VolumeId => reference("volume", "data", "id"),
    });
    join(parts.collect())
}

/// What the stack's host must become.
pub fn host(stack: &Stack) -> Host {
    let server = &stack.instance.r#type.value;
    Host {
        stack: stack.id().to_string(),
        region: stack.region.value.clone(),
        memory_gib: server.memory_gib,
        vcpus: server.vcpus,
        database: stack.database.name.value.clone(),
        image: stack.database.image.value.clone(),
        password: match &stack.database.password.store.value {
            SecretRef::Parameter(name) => PasswordSource::Parameter(name.clone()),
            SecretRef::Secret(name) => PasswordSource::Secret(name.clone()),
        },
        dump: dump(stack),
        log_group: monitoring::log_group_name(stack),
        metrics: monitoring::has_agent_metrics(stack),
        spot: matches!(stack.instance.purchase.value, Purchase::Spot(_)),
    }
}

/// Where dumps go beyond the data volume, where the stack names a bucket.
fn dump(stack: &Stack) -> Option<DumpTarget> {
    let backup = stack.backup.as_ref()?;
    Some(DumpTarget {
        bucket: backup.bucket.as_ref()?.value.clone(),
        on_calendar: calendar::on_calendar(&backup.dump_schedule.value)?,
        keep_days: DUMP_DAYS,
    })
}

/// What decides the zone.
fn zone_origin(stack: &Stack) -> &Origin {
    let network = &stack.network;
    let placed = network.zone.as_ref().or(network.subnet.as_ref()).unwrap_or(&network.vpc);
    &placed.origin
}

fn origins<const N: usize>(fields: [(&str, Option<&Origin>); N]) -> BTreeMap<String, Origin> {
    fields.into_iter().filter_map(|(field, origin)| Some((field.to_owned(), origin?.clone()))).collect()
}
