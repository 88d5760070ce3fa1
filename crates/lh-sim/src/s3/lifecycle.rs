//! Lifecycle rules of buckets: always written as a whole. Rules that move objects to other storage
//! classes are not simulated.

use super::{bucket, malformed};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::LifecycleRule as Kept;
use aws_sdk_s3::operation::{
    delete_bucket_lifecycle::{DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput},
    get_bucket_lifecycle_configuration::{
        GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput,
    },
    put_bucket_lifecycle_configuration::{
        PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput,
    },
};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration,
};

fn invalid(why: &str) -> ApiError {
    ApiError::new("InvalidRequest", why)
}

/// PutBucketLifecycleConfiguration: at most 1,000 rules with ids of their own, each with something
/// to do: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>.
pub(super) fn put(
    s: &mut Scene<'_>,
    i: &PutBucketLifecycleConfigurationInput,
) -> Result<PutBucketLifecycleConfigurationOutput, ApiError> {
    let given = i.lifecycle_configuration.as_ref().ok_or_else(malformed)?.rules();
    if given.is_empty() || given.len() > 1000 {
        return Err(malformed());
    }
    let mut rules: Vec<Kept> = Vec::new();
    for (place, rule) in given.iter().enumerate() {
        let rule = kept(rule, place)?;
        if rules.iter().any(|other| other.id == rule.id) {
            return Err(ApiError::new(
                "InvalidArgument",
                "Rule ID must be unique. Found same ID for more than one rule",
            ));
        }
        rules.push(rule);
    }
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.lifecycle = rules;
    Ok(PutBucketLifecycleConfigurationOutput::builder().build())
}

fn kept(rule: &LifecycleRule, place: usize) -> Result<Kept, ApiError> {
    if !rule.transitions().is_empty() || !rule.noncurrent_version_transitions().is_empty() {
        return Err(ApiError::with_status(501, "NotImplemented", "Transitions are not simulated."));
    }
    let kept = Kept {
        id: rule.id.clone().unwrap_or_else(|| format!("rule-{place}")),
        prefix: rule.filter.as_ref().and_then(|filter| filter.prefix.clone()).unwrap_or_default(),
        enabled: rule.status == ExpirationStatus::Enabled,
        expire_days: rule.expiration.as_ref().and_then(|expiration| expiration.days),
        noncurrent_days: rule.noncurrent_version_expiration.as_ref().and_then(|one| one.noncurrent_days),
        newer_versions: rule
            .noncurrent_version_expiration
            .as_ref()
            .and_then(|one| one.newer_noncurrent_versions),
        expire_markers: rule
            .expiration
            .as_ref()
            .and_then(|expiration| expiration.expired_object_delete_marker)
            .unwrap_or_default(),
        abort_uploads_days: rule
            .abort_incomplete_multipart_upload
            .as_ref()
            .and_then(|abort| abort.days_after_initiation),
    };
    let days = [kept.expire_days, kept.noncurrent_days, kept.abort_uploads_days];
    if days.iter().all(Option::is_none) && !kept.expire_markers {
        return Err(invalid("At least one action needs to be specified in a rule"));
    }
    if kept.expire_markers && kept.expire_days.is_some() {
        return Err(malformed());
    }
    if kept.newer_versions.is_some_and(|newest| !(1..=100).contains(&newest)) {
        return Err(invalid("NewerNoncurrentVersions must be between 1 and 100"));
    }
    if days.iter().flatten().any(|days| *days < 1) {
        return Err(ApiError::new(
            "InvalidArgument",
            "Days of a lifecycle action must be a positive integer",
        ));
    }
    Ok(kept)
}

/// GetBucketLifecycleConfiguration:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>.
pub(super) fn get(
    s: &mut Scene<'_>,
    i: &GetBucketLifecycleConfigurationInput,
) -> Result<GetBucketLifecycleConfigurationOutput, ApiError> {
    let rules = bucket(s, &i.bucket, &i.expected_bucket_owner)?.lifecycle.clone();
    if rules.is_empty() {
        return Err(ApiError::with_status(
            404,
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ));
    }
    let shown = rules.iter().map(show).collect::<Result<_, _>>()?;
    Ok(GetBucketLifecycleConfigurationOutput::builder().set_rules(Some(shown)).build())
}

fn show(rule: &Kept) -> Result<LifecycleRule, ApiError> {
    let markers = rule.expire_markers.then_some(true);
    let expiration = (rule.expire_days.is_some() || rule.expire_markers).then(|| {
        let expiration = LifecycleExpiration::builder().set_days(rule.expire_days);
        expiration.set_expired_object_delete_marker(markers).build()
    });
    let noncurrent = rule.noncurrent_days.map(|days| {
        let noncurrent = NoncurrentVersionExpiration::builder().noncurrent_days(days);
        noncurrent.set_newer_noncurrent_versions(rule.newer_versions).build()
    });
    let abort = rule
        .abort_uploads_days
        .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
    let status = if rule.enabled { ExpirationStatus::Enabled } else { ExpirationStatus::Disabled };
    Ok(LifecycleRule::builder()
        .id(&rule.id)
        .filter(LifecycleRuleFilter::builder().prefix(&rule.prefix).build())
        .status(status)
        .set_expiration(expiration)
        .set_noncurrent_version_expiration(noncurrent)
        .set_abort_incomplete_multipart_upload(abort)
        .build()?)
}

/// DeleteBucketLifecycle.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteBucketLifecycleInput,
) -> Result<DeleteBucketLifecycleOutput, ApiError> {
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.lifecycle.clear();
    Ok(DeleteBucketLifecycleOutput::builder().build())
}
