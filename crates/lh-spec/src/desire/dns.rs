//! The name under which clients find the server.

use lh_model::{Address, Lookup, Resource};
use serde_json::{Value, json};

use super::{lookup, lookups::found, reference, resource};
use crate::stack::{Dns, Stack};

/// The record, where the stack asks for one: the Elastic IP where there is one, else the private
/// address.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let Some(dns) = &stack.dns else { return Vec::new() };
    let public = stack.network.public_ip.value;
    let value = if public {
        reference("elastic_ip", "main", "public_ip")
    } else {
        reference("instance", "main", "private_ip")
    };
    let mut record = resource(
        "dns_record",
        "database",
        &dns.record.origin,
        json!({
            "zone_id": found("hosted_zone", "id"),
            "name": name(dns),
            "value": value,
            "ttl": dns.ttl.value,
            "marked": true,
        }),
    );
    record.origins = [
        ("zone_id".to_owned(), dns.zone.origin.clone()),
        ("ttl".to_owned(), dns.ttl.origin.clone()),
        ("value".to_owned(), stack.network.public_ip.origin.clone()),
    ]
    .into();
    if public {
        // The name leads to the server only once the address does.
        record.after = [Address::new("elastic_ip_association", "main")].into();
    }
    vec![record]
}

/// The hosted zone, which must exist.
pub(super) fn zone(stack: &Stack) -> Option<Lookup> {
    let dns = stack.dns.as_ref()?;
    let query = json!({ "zone": dns.zone.value, "record": name(dns) });
    Some(lookup("hosted_zone", &dns.zone.origin, query))
}

/// The record's name, as resolvers write it: lower-case, without a dot at its end.
fn name(dns: &Dns) -> String {
    dns.record.value.trim_end_matches('.').to_lowercase()
}

/// The host that clients connect to: the record where there is one.
pub(super) fn host(stack: &Stack) -> Option<Value> {
    stack.dns.as_ref().map(|dns| json!(name(dns)))
}
