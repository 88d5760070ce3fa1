//! VPCs and subnets: they are looked up, never made.

use super::query::{Kind, Query};
use super::tags;
use crate::filters::one;
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use aws_sdk_ec2::operation::describe_subnets::{DescribeSubnetsInput, DescribeSubnetsOutput};
use aws_sdk_ec2::operation::describe_vpcs::{DescribeVpcsInput, DescribeVpcsOutput};
use aws_sdk_ec2::types::{Subnet, SubnetState, Vpc, VpcState};

/// DescribeVpcs.
pub(crate) fn describe_vpcs(
    s: &mut Scene<'_>,
    i: &DescribeVpcsInput,
) -> Result<DescribeVpcsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::Vpc,
        ids: i.vpc_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &[
            "vpc-id",
            "cidr",
            "cidr-block-association.cidr-block",
            "isDefault",
            "is-default",
            "state",
            "owner-id",
        ],
    };
    let all = s.here.vpcs.clone();
    let account = s.account.to_owned();
    let found = query.run(
        s,
        &all,
        |vpc| &vpc.tags,
        |vpc, name| match name {
            "vpc-id" => one(&vpc.id),
            "isDefault" | "is-default" => one(vpc.is_default),
            "state" => one("available"),
            "owner-id" => one(&account),
            _ => one(&vpc.cidr),
        },
    )?;
    let shown = found
        .into_iter()
        .map(|vpc| {
            Vpc::builder()
                .vpc_id(vpc.id)
                .cidr_block(vpc.cidr)
                .is_default(vpc.is_default)
                .state(VpcState::Available)
                .owner_id(s.account)
                .set_tags(Some(tags::show(&vpc.tags)))
                .build()
        })
        .collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeVpcsOutput::builder().set_vpcs(Some(page)).set_next_token(next).build())
}

/// DescribeSubnets.
pub(crate) fn describe_subnets(
    s: &mut Scene<'_>,
    i: &DescribeSubnetsInput,
) -> Result<DescribeSubnetsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::Subnet,
        ids: i.subnet_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &[
            "subnet-id",
            "vpc-id",
            "availability-zone",
            "availabilityZone",
            "default-for-az",
            "defaultForAz",
            "cidr-block",
            "cidr",
            "map-public-ip-on-launch",
            "state",
            "owner-id",
        ],
    };
    let all = s.here.subnets.clone();
    let account = s.account.to_owned();
    let found = query.run(
        s,
        &all,
        |subnet| &subnet.tags,
        |subnet, name| match name {
            "subnet-id" => one(&subnet.id),
            "vpc-id" => one(&subnet.vpc_id),
            "availability-zone" | "availabilityZone" => one(&subnet.zone),
            "default-for-az" | "defaultForAz" => one(subnet.default_for_az),
            "map-public-ip-on-launch" => one(subnet.public),
            "state" => one("available"),
            "owner-id" => one(&account),
            _ => one(&subnet.cidr),
        },
    )?;
    let shown = found
        .into_iter()
        .map(|subnet| {
            Subnet::builder()
                .subnet_arn(s.arn("ec2", &format!("subnet/{}", subnet.id)))
                .subnet_id(subnet.id)
                .vpc_id(subnet.vpc_id)
                .availability_zone(subnet.zone)
                .cidr_block(subnet.cidr)
                .default_for_az(subnet.default_for_az)
                .map_public_ip_on_launch(subnet.public)
                .available_ip_address_count(251 - i32::try_from(subnet.handed_out).unwrap_or(251))
                .state(SubnetState::Available)
                .owner_id(s.account)
                .set_tags(Some(tags::show(&subnet.tags)))
                .build()
        })
        .collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeSubnetsOutput::builder().set_subnets(Some(page)).set_next_token(next).build())
}
