//! The security group with a rule for each source, and the Elastic IP.

use lh_model::{Origin, Resource};
use serde_json::json;

use super::{
    lookups::{self, found},
    reference, resource, tags,
};
use crate::stack::{Placed, Source, Stack};

/// The resources of `stack`'s network.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let mut resources = vec![security_group(stack)];
    let postgres = stack.network.allow_postgres_from.iter();
    resources.extend(postgres.map(|source| rule(stack, "postgres", 5432, source)));
    let ssh = stack.ssh.allow_from.iter();
    resources.extend(ssh.map(|source| rule(stack, "ssh", 22, source)));
    if stack.network.public_ip.value {
        resources.extend(elastic_ip(stack, &stack.network.public_ip.origin));
    }
    resources
}

fn security_group(stack: &Stack) -> Resource {
    let vpc = &stack.network.vpc.origin;
    let mut group = resource(
        "security_group",
        "main",
        vpc,
        json!({
            "name": stack.prefix(),
            "description": format!("TimescaleDB server of the stack {}", stack.id()),
            "vpc_id": found("network", "vpc_id"),
            "tags": tags(stack, &stack.prefix()),
        }),
    );
    group.origins = [("vpc_id".to_owned(), vpc.clone())].into();
    group
}

/// The rule for one source: a network, or the members of a security group. A group is shown with its
/// own name beside the rule; what a network is let in for is said by a description.
fn rule(stack: &Stack, service: &str, port: u16, source: &Placed<Source>) -> Resource {
    let what = if port == 22 { "SSH" } else { "PostgreSQL" };
    let (name, field, value, description) = match &source.value {
        Source::Cidr(cidr) => (cidr.clone(), "cidr", json!(cidr), Some(what)),
        Source::SecurityGroup(group) => {
            (lookups::fit(group), "source_group", found(&lookups::group_name(group), "id"), None)
        }
    };
    let mut rule = resource(
        "security_group_rule",
        &format!("{service}-{name}"),
        &source.origin,
        json!({
            "group_id": reference("security_group", "main", "id"),
            "protocol": "tcp",
            "port": port,
            field: value,
            "description": description,
            "tags": tags(stack, &stack.prefix()),
        }),
    );
    rule.origins = [(field.to_owned(), source.origin.clone())].into();
    rule
}

fn elastic_ip(stack: &Stack, origin: &Origin) -> [Resource; 2] {
    let association = json!({
        "allocation_id": reference("elastic_ip", "main", "id"),
        "instance_id": reference("instance", "main", "id"),
    });
    [
        resource("elastic_ip", "main", origin, json!({ "tags": tags(stack, &stack.prefix()) })),
        resource("elastic_ip_association", "main", origin, association),
    ]
}
