//! Lists of objects and of their versions, in pages, in the order of the keys' UTF-8 bytes.

use super::bucket;
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::{Limits, page};
use crate::scene::Scene;
use aws_sdk_s3::operation::list_object_versions::{ListObjectVersionsInput, ListObjectVersionsOutput};
use aws_sdk_s3::operation::list_objects_v2::{ListObjectsV2Input, ListObjectsV2Output};
use aws_sdk_s3::types::{DeleteMarkerEntry, Object, ObjectVersion};

/// "Returns some or all (up to 1,000) of the objects in a bucket":
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
const LIMITS: Limits = Limits { least: 0, most: 1000, usual: 1000 };

fn unsupported(what: &str) -> ApiError {
    let message = format!("The simulation does not know the parameter {what} of list operations.");
    ApiError::with_status(501, "NotImplemented", message)
}

/// ListObjectsV2, without delimiters.
pub(super) fn objects(s: &mut Scene<'_>, i: &ListObjectsV2Input) -> Result<ListObjectsV2Output, ApiError> {
    if i.delimiter.is_some() {
        return Err(unsupported("delimiter"));
    }
    let cap = s.page_cap();
    let bucket = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    let prefix = i.prefix.as_deref().unwrap_or_default();
    let after = i.start_after.as_deref().unwrap_or_default();
    let keys = bucket.keys().into_iter().filter(|key| key.starts_with(prefix) && *key > after).collect();
    let (keys, next) =
        page(keys, i.max_keys.map(|most| most.min(1000)), i.continuation_token.as_deref(), LIMITS, cap)?;
    let mut shown = Vec::new();
    for key in keys {
        let Some(version) = bucket.current(key) else { continue };
        let object = Object::builder()
            .key(key)
            .e_tag(&version.etag)
            .size(i64::try_from(version.size()).unwrap_or(i64::MAX))
            .last_modified(date(version.at));
        shown.push(object.build());
    }
    Ok(ListObjectsV2Output::builder()
        .set_name(i.bucket.clone())
        .set_prefix(i.prefix.clone())
        .key_count(i32::try_from(shown.len()).unwrap_or(i32::MAX))
        .is_truncated(next.is_some())
        .set_next_continuation_token(next)
        .set_contents((!shown.is_empty()).then_some(shown))
        .build())
}

/// ListObjectVersions: by key, the newest version of a key first. The marker of a page is the
/// simulation's own.
pub(super) fn versions(
    s: &mut Scene<'_>,
    i: &ListObjectVersionsInput,
) -> Result<ListObjectVersionsOutput, ApiError> {
    if i.delimiter.is_some() {
        return Err(unsupported("delimiter"));
    }
    let cap = s.page_cap();
    let bucket = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    let prefix = i.prefix.as_deref().unwrap_or_default();
    let all = bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix));
    let all: Vec<_> = all
        .flat_map(|(key, versions)| {
            versions.iter().rev().enumerate().map(move |(age, version)| (key, version, age == 0))
        })
        .collect();
    let (shown, next) =
        page(all, i.max_keys.map(|most| most.min(1000)), i.key_marker.as_deref(), LIMITS, cap)?;
    let mut answer = ListObjectVersionsOutput::builder().set_name(i.bucket.clone());
    for (key, version, latest) in shown {
        if version.marker {
            let marker = DeleteMarkerEntry::builder().key(key).version_id(&version.id).is_latest(latest);
            answer = answer.delete_markers(marker.last_modified(date(version.at)).build());
        } else {
            let entry = ObjectVersion::builder()
                .key(key)
                .version_id(&version.id)
                .is_latest(latest)
                .e_tag(&version.etag)
                .size(i64::try_from(version.size()).unwrap_or(i64::MAX))
                .last_modified(date(version.at));
            answer = answer.versions(entry.build());
        }
    }
    Ok(answer.is_truncated(next.is_some()).set_next_key_marker(next).build())
}
