//! Where packets from a subnet to the internet go.

use aws_sdk_ec2::types::{RouteState, RouteTable};
use lh_kind::CloudError;

use super::Inspector;
use crate::{error::Named, kinds::ec2::query::filter};

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

impl Inspector {
    /// The way out of `subnet` in `vpc`: by its own route table, else by the main one of the VPC.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn way_out(&self, vpc: &str, subnet: &str) -> Result<WayOut, CloudError> {
        let request = self.clients.ec2.describe_route_tables().filters(filter("vpc-id", [vpc.to_owned()]));
        let pages = request.into_paginator().items().send();
        let tables: Vec<RouteTable> = pages.try_collect().await.named("ec2:DescribeRouteTables")?;
        let of_subnet =
            |table: &&RouteTable| table.associations().iter().any(|one| one.subnet_id() == Some(subnet));
        let is_main = |table: &&RouteTable| table.associations().iter().any(|one| one.main() == Some(true));
        let table = tables.iter().find(of_subnet).or_else(|| tables.iter().find(is_main));
        Ok(table.map_or(WayOut::None, default_route))
    }
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
