//! Networks, security groups, key pairs and addresses, as the world keeps them.

use super::{Millis, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A virtual private cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vpc {
    /// The id, `vpc-…`.
    pub id: String,
    /// The address block.
    pub cidr: String,
    /// Whether it is the region's default VPC.
    pub is_default: bool,
    /// Tags.
    pub tags: Tags,
}

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subnet {
    /// The id, `subnet-…`.
    pub id: String,
    /// The VPC it is in.
    pub vpc_id: String,
    /// The zone it is in.
    pub zone: String,
    /// The address block; the simulation hands out addresses by its first three numbers.
    pub cidr: String,
    /// Whether it is the default subnet of its zone.
    pub default_for_az: bool,
    /// Whether instances get a public address unless they say otherwise.
    pub public: bool,
    /// How many addresses were handed out.
    pub handed_out: u32,
    /// Where its default route leads, `igw-…` or `nat-…`; none without one.
    #[serde(default)]
    pub default_route: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// The id, `sg-…`.
    pub id: String,
    /// The name, unique in its VPC.
    pub name: String,
    /// The description.
    pub description: String,
    /// The VPC.
    pub vpc_id: String,
    /// The rules by id, both directions.
    pub rules: BTreeMap<String, Rule>,
    /// Tags.
    pub tags: Tags,
}

/// One rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The id, `sgr-…`.
    pub id: String,
    /// Whether it is about traffic that leaves.
    pub egress: bool,
    /// `tcp`, `udp`, `icmp`, a protocol number, or `-1` for all.
    pub protocol: String,
    /// The first port (-1 for all).
    pub from_port: i32,
    /// The last port (-1 for all).
    pub to_port: i32,
    /// The other side.
    pub peer: Peer,
    /// The description.
    pub description: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// An IPv4 block.
    Ipv4(String),
    /// An IPv6 block.
    Ipv6(String),
    /// Another security group, by id.
    Group(String),
    /// A prefix list, by id.
    PrefixList(String),
}

/// A key pair; only its public half is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyPair {
    /// The id, `key-…`.
    pub id: String,
    /// The name, unique in the region.
    pub name: String,
    /// `rsa` or `ed25519`.
    pub kind: String,
    /// The fingerprint.
    pub fingerprint: String,
    /// The public key as it was imported.
    pub public_key: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was imported.
    pub created_at: Millis,
}

/// An elastic IP address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Address {
    /// The allocation id, `eipalloc-…`.
    pub id: String,
    /// The address.
    pub public_ip: String,
    /// What it is associated with.
    pub association: Option<Association>,
    /// Tags.
    pub tags: Tags,
}

/// The association of an address with an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// The id, `eipassoc-…`.
    pub id: String,
    /// The instance.
    pub instance_id: String,
}
