//! `network {vpc, subnet, zone, instance_type, egress}` → `{vpc_id, subnet_id, zone}`: where the
//! instance goes, and that its packets get out. Chosen once, deterministically, then kept as long as
//! it exists and fits the question. What a name of a VPC stands for is asked once: the data is where
//! it is, and a name or a default that moved to another VPC does not move it.

use std::{collections::BTreeSet, sync::Arc};

use aws_sdk_ec2::types::{Filter, LocationType, Subnet, Tag, Vpc};
use futures_util::{FutureExt, future::join};
use lh_kind::{CloudError, Probe};
use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, nearest, pinned, texts};
use crate::{
    clients::Clients,
    error::Named,
    inspect::routes::{route_tables, way_out},
    kinds::ec2::query::filter,
};

/// What it may call.
pub(super) const CALLS: &[&str] = &[
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeRouteTables",
];

/// Answers it.
pub(super) async fn answer(clients: &Clients, probe: &Probe) -> Result<Map, Diagnostic> {
    match pinned(probe, "subnet_id") {
        Some(subnet) => again(clients, probe, subnet).await,
        None => choose(clients, &probe.lookup).await,
    }
}

/// With an earlier answer: one call tells whether it still holds, and where another VPC is asked
/// for than then, a second at the same time.
async fn again(clients: &Clients, probe: &Probe, subnet: &str) -> Result<Map, Diagnostic> {
    let lookup = &probe.lookup;
    let vpcs = async {
        match pinned(probe, "vpc") == Some(wanted_vpc(lookup)) {
            true => Ok(pinned(probe, "vpc_id").map(str::to_owned).into_iter().collect::<Vec<_>>()),
            false => read_vpcs(clients, Some(vpc_filter(lookup)))
                .await
                .map(|vpcs| vpcs.into_iter().filter_map(|vpc| vpc.vpc_id).collect()),
        }
    };
    let pinned_subnet = filter("subnet-id", [subnet.to_owned()]);
    let (vpcs, subnets) = join(vpcs, read_subnets(clients, pinned_subnet)).await;
    let (vpcs, subnets) = (vpcs.map_err(|e| failed(lookup, &e))?, subnets.map_err(|e| failed(lookup, &e))?);
    let is_there = |one: &Subnet| vpcs.iter().any(|vpc| Some(vpc.as_str()) == one.vpc_id());
    let kept = subnets.iter().find(|one| is_there(one) && fits(one, lookup));
    let Some(kept) = kept else { return choose(clients, lookup).await };
    let kind = asked(lookup, "instance_type");
    if let Some(kind) = kind.filter(|kind| pinned(probe, "instance_type") != Some(*kind)) {
        // Another type: the data is in this zone, so it is this zone that must offer it.
        let zones = read_zones(clients, kind).await.map_err(|error| failed(lookup, &error))?;
        let zone = kept.availability_zone().unwrap_or_default();
        if !zones.contains(zone) {
            return Err(not_offered(lookup, kind, &[zone.to_owned()].into(), &zones));
        }
    }
    Ok(told(kept, lookup))
}

