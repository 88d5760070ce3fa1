//! Route tables, which are only looked at. Each subnet has one of its own, with the local route and
//! its default route.

use crate::filters::{self, NO_TAGS, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::Subnet;
use aws_sdk_ec2::operation::describe_route_tables::{DescribeRouteTablesInput, DescribeRouteTablesOutput};
use aws_sdk_ec2::types::{Route, RouteState, RouteTable, RouteTableAssociation};

/// DescribeRouteTables, by VPC or subnet:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html>.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeRouteTablesInput,
) -> Result<DescribeRouteTablesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let filters = i.filters.as_deref();
    filters::check(filters, &["vpc-id", "association.subnet-id"])?;
    let fits = |subnet: &&Subnet| {
        filters::pass(filters, &NO_TAGS, |name| match name {
            "vpc-id" => one(&subnet.vpc_id),
            _ => one(&subnet.id),
        })
    };
    let tables = s.here.subnets.values().filter(fits).map(|subnet| table(s, subnet)).collect();
    let (page, next) =
        paging::page(tables, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeRouteTablesOutput::builder().set_route_tables(Some(page)).set_next_token(next).build())
}

fn table(s: &Scene<'_>, subnet: &Subnet) -> RouteTable {
    let id = subnet.id.replace("subnet-", "rtb-");
    let route = |to: &str| Route::builder().destination_cidr_block(to).state(RouteState::Active);
    let block = s.here.vpcs.get(&subnet.vpc_id).map_or("", |vpc| vpc.cidr.as_str());
    let association = RouteTableAssociation::builder().subnet_id(&subnet.id).route_table_id(&id).main(false);
    let table = RouteTable::builder()
        .route_table_id(id)
        .vpc_id(&subnet.vpc_id)
        .owner_id(s.account)
        .associations(association.build())
        .routes(route(block).gateway_id("local").build());
    let everywhere = route("0.0.0.0/0");
    match &subnet.default_route {
        Some(target) if target.starts_with("nat-") => table.routes(everywhere.nat_gateway_id(target).build()),
        Some(target) => table.routes(everywhere.gateway_id(target).build()),
        None => table,
    }
    .build()
}
