//! Where packets from a subnet to the internet go.

use aws_sdk_ec2::types::{RouteState, RouteTable};
use futures_util::future::join;
use lh_kind::CloudError;

use super::Inspector;
use crate::{Clients, error::Named, kinds::ec2::query::filter};

/// What an instance that is cut off misses.
const NEEDS: &str = "the instance fetches its packages and the database's image from there";

/// The way out of a subnet: the target of its default route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOut {
    /// An internet gateway: only what has a public address gets out.
    Gateway(String),
    /// A NAT gateway, or something else that the packets are handed to.
    Through(String),
    /// The route's target is gone.
    Blackhole(String),
    /// There is no route.
    None,
}

impl WayOut {
    /// Why an instance in `subnet` does not reach the internet, and what to do; nothing if it does.
    pub fn obstacle(&self, subnet: &str, has_public_address: bool) -> Option<(String, &'static str)> {
        match self {
            Self::Through(_) => None,
            Self::Gateway(_) if has_public_address => None,
            Self::Gateway(target) => Some((
                format!(
                    "the subnet {subnet} leads out by {target}, which serves public addresses alone, and the instance has none: {NEEDS}"
                ),
                "Set `network.public_ip: true`, or name a subnet whose default route leads to a NAT gateway.",
            )),
            Self::Blackhole(target) => Some((
                format!("the default route of the subnet {subnet} leads to {target}, which is gone: {NEEDS}"),
                "Replace that route, or name another subnet in `network.subnet`.",
            )),
            Self::None => Some((
                format!("the subnet {subnet} has no way to the internet: {NEEDS}"),
                "Give it a default route to a NAT gateway (or, in a public subnet, set `network.public_ip: true`), or name another subnet in `network.subnet`.",
            )),
        }
    }
}

impl Inspector {
    /// The way out of `subnet` in `vpc`, and whether the subnet gives its instances public addresses.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn way_out(&self, vpc: &str, subnet: &str) -> Result<(WayOut, bool), CloudError> {
        let request = self.clients.ec2.describe_subnets().filters(filter("subnet-id", [subnet.to_owned()]));
        let (tables, found) = join(route_tables(&self.clients, vpc), request.send()).await;
        let found = found.named("ec2:DescribeSubnets")?;
        let gives = found.subnets().iter().any(|one| one.map_public_ip_on_launch() == Some(true));
        Ok((way_out(&tables?, subnet), gives))
    }
}

/// The route tables of a VPC.
pub(crate) async fn route_tables(clients: &Clients, vpc: &str) -> Result<Vec<RouteTable>, CloudError> {
    let request = clients.ec2.describe_route_tables().filters(filter("vpc-id", [vpc.to_owned()]));
    request.into_paginator().items().send().try_collect().await.named("ec2:DescribeRouteTables")
}

/// The way out of `subnet`: by its own route table, else by the main one of its VPC.
pub(crate) fn way_out(tables: &[RouteTable], subnet: &str) -> WayOut {
    let of_subnet =
        |table: &&RouteTable| table.associations().iter().any(|one| one.subnet_id() == Some(subnet));
    let is_main = |table: &&RouteTable| table.associations().iter().any(|one| one.main() == Some(true));
    let table = tables.iter().find(of_subnet).or_else(|| tables.iter().find(is_main));
    table.map_or(WayOut::None, default_route)
}

fn default_route(table: &RouteTable) -> WayOut {
    let Some(route) = table.routes().iter().find(|route| route.destination_cidr_block() == Some("0.0.0.0/0"))
    else {
        return WayOut::None;
    };
    let targets = [
        route.nat_gateway_id(),
        route.gateway_id(),
        route.transit_gateway_id(),
        route.network_interface_id(),
        route.vpc_peering_connection_id(),
        route.carrier_gateway_id(),
    ];
    let target = targets.into_iter().flatten().next().unwrap_or("something else").to_owned();
    match route.state() {
        Some(RouteState::Blackhole) => WayOut::Blackhole(target),
        _ if target.starts_with("igw-") => WayOut::Gateway(target),
        _ => WayOut::Through(target),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Route;

    use super::*;

    fn table(route: Route) -> RouteTable {
        let local = Route::builder().destination_cidr_block("10.0.0.0/16").gateway_id("local").build();
        RouteTable::builder().routes(local).routes(route).build()
    }

    #[test]
    fn the_default_route_says_where_packets_go() {
        let route = || Route::builder().destination_cidr_block("0.0.0.0/0");
        let gone = route().nat_gateway_id("nat-1").state(RouteState::Blackhole).build();
        assert_eq!(default_route(&table(gone)), WayOut::Blackhole("nat-1".into()));
        assert_eq!(
            default_route(&table(route().gateway_id("igw-1").build())),
            WayOut::Gateway("igw-1".into())
        );
        let transit = route().transit_gateway_id("tgw-1").build();
        assert_eq!(default_route(&table(transit)), WayOut::Through("tgw-1".into()));
        let other = Route::builder().destination_cidr_block("10.1.0.0/16").gateway_id("igw-1").build();
        assert_eq!(default_route(&table(other)), WayOut::None);
    }
}