/// Without one: the VPC, then the first subnet of the first zone that offers the type.
async fn choose(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let kind = asked(lookup, "instance_type");
    let zones = async {
        match kind {
            Some(kind) => read_zones(clients, kind).await.map(Some),
            None => Ok(None),
        }
    };
    let (vpcs, zones) = join(read_vpcs(clients, Some(vpc_filter(lookup))), zones).await;
    let (vpcs, zones) = (vpcs.map_err(|e| failed(lookup, &e))?, zones.map_err(|e| failed(lookup, &e))?);
    let vpc = match vpcs.as_slice() {
        [] => return Err(no_vpc(clients, lookup).await),
        [vpc] => vpc,
        several => return Err(several_vpcs(lookup, several)),
    };
    let vpc_id = vpc.vpc_id().unwrap_or_default();
    let routes = async {
        // Where instances run nothing, they fetch nothing.
        match asked(lookup, "egress").filter(|_| clients.idle.is_none()) {
            Some(address) => route_tables(clients, vpc_id).await.map(|tables| Some((tables, address))),
            None => Ok(None),
        }
    };
    let subnets = read_subnets(clients, filter("vpc-id", [vpc_id.to_owned()]));
    let (all, routes) = join(subnets, routes).await;
    let (all, routes) = (all.map_err(|e| failed(lookup, &e))?, routes.map_err(|e| failed(lookup, &e))?);
    let fitting: Vec<&Subnet> = all.iter().filter(|subnet| fits(subnet, lookup)).collect();
    if fitting.is_empty() {
        return Err(no_subnet(lookup, vpc_id, &all));
    }
    let zone_of = |subnet: &Subnet| subnet.availability_zone().unwrap_or_default().to_owned();
    let offered = |subnet: &&&Subnet| zones.as_ref().is_none_or(|zones| zones.contains(&zone_of(subnet)));
    // In a default VPC each zone has a default subnet, with a way to the internet: those first.
    let order = |subnet: &&&Subnet| {
        (subnet.default_for_az() != Some(true), zone_of(subnet), subnet.subnet_id().map(str::to_owned))
    };
    match fitting.iter().filter(offered).min_by_key(order) {
        Some(subnet) => {
            let cut_off = routes.and_then(|(tables, address)| {
                let public = address == "public" || subnet.map_public_ip_on_launch() == Some(true);
                let id = subnet.subnet_id().unwrap_or_default();
                way_out(&tables, id).obstacle(id, public)
            });
            match cut_off {
                None => Ok(told(subnet, lookup)),
                Some(why) => Err(no_way_out(lookup, why)),
            }
        }
        None => {
            let tried = fitting.iter().map(|subnet| zone_of(subnet)).collect();
            Err(not_offered(lookup, kind.unwrap_or_default(), &tried, &zones.unwrap_or_default()))
        }
    }
}

fn told(subnet: &Subnet, lookup: &Lookup) -> Map {
    texts([
        ("vpc", wanted_vpc(lookup)),
        ("vpc_id", subnet.vpc_id().unwrap_or_default()),
        ("subnet_id", subnet.subnet_id().unwrap_or_default()),
        ("zone", subnet.availability_zone().unwrap_or_default()),
        ("instance_type", asked(lookup, "instance_type").unwrap_or_default()),
    ])
}

fn wanted_vpc(lookup: &Lookup) -> &str {
    asked(lookup, "vpc").unwrap_or("default")
}

/// The filter for the VPC that the lookup names as `vpc`.
pub(super) fn vpc_filter(lookup: &Lookup) -> Filter {
    match wanted_vpc(lookup) {
        "default" => filter("is-default", ["true".to_owned()]),
        id if id.starts_with("vpc-") => filter("vpc-id", [id.to_owned()]),
        name => filter("tag:Name", [name.to_owned()]),
    }
}

/// The `Name` tag.
pub(super) fn name_in(tags: &[Tag]) -> Option<String> {
    tags.iter().find(|tag| tag.key() == Some("Name")).and_then(|tag| tag.value()).map(str::to_owned)
}

/// Whether a subnet is the one asked for, or one of those that may be chosen.
fn fits(subnet: &Subnet, lookup: &Lookup) -> bool {
    let zone_fits = asked(lookup, "zone").is_none_or(|zone| subnet.availability_zone() == Some(zone));
    let subnet_fits = asked(lookup, "subnet").is_none_or(|wanted| {
        subnet.subnet_id() == Some(wanted) || name_in(subnet.tags()).as_deref() == Some(wanted)
    });
    zone_fits && subnet_fits
}

/// The VPCs that pass a filter; shared with security groups, which ask the same at the same time.
pub(super) async fn read_vpcs(clients: &Clients, question: Option<Filter>) -> Result<Vec<Vpc>, CloudError> {
    let text = clients.reads.text(&question);
    let request = clients.ec2.describe_vpcs().set_filters(question.map(|filter| vec![filter]));
    let ask = async move {
        let vpcs: Result<Vec<Vpc>, _> =
            request.into_paginator().items().send().try_collect().await.named(CALLS[0]);
        vpcs.map(Arc::new)
    };
    Ok(clients.reads.vpcs.join(text, ask.boxed()).await?.as_ref().clone())
}

async fn read_subnets(clients: &Clients, question: Filter) -> Result<Vec<Subnet>, CloudError> {
    let request = clients.ec2.describe_subnets().filters(question);
    request.into_paginator().items().send().try_collect().await.named(CALLS[1])
}

