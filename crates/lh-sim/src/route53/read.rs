//! What reads zones, records and changes.

use super::{find, invalid, tidy};
use crate::clock::{SECOND, date};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{RecordSet, Zone, reversed};
use aws_sdk_route53::operation::get_change::{GetChangeInput, GetChangeOutput};
use aws_sdk_route53::operation::get_hosted_zone::{GetHostedZoneInput, GetHostedZoneOutput};
use aws_sdk_route53::operation::list_hosted_zones_by_name::{
    ListHostedZonesByNameInput, ListHostedZonesByNameOutput,
};
use aws_sdk_route53::operation::list_resource_record_sets::{
    ListResourceRecordSetsInput, ListResourceRecordSetsOutput,
};
use aws_sdk_route53::types::{
    AliasTarget, ChangeInfo, ChangeStatus, HostedZone, HostedZoneConfig, ResourceRecord, ResourceRecordSet,
    RrType,
};

/// "Changes generally propagate to all Route 53 name servers within 60 seconds."
const PROPAGATION: u64 = 30 * SECOND;

fn shown(zone: &Zone) -> Result<HostedZone, ApiError> {
    let count = i64::try_from(zone.records.len()).unwrap_or(i64::MAX);
    Ok(HostedZone::builder()
        .id(format!("/hostedzone/{}", zone.id))
        .name(&zone.name)
        .caller_reference(&zone.id)
        .config(HostedZoneConfig::builder().private_zone(zone.private).build())
        .resource_record_set_count(count)
        .build()?)
}

/// ListHostedZonesByName: zones from this name on, in the order of their reversed names.
pub(super) fn zones(
    s: &mut Scene<'_>,
    i: &ListHostedZonesByNameInput,
) -> Result<ListHostedZonesByNameOutput, ApiError> {
    let from = i.dns_name.as_deref().map(|name| reversed(&tidy(name))).unwrap_or_default();
    let start = (from, i.hosted_zone_id.clone().unwrap_or_default());
    let mut all: Vec<&Zone> = s.route53.zones.values().collect();
    all.retain(|zone| (reversed(&zone.name), zone.id.clone()) >= start);
    all.sort_by_key(|zone| (reversed(&zone.name), zone.id.clone()));
    let size = page_size(i.max_items, 100, s.page_cap());
    let page: Result<Vec<_>, _> = all.iter().take(size).map(|zone| shown(zone)).collect();
    let next = all.get(size);
    Ok(ListHostedZonesByNameOutput::builder()
        .set_hosted_zones(Some(page?))
        .set_dns_name(i.dns_name.clone())
        .is_truncated(next.is_some())
        .set_next_dns_name(next.map(|zone| zone.name.clone()))
        .set_next_hosted_zone_id(next.map(|zone| zone.id.clone()))
        .max_items(i32::try_from(size).unwrap_or(i32::MAX))
        .build()?)
}

fn page_size(asked: Option<i32>, most: usize, cap: Option<u32>) -> usize {
    let asked = asked.map_or(most, |asked| asked.unsigned_abs() as usize).min(most);
    cap.map_or(asked, |cap| asked.min(cap as usize)).max(1)
}

/// GetHostedZone.
pub(super) fn zone(s: &mut Scene<'_>, i: &GetHostedZoneInput) -> Result<GetHostedZoneOutput, ApiError> {
    let zone = find(s, &i.id)?;
    Ok(GetHostedZoneOutput::builder().hosted_zone(shown(zone)?).build())
}

/// ListResourceRecordSets: from a name and type on; it shows changes before they are in sync:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>.
pub(super) fn records(
    s: &mut Scene<'_>,
    i: &ListResourceRecordSetsInput,
) -> Result<ListResourceRecordSetsOutput, ApiError> {
    if i.start_record_type.is_some() && i.start_record_name.is_none() {
        return Err(invalid("A start type needs a start name."));
    }
    let start = (
        i.start_record_name.as_deref().map(|name| reversed(&tidy(name))).unwrap_or_default(),
        i.start_record_type.as_ref().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        i.start_record_identifier.clone(),
    );
    let size = page_size(i.max_items, 300, s.page_cap());
    let zone = find(s, &i.hosted_zone_id)?;
    let from: Vec<&RecordSet> = zone.records.iter().filter(|record| record.place() >= start).collect();
    let page: Result<Vec<_>, _> = from.iter().take(size).map(|record| show(record)).collect();
    let next = from.get(size);
    Ok(ListResourceRecordSetsOutput::builder()
        .set_resource_record_sets(Some(page?))
        .is_truncated(next.is_some())
        .set_next_record_name(next.map(|record| record.name.clone()))
        .set_next_record_type(next.map(|record| RrType::from(record.kind.as_str())))
        .set_next_record_identifier(next.and_then(|record| record.set_identifier.clone()))
        .max_items(i32::try_from(size).unwrap_or(i32::MAX))
        .build()?)
}

fn show(record: &RecordSet) -> Result<ResourceRecordSet, ApiError> {
    let values: Result<Vec<_>, _> =
        record.values.iter().map(|value| ResourceRecord::builder().value(value).build()).collect();
    let alias = match &record.alias {
        Some(name) => Some(
            AliasTarget::builder()
                .dns_name(name)
                .hosted_zone_id("Z000000000000000ALIAS")
                .evaluate_target_health(false)
                .build()?,
        ),
        None => None,
    };
    Ok(ResourceRecordSet::builder()
        .name(&record.name)
        .r#type(RrType::from(record.kind.as_str()))
        .set_ttl(record.ttl)
        .set_resource_records(Some(values?).filter(|values| !values.is_empty()))
        .set_set_identifier(record.set_identifier.clone())
        .set_alias_target(alias)
        .build()?)
}

/// GetChange: pending until all name servers have it.
pub(super) fn change(s: &mut Scene<'_>, i: &GetChangeInput) -> Result<GetChangeOutput, ApiError> {
    let id = i.id.as_deref().unwrap_or_default().trim_start_matches("/change/");
    let Some(submitted) = s.route53.changes.get(id).copied() else {
        return Err(ApiError::with_status(
            404,
            "NoSuchChange",
            format!("Could not find resource with ID: {id}"),
        ));
    };
    let status = if s.now >= submitted + PROPAGATION { ChangeStatus::Insync } else { ChangeStatus::Pending };
    let info = ChangeInfo::builder()
        .id(format!("/change/{id}"))
        .status(status)
        .submitted_at(date(submitted))
        .build()?;
    Ok(GetChangeOutput::builder().change_info(info).build())
}
