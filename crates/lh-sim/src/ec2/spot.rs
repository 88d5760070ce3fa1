//! Spot requests: how they come from RunInstances, what ends them, and what EC2 does by itself.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-requests.html>

use super::lifecycle;
use super::query::{Kind, Query};
use super::tags;
use crate::clock::{SECOND, date};
use crate::filters::{maybe, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{
    InstanceState, Interruption, Launch, Millis, Region, SpotKind, SpotRequest, SpotState, Tags,
};
use aws_sdk_ec2::operation::cancel_spot_instance_requests::{
    CancelSpotInstanceRequestsInput, CancelSpotInstanceRequestsOutput,
};
use aws_sdk_ec2::operation::describe_spot_instance_requests::{
    DescribeSpotInstanceRequestsInput, DescribeSpotInstanceRequestsOutput,
};
use aws_sdk_ec2::operation::run_instances::RunInstancesInput;
use aws_sdk_ec2::types::{
    CancelSpotInstanceRequestState, CancelledSpotInstanceRequest, InstanceInterruptionBehavior, InstanceType,
    LaunchSpecification, MarketType, SpotInstanceRequest, SpotInstanceState, SpotInstanceStatus,
    SpotInstanceType, SpotPlacement,
};

/// How long a persistent request waits before it launches again.
const RELAUNCH: Millis = 30 * SECOND;

/// What a launch asks of the spot market.
pub(super) struct Ask {
    kind: SpotKind,
    interruption: Interruption,
    max_price: Option<String>,
}

/// The spot part of RunInstances, if it has one.
pub(super) fn requested(i: &RunInstancesInput) -> Result<Option<Ask>, ApiError> {
    let Some(options) = &i.instance_market_options else { return Ok(None) };
    if options.market_type != Some(MarketType::Spot) {
        return Err(ApiError::invalid("Only the market type 'spot' is simulated"));
    }
    let spot = options.spot_options.as_ref();
    let persistent =
        spot.and_then(|it| it.spot_instance_type.as_ref()) == Some(&SpotInstanceType::Persistent);
    let interruption = match spot.and_then(|it| it.instance_interruption_behavior.as_ref()) {
        None | Some(InstanceInterruptionBehavior::Terminate) => Interruption::Terminate,
        Some(InstanceInterruptionBehavior::Stop) => Interruption::Stop,
        Some(_) => Interruption::Hibernate,
    };
    // "To use the stop behaviour, the request must be persistent":
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interruption-behavior.html
    if interruption != Interruption::Terminate && !persistent {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            "When InstanceInterruptionBehavior is stop or hibernate, SpotInstanceType must be persistent.",
        ));
    }
    Ok(Some(Ask {
        kind: if persistent { SpotKind::Persistent } else { SpotKind::OneTime },
        interruption,
        max_price: spot.and_then(|it| it.max_price.clone()),
    }))
}

/// Makes the request of a launch.
pub(super) fn open(s: &mut Scene<'_>, ask: &Ask, launch: &Launch, tags: Tags) -> Result<String, ApiError> {
    let request = SpotRequest {
        id: s.random.spot_id(),
        kind: ask.kind,
        interruption: ask.interruption,
        state: SpotState::Open,
        status: "pending-evaluation".to_owned(),
        instance_id: None,
        max_price: ask.max_price.clone(),
        launch: launch.clone(),
        tags,
        created_at: s.now,
        relaunch_at: None,
    };
    let id = request.id.clone();
    s.born(&id);
    s.here.spot_requests.insert(id.clone(), request);
    Ok(id)
}

/// The request has an instance.
pub(super) fn fulfil(region: &mut Region, id: &str, instance: &str) {
    if let Some(request) = region.spot_requests.get_mut(id) {
        request.state = SpotState::Active;
        request.status = "fulfilled".to_owned();
        request.instance_id = Some(instance.to_owned());
        request.relaunch_at = None;
    }
}

/// The request of an instance.
pub(super) fn of<'r>(region: &'r Region, instance: &str) -> Option<&'r SpotRequest> {
    let id = region.instances.get(instance)?.spot_request_id.as_ref()?;
    region.spot_requests.get(id)
}

fn of_mut<'r>(region: &'r mut Region, instance: &str) -> Option<&'r mut SpotRequest> {
    let id = region.instances.get(instance)?.spot_request_id.clone()?;
    region.spot_requests.get_mut(&id)
}

/// The user stopped the instance: the request is disabled.
pub(super) fn stopped(region: &mut Region, instance: &str) {
    if let Some(request) = of_mut(region, instance)
        && request.state == SpotState::Active
    {
        request.state = SpotState::Disabled;
        request.status = "instance-stopped-by-user".to_owned();
    }
}

/// The instance was started again: the request is active.
pub(super) fn started(region: &mut Region, instance: &str) {
    if let Some(request) = of_mut(region, instance)
        && matches!(request.state, SpotState::Disabled | SpotState::Open | SpotState::Active)
    {
        request.state = SpotState::Active;
        request.status = "fulfilled".to_owned();
        request.relaunch_at = None;
    }
}