/// The zones that offer an instance type.
async fn read_zones(clients: &Clients, kind: &str) -> Result<BTreeSet<String>, CloudError> {
    let request = clients
        .ec2
        .describe_instance_type_offerings()
        .location_type(LocationType::AvailabilityZone)
        .filters(filter("instance-type", [kind.to_owned()]));
    let pages = request.into_paginator().items().send();
    let offerings: Vec<_> = pages.try_collect().await.named(CALLS[2])?;
    Ok(offerings.into_iter().filter_map(|offering| offering.location).collect())
}

/// A VPC by its name, else by its id.
fn vpc_name(vpc: &Vpc) -> String {
    name_in(vpc.tags()).unwrap_or_else(|| vpc.vpc_id().unwrap_or_default().to_owned())
}

async fn no_vpc(clients: &Clients, lookup: &Lookup) -> Diagnostic {
    let wanted = wanted_vpc(lookup);
    let there = match read_vpcs(clients, None).await {
        Ok(vpcs) => nearest(wanted, vpcs.iter().map(vpc_name)),
        Err(error) => return failed(lookup, &error),
    };
    let message = match wanted {
        "default" => "this region has no default VPC".to_owned(),
        other => format!("there is no VPC `{other}`"),
    };
    let fix = match wanted {
        "default" => "Name a VPC in `network.vpc`, or run `aws ec2 create-default-vpc`.",
        _ => "Name one of these in `network.vpc`, by its Name tag or its id, or write `default`.",
    };
    let reason = there.map_or_else(
        || "this account has no VPC in this region".to_owned(),
        |names| format!("this region has the VPCs {names}"),
    );
    Diagnostic::error("E0552", message).at(lookup.origin.clone()).because(reason).fix(fix)
}

fn several_vpcs(lookup: &Lookup, vpcs: &[Vpc]) -> Diagnostic {
    let ids = nearest("", vpcs.iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned)));
    Diagnostic::error("E0553", format!("{} VPCs are named `{}`", vpcs.len(), wanted_vpc(lookup)))
        .at(lookup.origin.clone())
        .because(format!("they are {}", ids.unwrap_or_default()))
        .fix("Name the one that is meant by its id, `vpc-…`.")
}

fn no_subnet(lookup: &Lookup, vpc: &str, subnets: &[Subnet]) -> Diagnostic {
    let wanted = asked(lookup, "subnet").or(asked(lookup, "zone")).unwrap_or_default();
    let name = |subnet: &Subnet| {
        let own = name_in(subnet.tags()).unwrap_or_else(|| subnet.subnet_id().unwrap_or_default().to_owned());
        if asked(lookup, "subnet").is_some() {
            own
        } else {
            subnet.availability_zone().unwrap_or_default().to_owned()
        }
    };
    let message = match (asked(lookup, "subnet"), asked(lookup, "zone")) {
        (Some(subnet), None) => format!("the VPC {vpc} has no subnet `{subnet}`"),
        (Some(subnet), Some(zone)) => format!("the VPC {vpc} has no subnet `{subnet}` in the zone `{zone}`"),
        (None, Some(zone)) => format!("the VPC {vpc} has no subnet in the zone `{zone}`"),
        (None, None) => format!("the VPC {vpc} has no subnet"),
    };
    let reason = nearest(wanted, subnets.iter().map(name))
        .map_or_else(|| "it has none at all".to_owned(), |names| format!("it has {names}"));
    Diagnostic::error("E0554", message)
        .at(lookup.origin.clone())
        .because(reason)
        .fix("Name one of these, or leave `network.subnet` and `network.zone` out to have one chosen.")
}

fn no_way_out(lookup: &Lookup, (why, fix): (String, &str)) -> Diagnostic {
    Diagnostic::error("E0577", "the instance would not reach the internet")
        .at(lookup.origin.clone())
        .because(why)
        .fix(format!(
            "{fix} Where they come by another way, such as VPC endpoints and a mirror, write `network.check_egress: false`."
        ))
}

fn not_offered(
    lookup: &Lookup,
    kind: &str,
    tried: &BTreeSet<String>,
    offering: &BTreeSet<String>,
) -> Diagnostic {
    let list = |zones: &BTreeSet<String>| zones.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let reason = match offering.is_empty() {
        true => "no zone of this region offers it".to_owned(),
        false => format!("it is offered in {}", list(offering)),
    };
    Diagnostic::error("E0559", format!("AWS does not offer {kind} in {}", list(tried)))
        .at(lookup.origin.clone())
        .because(reason)
        .fix("Choose a type that the zone offers, or for a new stack a zone that offers the type.")
}
