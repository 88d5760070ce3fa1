//! What a world and a region hold before anybody has done anything.

use super::{
    ACCOUNT, FORMAT, Group, Iam, Image, Key, KeyPair, Kms, Peer, Random, Region, Route53, Rule, Subnet, Tags,
    Vpc, World, Zone,
};
use std::collections::BTreeMap;

impl World {
    /// A world without any region yet; regions come into being when they are asked for.
    pub fn new(seed: u64) -> Self {
        World {
            format: FORMAT,
            revision: 0,
            account: ACCOUNT.to_owned(),
            seed,
            now: 0,
            random: Random::seeded(seed),
            young: BTreeMap::new(),
            iam: Iam::default(),
            s3: super::S3::default(),
            route53: hosted_zones(),
            regions: BTreeMap::new(),
        }
    }
}

/// The public zone of the production stack. Nothing here is drawn by lot, so that the ids of
/// everything else do not depend on it.
fn hosted_zones() -> Route53 {
    let zone = Zone::new("Z0LIGHTHOUSE000000001", "ultravioletadao.xyz.", false);
    Route53 { zones: BTreeMap::from([(zone.id.clone(), zone)]), changes: BTreeMap::new() }
}

/// A customer's key, for stacks that name one.
fn keys(region: &str) -> Kms {
    let id = "11111111-2222-4333-8444-555555555555".to_owned();
    let key = Key {
        arn: format!("arn:aws:kms:{region}:{ACCOUNT}:key/{id}"),
        id: id.clone(),
        state: "Enabled".to_owned(),
        usage: "ENCRYPT_DECRYPT".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
    };
    let aliases = BTreeMap::from([("alias/lighthouse".to_owned(), id.clone())]);
    Kms { keys: BTreeMap::from([(id, key)]), aliases }
}

/// A region with its default VPC, the Lighthouse production network, key pairs and images.
pub(super) fn region(name: &str, random: &mut Random) -> Region {
    let letters = if name == "us-east-1" { "abcdef" } else { "abcd" };
    let mut region = Region {
        zones: letters.chars().map(|letter| format!("{name}{letter}")).collect(),
        kms: keys(name),
        ..Region::default()
    };
    default_network(&mut region, random);
    production_network(&mut region, random);
    for key in ["lighthouse-dev", "lighthouse-prod"] {
        key_pair(&mut region, random, key);
    }
    images(&mut region, random);
    region
}

/// A default VPC has a public subnet in each zone:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html>.
fn default_network(region: &mut Region, random: &mut Random) {
    let vpc_id = vpc(region, random, "172.31.0.0/16", None);
    for (index, zone) in region.zones.clone().into_iter().enumerate() {
        let id = random.id("subnet");
        let subnet = Subnet {
            id: id.clone(),
            vpc_id: vpc_id.clone(),
            zone,
            cidr: format!("172.31.{}.0/20", index * 16),
            default_for_az: true,
            public: true,
            handed_out: 0,
            default_route: Some("igw-0000000000000000a".to_owned()),
            tags: Tags::new(),
        };
        region.subnets.insert(id, subnet);
    }
}

fn production_network(region: &mut Region, random: &mut Random) {
    let vpc_id = vpc(region, random, "10.0.0.0/16", Some("lighthouse-prod-vpc"));
    let id = random.id("subnet");
    let zone = region.zones.first().cloned().unwrap_or_default();
    let subnet = Subnet {
        id: id.clone(),
        vpc_id: vpc_id.clone(),
        zone,
        cidr: "10.0.1.0/24".to_owned(),
        default_for_az: false,
        public: false,
        handed_out: 0,
        default_route: Some("nat-0000000000000000a".to_owned()),
        tags: named("lighthouse-prod-private-subnet"),
    };
    region.subnets.insert(id, subnet);
    let mut backend = group(random, &vpc_id, "lighthouse-prod-backend-sg", "Lighthouse backend");
    backend.tags = named("lighthouse-prod-backend-sg");
    region.groups.insert(backend.id.clone(), backend);
}

fn vpc(region: &mut Region, random: &mut Random, cidr: &str, name: Option<&str>) -> String {
    let id = random.id("vpc");
    let made = Vpc {
        id: id.clone(),
        cidr: cidr.to_owned(),
        is_default: name.is_none(),
        tags: name.map(named).unwrap_or_default(),
    };
    region.vpcs.insert(id.clone(), made);
    let default = group(random, &id, "default", "default VPC security group");
    region.groups.insert(default.id.clone(), default);
    id
}

/// A new group lets everything out and nothing in:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>.
pub(crate) fn group(random: &mut Random, vpc_id: &str, name: &str, description: &str) -> Group {
    let rule = Rule {
        id: random.id("sgr"),
        egress: true,
        protocol: "-1".to_owned(),
        from_port: -1,
        to_port: -1,
        peer: Peer::Ipv4("0.0.0.0/0".to_owned()),
        description: None,
        tags: Tags::new(),
    };
    Group {
        id: random.id("sg"),
        name: name.to_owned(),
        description: description.to_owned(),
        vpc_id: vpc_id.to_owned(),
        rules: BTreeMap::from([(rule.id.clone(), rule)]),
        tags: Tags::new(),
    }
}

fn key_pair(region: &mut Region, random: &mut Random, name: &str) {
    let pair = KeyPair {
        id: random.id("key"),
        name: name.to_owned(),
        kind: "ed25519".to_owned(),
        fingerprint: format!("SHA256:{:016x}{:016x}", random.bits(), random.bits()),
        public_key: None,
        tags: Tags::new(),
        created_at: 0,
    };
    region.key_pairs.insert(pair.name.clone(), pair);
}

/// Canonical's account, which owns the Ubuntu images:
/// <https://documentation.ubuntu.com/aws/en/latest/aws-how-to/instances/find-ubuntu-images/>.
const CANONICAL: &str = "099720109477";

fn images(region: &mut Region, random: &mut Random) {
    for (release, architecture) in
        [("jammy-22.04", "arm64"), ("noble-24.04", "arm64"), ("noble-24.04", "x86_64")]
    {
        let suffix = if architecture == "arm64" { "arm64" } else { "amd64" };
        let image = Image {
            id: random.id("ami"),
            name: format!("ubuntu/images/hvm-ssd-gp3/ubuntu-{release}-{suffix}-server-20250101"),
            owner: CANONICAL.to_owned(),
            architecture: architecture.to_owned(),
            root_device: "/dev/sda1".to_owned(),
            root_size: 8,
            created: "2025-01-01T00:00:00.000Z".to_owned(),
        };
        region.images.insert(image.id.clone(), image);
    }
}

fn named(name: &str) -> Tags {
    Tags::from([("Name".to_owned(), name.to_owned())])
}
