//! `security_group/NAME {group, vpc}` → `{id, vpc_id}`: a group of the stack's VPC, by its name,
//! its `Name` tag or its id. All that a stack names are read by one call. Once found they are kept
//! as long as they exist, which the question about the stack's own group tells too.

use std::sync::Arc;

use aws_sdk_ec2::types::SecurityGroup;
use futures_util::FutureExt;
use lh_kind::{CloudError, Probe};
use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, nearest, network, pinned, texts};
use crate::{
    clients::Clients,
    error::Named,
    kinds::ec2::{query::filter, security_group},
};

/// What it may call.
pub(super) const CALLS: &[&str] = &["ec2:DescribeVpcs", "ec2:DescribeSecurityGroups"];

/// Answers it.
pub(super) async fn answer(clients: &Clients, probe: &Probe) -> Result<Map, Diagnostic> {
    let lookup = &probe.lookup;
    let told = |error: CloudError| failed(lookup, &error);
    if let (Some(id), Some(answer)) = (pinned(probe, "id"), &probe.pinned) {
        let groups = security_group::read_ids(clients, [id.to_owned()]).await.map_err(told)?;
        if groups.iter().any(|group| group.group_id() == Some(id)) {
            return Ok(answer.clone());
        }
    }
    let vpc = match pinned(probe, "vpc_id") {
        Some(vpc) => vpc.to_owned(),
        None => find_vpc(clients, lookup).await?,
    };
    let groups = read(clients, &vpc).await.map_err(told)?;
    let found = choose(lookup, &vpc, &groups).map_err(|finding| *finding)?;
    Ok(texts([("id", found.group_id().unwrap_or_default()), ("vpc_id", &vpc)]))
}

/// The stack's VPC. Where it is missing or not the only one, the network's lookup says so, at the
/// line that names it.
async fn find_vpc(clients: &Clients, lookup: &Lookup) -> Result<String, Diagnostic> {
    let vpcs = network::read_vpcs(clients, Some(network::vpc_filter(lookup))).await;
    match vpcs.map_err(|error| failed(lookup, &error))?.as_slice() {
        [vpc] => Ok(vpc.vpc_id().unwrap_or_default().to_owned()),
        _ => Err(Diagnostic::error("E0563", "the VPC to look for this security group in is not known")
            .at(lookup.origin.clone())
            .because("the name in `network.vpc` does not stand for exactly one VPC")
            .fix("Mend `network.vpc` first; a finding of its own says how.")),
    }
}

/// All groups of a VPC; asked once for all that a stack names.
async fn read(clients: &Clients, vpc: &str) -> Result<Vec<SecurityGroup>, CloudError> {
    let question = filter("vpc-id", [vpc.to_owned()]);
    let text = clients.reads.text(&question);
    let request = clients.ec2.describe_security_groups().filters(question);
    let ask = async move {
        let groups: Result<Vec<SecurityGroup>, _> =
            request.into_paginator().items().send().try_collect().await.named(CALLS[1]);
        groups.map(Arc::new)
    };
    Ok(clients.reads.groups.join(text, ask.boxed()).await?.as_ref().clone())
}

/// By id or name, which are unique in a VPC; else by `Name` tag, which need not be.
fn choose<'a>(
    lookup: &Lookup,
    vpc: &str,
    groups: &'a [SecurityGroup],
) -> Result<&'a SecurityGroup, Box<Diagnostic>> {
    let wanted = asked(lookup, "group").unwrap_or_default();
    let exact = |group: &&SecurityGroup| [group.group_id(), group.group_name()].contains(&Some(wanted));
    if let Some(group) = groups.iter().find(exact) {
        return Ok(group);
    }
    let tagged: Vec<&SecurityGroup> =
        groups.iter().filter(|group| network::name_in(group.tags()).as_deref() == Some(wanted)).collect();
    match tagged.as_slice() {
        [group] => Ok(group),
        [] => {
            let names = groups.iter().filter_map(|group| group.group_name().map(str::to_owned));
            let there = nearest(wanted, names).unwrap_or_default();
            let finding =
                Diagnostic::error("E0563", format!("the VPC {vpc} has no security group `{wanted}`"))
                    .at(lookup.origin.clone())
                    .because(format!("it has {there}"))
                    .fix("Name one of these, by its name, its Name tag or its id, or create it first.");
            Err(Box::new(finding))
        }
        several => {
            let ids = nearest("", several.iter().filter_map(|group| group.group_id().map(str::to_owned)));
            let message = format!("{} security groups have the Name tag `{wanted}`", several.len());
            let finding = Diagnostic::error("E0564", message)
                .at(lookup.origin.clone())
                .because(format!("they are {}", ids.unwrap_or_default()))
                .fix("Name the one that is meant by its id, `sg-…`.");
            Err(Box::new(finding))
        }
    }
}
