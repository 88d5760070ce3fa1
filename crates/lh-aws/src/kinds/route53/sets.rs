//! Record sets of a hosted zone: how they are read, and the text record beside a record that says
//! whose it is, since records take no tags.

use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use aws_smithy_types::error::operation::BuildError;
use lh_kind::{CloudError, ErrorKind};

use crate::{
    clients::Clients,
    error::Named,
    kinds::{Tags, labels::Labels},
};

/// The operation, for [`lh_kind::Calls`].
pub(crate) const LIST: &str = "route53:ListResourceRecordSets";
/// The operation, for [`lh_kind::Calls`].
pub(crate) const CHANGE: &str = "route53:ChangeResourceRecordSets";
/// How the text of a marker begins.
const HERITAGE: &str = "heritage=lhctl";

/// A name as it is compared: lower-case, without the dot at its end.
pub(crate) fn tidy(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// The name of the text record that marks the record `name`. It sorts right behind it, so that
/// one page of the list has both.
pub(crate) fn marker_name(name: &str) -> String {
    format!("_lhctl.{}", tidy(name))
}

/// The value of the text record that says whose a record is.
pub(crate) fn marker_text(ownership: &Tags) -> String {
    let tags: String = ownership.iter().map(|(key, value)| format!(",{key}={value}")).collect();
    format!("\"{HERITAGE}{tags}\"")
}

/// What the marker of `name` among `sets` says; nothing where there is none.
pub(crate) fn labels(sets: &[ResourceRecordSet], name: &str) -> Labels {
    let texts = sets
        .iter()
        .filter(|set| set.r#type == RrType::Txt && tidy(&set.name) == marker_name(name))
        .flat_map(|set| set.resource_records().iter().map(|record| record.value.trim_matches('"')));
    let marker = texts.filter_map(|text| text.strip_prefix(HERITAGE)).next().unwrap_or_default();
    let pairs = marker.split(',').filter_map(|pair| pair.split_once('='));
    Labels::new(pairs.map(|(key, value)| (Some(key), Some(value))))
}

/// A plain record with one value.
///
/// # Errors
/// Never; the SDK's builder says it could.
pub(crate) fn set(name: &str, kind: RrType, ttl: i64, value: &str) -> Result<ResourceRecordSet, CloudError> {
    let wrong = |error: BuildError| CloudError::new(ErrorKind::Other, CHANGE, error.to_string());
    let record = ResourceRecord::builder().value(value).build().map_err(wrong)?;
    let set = ResourceRecordSet::builder().name(tidy(name)).r#type(kind).ttl(ttl).resource_records(record);
    set.build().map_err(wrong)
}

/// The sets of a zone: those at `name` and below it, or all without a name. A zone that is gone
/// has none.
///
/// # Errors
/// When Route 53 cannot be asked.
pub(crate) async fn read(
    clients: &Clients,
    zone: &str,
    name: Option<&str>,
) -> Result<Vec<ResourceRecordSet>, CloudError> {
    let below = |set: &ResourceRecordSet| {
        let set = tidy(&set.name);
        name.is_none_or(|name| set == tidy(name) || set.ends_with(&format!(".{}", tidy(name))))
    };
    let mut all: Vec<ResourceRecordSet> = Vec::new();
    let mut request = clients.route53.list_resource_record_sets().hosted_zone_id(zone);
    request = request.set_start_record_name(name.map(tidy));
    loop {
        let page = match request.clone().send().await.named(LIST) {
            Ok(page) => page,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(all),
            Err(error) => return Err(error),
        };
        let more = page.is_truncated && page.resource_record_sets.last().is_some_and(below);
        all.extend(page.resource_record_sets);
        if !more {
            return Ok(all);
        }
        request = request
            .set_start_record_name(page.next_record_name)
            .set_start_record_type(page.next_record_type)
            .set_start_record_identifier(page.next_record_identifier);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_says_whose_a_record_is() {
        let tags = Tags::from([
            ("lhctl:id".into(), "abc".into()),
            ("lhctl:resource".into(), "dns_record.database".into()),
            ("lhctl:stack".into(), "lighthouse-prod".into()),
        ]);
        let text = marker_text(&tags);
        assert!(text.len() <= 255 && text.starts_with('"') && text.ends_with('"'));
        let marker = set("_lhctl.DB.example.com.", RrType::Txt, 60, &text).unwrap();
        let found = labels(&[marker], "db.example.com");
        assert_eq!(found.get("lhctl:stack"), Some("lighthouse-prod"));
        assert!(labels(&[], "db.example.com").get("lhctl:stack").is_none());
    }
}