/// The instance ends. A one-time request is closed; a persistent one that was not cancelled opens
/// again and will launch another instance.
pub(super) fn ended(region: &mut Region, instance: &str, now: Millis, status: &str) {
    let Some(request) = of_mut(region, instance) else { return };
    if matches!(request.state, SpotState::Cancelled | SpotState::Closed) {
        return;
    }
    request.status = status.to_owned();
    match request.kind {
        SpotKind::OneTime => request.state = SpotState::Closed,
        SpotKind::Persistent => {
            request.state = SpotState::Open;
            request.relaunch_at = Some(now + RELAUNCH);
        }
    }
}

/// EC2 takes an instance back.
pub(crate) fn interrupt(region: &mut Region, instance: &str, now: Millis) -> bool {
    let running = region.instances.get(instance).is_some_and(|it| it.state == InstanceState::Running);
    let Some(interruption) = of(region, instance).map(|request| request.interruption).filter(|_| running)
    else {
        return false;
    };
    let reason = ("Server.SpotInstanceTermination", "Spot instance termination");
    if interruption == Interruption::Terminate {
        lifecycle::begin_end(region, instance, now, reason);
        ended(region, instance, now, "instance-terminated-no-capacity");
        return true;
    }
    if let Some(it) = region.instances.get_mut(instance) {
        lifecycle::enter(it, InstanceState::Stopping, now);
        it.state_reason = Some((
            "Server.SpotInstanceShutdown".to_owned(),
            "Server.SpotInstanceShutdown: Instance was stopped because of capacity".to_owned(),
        ));
    }
    if let Some(request) = of_mut(region, instance)
        && request.state == SpotState::Active
    {
        request.state = SpotState::Open;
        request.status = "instance-stopped-no-capacity".to_owned();
        request.relaunch_at = Some(now + RELAUNCH);
    }
    true
}

/// DescribeSpotInstanceRequests.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeSpotInstanceRequestsInput,
) -> Result<DescribeSpotInstanceRequestsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::SpotRequest,
        ids: i.spot_instance_request_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &["spot-instance-request-id", "instance-id", "state", "status-code", "type"],
    };
    let all = s.here.spot_requests.clone();
    let found = query.run(
        s,
        &all,
        |request| &request.tags,
        |request, name| match name {
            "instance-id" => maybe(request.instance_id.as_ref()),
            "state" => one(request.state.name()),
            "status-code" => one(&request.status),
            "type" => one(kind(request.kind)),
            _ => one(&request.id),
        },
    )?;
    let shown = found.iter().map(|request| show(s, request)).collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeSpotInstanceRequestsOutput::builder()
        .set_spot_instance_requests(Some(page))
        .set_next_token(next)
        .build())
}

fn kind(kind: SpotKind) -> SpotInstanceType {
    match kind {
        SpotKind::OneTime => SpotInstanceType::OneTime,
        SpotKind::Persistent => SpotInstanceType::Persistent,
    }
}

fn show(s: &Scene<'_>, request: &SpotRequest) -> SpotInstanceRequest {
    let interruption = match request.interruption {
        Interruption::Terminate => InstanceInterruptionBehavior::Terminate,
        Interruption::Stop => InstanceInterruptionBehavior::Stop,
        Interruption::Hibernate => InstanceInterruptionBehavior::Hibernate,
    };
    let zone = s.here.subnets.get(&request.launch.subnet_id).map(|subnet| subnet.zone.clone());
    let launch = LaunchSpecification::builder()
        .image_id(&request.launch.image_id)
        .instance_type(InstanceType::from(request.launch.instance_type.as_str()))
        .set_key_name(request.launch.key_name.clone())
        .subnet_id(&request.launch.subnet_id)
        .placement(SpotPlacement::builder().set_availability_zone(zone.clone()).build())
        .build();
    SpotInstanceRequest::builder()
        .spot_instance_request_id(&request.id)
        .r#type(kind(request.kind))
        .state(SpotInstanceState::from(request.state.name()))
        .status(SpotInstanceStatus::builder().code(&request.status).build())
        .set_instance_id(request.instance_id.clone())
        .set_spot_price(request.max_price.clone())
        .instance_interruption_behavior(interruption)
        .create_time(date(request.created_at))
        .launch_specification(launch)
        .set_launched_availability_zone(zone)
        .set_tags(Some(tags::show(&request.tags)))
        .build()
}

/// CancelSpotInstanceRequests: the instance goes on:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelSpotInstanceRequests.html>.
pub(crate) fn cancel(
    s: &mut Scene<'_>,
    i: &CancelSpotInstanceRequestsInput,
) -> Result<CancelSpotInstanceRequestsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let mut cancelled = Vec::new();
    for id in i.spot_instance_request_ids.as_deref().unwrap_or_default() {
        let request = s.here.spot_requests.get_mut(id).ok_or_else(|| Kind::SpotRequest.missing(id))?;
        if request.state != SpotState::Closed {
            let running = request.state == SpotState::Active;
            request.state = SpotState::Cancelled;
            request.relaunch_at = None;
            request.status =
                if running { "request-canceled-and-instance-running" } else { "canceled-before-fulfillment" }
                    .to_owned();
        }
        cancelled.push(
            CancelledSpotInstanceRequest::builder()
                .spot_instance_request_id(id)
                .state(CancelSpotInstanceRequestState::from(request.state.name()))
                .build(),
        );
    }
    Ok(CancelSpotInstanceRequestsOutput::builder()
        .set_cancelled_spot_instance_requests(Some(cancelled))
        .build())
}
