//! ChangeResourceRecordSets: all changes of a batch, or none of them.

use super::{find, invalid, tidy};
use crate::clock::date;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{RecordSet, Zone};
use aws_sdk_route53::operation::change_resource_record_sets::{
    ChangeResourceRecordSetsInput, ChangeResourceRecordSetsOutput,
};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeInfo, ChangeStatus, ResourceRecordSet};
use std::net::Ipv4Addr;

fn refused(message: impl AsRef<str>) -> ApiError {
    ApiError::new("InvalidChangeBatch", format!("[{}]", message.as_ref()))
}

/// ChangeResourceRecordSets:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>.
pub(super) fn change(
    s: &mut Scene<'_>,
    i: &ChangeResourceRecordSetsInput,
) -> Result<ChangeResourceRecordSetsOutput, ApiError> {
    let changes = i.change_batch.as_ref().map(|batch| batch.changes.as_slice()).unwrap_or_default();
    if changes.is_empty() {
        return Err(invalid("A change batch has at least one change."));
    }
    let zone = find(s, &i.hosted_zone_id)?;
    // "The batch is processed as one transaction": on a copy, which takes the zone's place at the end.
    let mut after = zone.clone();
    for change in changes {
        apply(&mut after, change)?;
    }
    after.records.sort_by_key(RecordSet::place);
    *zone = after;
    let (id, now) = (s.random.iam_id("C"), s.now);
    s.route53.changes.insert(id.clone(), now);
    let info = ChangeInfo::builder()
        .id(format!("/change/{id}"))
        .status(ChangeStatus::Pending)
        .submitted_at(date(now))
        .build()?;
    Ok(ChangeResourceRecordSetsOutput::builder().change_info(info).build())
}

fn apply(zone: &mut Zone, change: &Change) -> Result<(), ApiError> {
    let Some(given) = &change.resource_record_set else { return Err(invalid("A change names a record.")) };
    let record = taken(given)?;
    let label = format!("resource record set [name='{}', type='{}']", record.name, record.kind);
    if record.name != zone.name && !record.name.ends_with(&format!(".{}", zone.name)) {
        let (name, zone) = (&record.name, &zone.name);
        return Err(refused(format!("RRSet with DNS name {name} is not permitted in zone {zone}")));
    }
    let place = record.place();
    let at = zone.records.iter().position(|one| one.place() == place);
    match (&change.action, at) {
        (ChangeAction::Create, Some(_)) => {
            return Err(refused(format!("Tried to create {label} but it already exists")));
        }
        (ChangeAction::Delete, None) => {
            return Err(refused(format!("Tried to delete {label} but it was not found")));
        }
        (ChangeAction::Delete, Some(at)) => {
            if zone.records[at] != record {
                return Err(refused(format!(
                    "Tried to delete {label} but the values provided do not match the current values"
                )));
            }
            if record.name == zone.name && ["NS", "SOA"].contains(&record.kind.as_str()) {
                let kind = &record.kind;
                return Err(refused(format!("A HostedZone must contain at least one {kind} record")));
            }
            zone.records.remove(at);
        }
        (_, at) => {
            check(zone, &record)?;
            match at {
                Some(at) => zone.records[at] = record,
                None => zone.records.push(record),
            }
        }
    }
    Ok(())
}

fn taken(given: &ResourceRecordSet) -> Result<RecordSet, ApiError> {
    let values = given.resource_records.as_deref().unwrap_or_default();
    let alias = given.alias_target.as_ref().map(|alias| alias.dns_name.clone());
    if alias.is_none() && (values.is_empty() || given.ttl.is_none()) {
        return Err(invalid(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none",
        ));
    }
    if given.ttl.is_some_and(|ttl| !(0..=2_147_483_647).contains(&ttl)) {
        return Err(invalid("A TTL is 0 to 2147483647 seconds."));
    }
    Ok(RecordSet {
        name: tidy(&given.name),
        kind: given.r#type.as_str().to_owned(),
        ttl: given.ttl,
        values: values.iter().map(|value| value.value.clone()).collect(),
        set_identifier: given.set_identifier.clone(),
        alias,
    })
}

/// What DNS and Route 53 refuse: wrong values, and a CNAME beside anything else.
fn check(zone: &Zone, record: &RecordSet) -> Result<(), ApiError> {
    for value in &record.values {
        let fits = match record.kind.as_str() {
            "A" => value.parse::<Ipv4Addr>().is_ok(),
            "TXT" => value.len() >= 2 && value.starts_with('"') && value.ends_with('"') && value.len() <= 257,
            _ => true,
        };
        if !fits {
            return Err(refused(format!(
                "Invalid Resource Record: 'FATAL problem: {}RDATAIllegal encountered with '{value}''",
                record.kind
            )));
        }
    }
    let alone = |kind: &str| kind == "CNAME";
    let rival = zone.records.iter().find(|one| {
        one.name == record.name && one.kind != record.kind && (alone(&one.kind) || alone(&record.kind))
    });
    match rival {
        Some(rival) => Err(refused(format!(
            "RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of type {} with the same DNS name already exists in zone {}",
            record.kind, record.name, rival.kind, zone.name
        ))),
        None => Ok(()),
    }
}
