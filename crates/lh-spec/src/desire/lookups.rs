//! What must exist already, and is only looked up.

use std::collections::BTreeMap;

use lh_model::{Address, Lookup, Origin, identity::sha256};
use serde_json::{Value, json};

use super::{dns, key_pair, lookup, password, text_or_null};
use crate::stack::{Source, Stack};

/// All lookups of `stack`.
pub(super) fn all(stack: &Stack) -> Vec<Lookup> {
    let instance_type = &stack.instance.r#type.value.name;
    let network = &stack.network;
    let public = network.public_ip.value;
    let mut lookups = vec![
        lookup("caller", stack.account.as_ref().map_or(&stack.origin, |account| &account.origin), json!({})),
        lookup(
            "image",
            &stack.instance.image.origin,
            json!({ "image": stack.instance.image.value, "instance_type": instance_type }),
        ),
        lookup(
            "network",
            // The narrowest place is what a failure is most often about.
            network.subnet.as_ref().map_or(&network.vpc.origin, |subnet| &subnet.origin),
            json!({
                "vpc": network.vpc.value,
                "subnet": text_or_null(network.subnet.as_ref()),
                "zone": text_or_null(network.zone.as_ref()),
                "instance_type": instance_type,
                "egress": network.check_egress.then_some(if public { "public" } else { "private" }),
            }),
        ),
    ];
    lookups.extend(key_pair::looked_up(stack));
    lookups.extend(password::looked_up(stack));
    lookups.extend(super::monitoring::topic_lookup(stack));
    lookups.extend(super::backup::lookups(stack));
    lookups.extend(dns::zone(stack));
    lookups.extend(keys(stack));
    lookups.extend(groups(stack));
    lookups
}

/// The KMS keys that the stack names, each once.
fn keys(stack: &Stack) -> Vec<Lookup> {
    let named = stack.volume.kms_key.iter().chain(&stack.database.password.kms_key);
    let once: BTreeMap<&str, &Origin> = named.map(|key| (key.value.as_str(), &key.origin)).collect();
    let region = &stack.region.value;
    let one = |(key, origin): (&str, &Origin)| {
        lookup(&key_name(key), origin, json!({ "key": key, "region": region }))
    };
    once.into_iter().map(one).collect()
}

/// The security groups that the stack names, each once.
fn groups(stack: &Stack) -> Vec<Lookup> {
    let sources = stack.network.allow_postgres_from.iter().chain(&stack.ssh.allow_from);
    let named = sources.filter_map(|source| match &source.value {
        Source::SecurityGroup(group) => Some((group.as_str(), &source.origin)),
        Source::Cidr(_) => None,
    });
    let further = stack.network.security_groups.iter().map(|group| (group.value.as_str(), &group.origin));
    let once: BTreeMap<&str, &Origin> = further.chain(named).collect();
    let vpc = &stack.network.vpc.value;
    let one = |(group, origin): (&str, &Origin)| {
        lookup(&group_name(group), origin, json!({ "group": group, "vpc": vpc }))
    };
    once.into_iter().map(one).collect()
}

/// The name of the lookup of a security group.
pub(super) fn group_name(group: &str) -> String {
    format!("security_group/{}", fit(group))
}

/// The name of the lookup of a KMS key.
pub(super) fn key_name(key: &str) -> String {
    format!("kms_key/{}", fit(key))
}

/// `name` as a part of an address. What an address cannot hold is replaced, and then a digest tells
/// apart what would read the same.
pub(super) fn fit(name: &str) -> String {
    let address = Address::new("lookup", name);
    if address.name() == name {
        return name.to_owned();
    }
    format!("{}-{}", address.name(), &sha256(name.as_bytes())[..8])
}

/// The attribute of a lookup.
pub(super) fn found(name: &str, attribute: &str) -> Value {
    super::reference("lookup", name, attribute)
}
