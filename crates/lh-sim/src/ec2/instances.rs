//! DescribeInstances and DescribeInstanceStatus.

use super::query::{Kind, Query, ids_or_pages};
use super::show;
use crate::clock::{SECOND, date};
use crate::filters::{maybe, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{Instance, InstanceState};
use aws_sdk_ec2::operation::describe_instance_status::{
    DescribeInstanceStatusInput, DescribeInstanceStatusOutput,
};
use aws_sdk_ec2::operation::describe_instances::{DescribeInstancesInput, DescribeInstancesOutput};
use aws_sdk_ec2::operation::get_console_output::{GetConsoleOutputInput, GetConsoleOutputOutput};
use aws_sdk_ec2::types::{
    InstanceStatus, InstanceStatusDetails, InstanceStatusSummary, StatusName, StatusType, SummaryStatus,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

const KNOWN: &[&str] = &[
    "instance-id",
    "instance-state-name",
    "instance-state-code",
    "instance-type",
    "image-id",
    "availability-zone",
    "subnet-id",
    "vpc-id",
    "key-name",
    "group-id",
    "instance.group-id",
    "client-token",
    "instance-lifecycle",
    "spot-instance-request-id",
    "private-ip-address",
    "iam-instance-profile.arn",
    "block-device-mapping.volume-id",
    "architecture",
    "network-interface.group-id",
    "reservation-id",
];

/// DescribeInstances: grouped by reservation; terminated instances are shown for about an hour.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeInstancesInput,
) -> Result<DescribeInstancesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    ids_or_pages(i.instance_ids.as_deref(), i.max_results)?;
    let query = Query {
        kind: Kind::Instance,
        ids: i.instance_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: KNOWN,
    };
    let all = s.here.instances.clone();
    let volumes = attached(s);
    let account = s.account.to_owned();
    let found = query.run(s, &all, |it| &it.tags, |it, name| look(it, name, &volumes, &account))?;
    // A page counts instances, and a reservation may be spread over pages.
    let (page, next) =
        paging::page(found, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    let mut reservations: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in &page {
        reservations.entry(&instance.reservation_id).or_default().push(instance);
    }
    let shown = reservations.into_iter().map(|(id, list)| show::reservation(s, id, list)).collect();
    Ok(DescribeInstancesOutput::builder().set_reservations(Some(shown)).set_next_token(next).build())
}

fn attached(s: &Scene<'_>) -> BTreeMap<String, Vec<String>> {
    let mut by_instance: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for volume in s.here.volumes.values() {
        if let Some(at) = &volume.attachment {
            by_instance.entry(at.instance_id.clone()).or_default().push(volume.id.clone());
        }
    }
    by_instance
}

fn look(it: &Instance, name: &str, volumes: &BTreeMap<String, Vec<String>>, account: &str) -> Vec<String> {
    match name {
        "instance-id" => one(&it.id),
        "instance-state-name" => one(it.state.name()),
        "instance-state-code" => one(it.state.code()),
        "instance-type" => one(&it.launch.instance_type),
        "image-id" => one(&it.launch.image_id),
        "availability-zone" => one(&it.zone),
        "key-name" => maybe(it.launch.key_name.as_ref()),
        "client-token" => maybe(it.client_token.as_ref()),
        "instance-lifecycle" => it.spot_request_id.iter().map(|_| "spot".to_owned()).collect(),
        "spot-instance-request-id" => maybe(it.spot_request_id.as_ref()),
        "architecture" => one(&it.launch.architecture),
        "reservation-id" => one(&it.reservation_id),
        // A terminated instance has no network and no volumes, so these filters miss it.
        _ if it.state == InstanceState::Terminated => Vec::new(),
        "subnet-id" => one(&it.launch.subnet_id),
        "vpc-id" => one(&it.vpc_id),
        "private-ip-address" => one(&it.private_ip),
        "iam-instance-profile.arn" => it
            .launch
            .profile
            .iter()
            .map(|name| format!("arn:aws:iam::{account}:instance-profile/{name}"))
            .collect(),
        "block-device-mapping.volume-id" => volumes.get(&it.id).cloned().unwrap_or_default(),
        _ => it.launch.groups.clone(),
    }
}

/// GetConsoleOutput: the end of what the serial console showed, in base64.
pub(crate) fn console(
    s: &mut Scene<'_>,
    i: &GetConsoleOutputInput,
) -> Result<GetConsoleOutputOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::Instance,
        ids: i.instance_id.as_ref().map(std::slice::from_ref),
        filters: None,
        known: &[],
    };
    let all = s.here.instances.clone();
    let found = query.run(s, &all, |it| &it.tags, |_, _| Vec::new())?;
    let Some(found) = found.first() else { return Ok(GetConsoleOutputOutput::builder().build()) };
    let shown = found.console.as_ref().map(|text| STANDARD.encode(text));
    Ok(GetConsoleOutputOutput::builder()
        .instance_id(&found.id)
        .set_output(shown)
        .timestamp(date(s.now))
        .build())
}

/// How long the status checks of a new instance take.
const CHECKS: u64 = 60 * SECOND;

/// DescribeInstanceStatus: running instances only, unless all are asked for. The checks are
/// initializing for a minute of virtual time, then ok.
pub(crate) fn status(
    s: &mut Scene<'_>,
    i: &DescribeInstanceStatusInput,
) -> Result<DescribeInstanceStatusOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    ids_or_pages(i.instance_ids.as_deref(), i.max_results)?;
    let query = Query {
        kind: Kind::Instance,
        ids: i.instance_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &[
            "instance-id",
            "instance-state-name",
            "instance-state-code",
            "availability-zone",
            "instance-status.status",
            "system-status.status",
        ],
    };
    let all = s.here.instances.clone();
    let now = s.now;
    let found = query.run(
        s,
        &all,
        |it| &it.tags,
        |it, name| match name {
            "instance-id" => one(&it.id),
            "instance-state-name" => one(it.state.name()),
            "instance-state-code" => one(it.state.code()),
            "availability-zone" => one(&it.zone),
            _ => one(checks(it, now)),
        },
    )?;
    let everything = i.include_all_instances == Some(true);
    let shown = found
        .iter()
        .filter(|it| everything || it.state == InstanceState::Running)
        .map(|it| {
            InstanceStatus::builder()
                .instance_id(&it.id)
                .availability_zone(&it.zone)
                .instance_state(show::state(it.state))
                .instance_status(summary(checks(it, now)))
                .system_status(summary(checks(it, now)))
                .build()
        })
        .collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeInstanceStatusOutput::builder().set_instance_statuses(Some(page)).set_next_token(next).build())
}

fn checks(it: &Instance, now: u64) -> SummaryStatus {
    match it.state {
        InstanceState::Running if now >= it.state_since + CHECKS => SummaryStatus::Ok,
        InstanceState::Running | InstanceState::Pending => SummaryStatus::Initializing,
        _ => SummaryStatus::NotApplicable,
    }
}

fn summary(status: SummaryStatus) -> InstanceStatusSummary {
    let detail = match status {
        SummaryStatus::Ok => Some(StatusType::Passed),
        SummaryStatus::Initializing => Some(StatusType::Initializing),
        _ => None,
    };
    let details =
        detail.map(|it| InstanceStatusDetails::builder().name(StatusName::Reachability).status(it).build());
    InstanceStatusSummary::builder().status(status).set_details(Some(details.into_iter().collect())).build()
}
