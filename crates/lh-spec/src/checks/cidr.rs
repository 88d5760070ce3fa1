//! IPv4 networks as sources of a security group rule.

use std::net::IpAddr;

use ipnet::IpNet;

use super::wrong;
use crate::{codes, reader::Checked, reader::clip};

/// Networks shorter than this take in more than one /8: nobody's office.
const WIDEST: u8 = 8;

/// A network that may reach `port`. `allow_public` says that the whole Internet is meant.
pub(crate) fn source(text: &str, port: u16, allow_public: bool) -> Checked<String> {
    let Ok(network) = text.parse::<IpNet>() else { return malformed(text) };
    if network.trunc() != network {
        return host_bits(text, network);
    }
    if network.prefix_len() < WIDEST && !allow_public {
        return public(text, port);
    }
    if let IpNet::V6(_) = network {
        return wrong(
            codes::IPV6,
            format!("`{text}` is an IPv6 network"),
            "The server gets an IPv4 address only, so nobody could reach it by IPv6",
            "Write the IPv4 network; `curl -4 https://checkip.amazonaws.com` tells your own address.",
        );
    }
    Ok(network.to_string())
}

fn malformed(text: &str) -> Checked<String> {
    let reason = "A source is an IPv4 network in CIDR notation: four numbers from 0 to 255, a slash, a prefix length from 0 to 32";
    let fix = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => format!("Write `{address}/32` for this one address."),
        _ => "Write it like `203.0.113.7/32`; another security group is written `{ security_group: NAME }`."
            .to_owned(),
    };
    wrong(codes::CIDR, format!("`{}` is not a CIDR block", clip(text)), reason, fix)
}

fn host_bits(text: &str, network: IpNet) -> Checked<String> {
    let (meant, host) = (network.trunc(), IpNet::from(network.addr()));
    wrong(
        codes::HOST_BITS,
        format!("`{text}` has host bits set"),
        format!("{} is a host inside the network {meant}", network.addr()),
        format!("Write `{meant}` for the network, or `{host}` for the one host."),
    )
}

fn public(text: &str, port: u16) -> Checked<String> {
    let service = if port == 22 { "SSH" } else { "PostgreSQL" };
    wrong(
        codes::PUBLIC,
        format!("`{text}` opens {service} (port {port}) to the Internet"),
        "Anyone could try passwords and exploits against it; bots find open ports within minutes",
        "Name the addresses that need it, such as `203.0.113.7/32`; if it is meant, add `allow_public: true` beside the list.",
    )
}
