//! Amazon S3: general purpose buckets, their settings, and objects with versions and conditions.
//!
//! Strongly consistent, as S3 is since 2020:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>.

mod buckets;
mod lifecycle;
mod list;
mod objects;
mod policy;
mod settings;
mod tagging;

pub(crate) use objects::take;

use crate::operation::{Operation, captured, reads, writes};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Bucket;

/// The simulated operations of S3.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateBucket", buckets::create),
        reads("HeadBucket", buckets::head),
        writes("DeleteBucket", buckets::delete),
        reads("GetBucketLocation", buckets::location),
        writes("PutBucketVersioning", settings::put_versioning),
        reads("GetBucketVersioning", settings::get_versioning),
        writes("PutBucketEncryption", settings::put_encryption),
        reads("GetBucketEncryption", settings::get_encryption),
        writes("PutPublicAccessBlock", settings::put_public_access),
        reads("GetPublicAccessBlock", settings::get_public_access),
        writes("PutBucketPolicy", settings::put_policy),
        reads("GetBucketPolicy", settings::get_policy),
        writes("DeleteBucketPolicy", settings::delete_policy),
        writes("PutBucketLifecycleConfiguration", lifecycle::put),
        reads("GetBucketLifecycleConfiguration", lifecycle::get),
        writes("DeleteBucketLifecycle", lifecycle::delete),
        writes("PutBucketTagging", tagging::put),
        reads("GetBucketTagging", tagging::get),
        writes("DeleteBucketTagging", tagging::delete),
        captured("PutObject", true, objects::Put::of, objects::put),
        reads("GetObject", objects::get),
        reads("HeadObject", objects::head),
        writes("DeleteObject", objects::delete),
        writes("DeleteObjects", objects::delete_many),
        reads("ListObjectsV2", list::objects),
        reads("ListObjectVersions", list::versions),
    ]
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i str, ApiError> {
    let missing = || ApiError::new("InvalidRequest", format!("Missing required parameter {name}."));
    value.as_deref().filter(|value| !value.is_empty()).ok_or_else(missing)
}

fn malformed() -> ApiError {
    ApiError::new(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

fn denied() -> ApiError {
    ApiError::with_status(403, "AccessDenied", "Access Denied")
}

fn no_such_key() -> ApiError {
    ApiError::with_status(404, "NoSuchKey", "The specified key does not exist.")
}

/// The bucket of a request by its owner, in the region the request was sent to.
fn bucket<'s>(
    s: &'s mut Scene<'_>,
    name: &Option<String>,
    expected_owner: &Option<String>,
) -> Result<&'s mut Bucket, ApiError> {
    let name = required(name, "Bucket")?;
    let (account, region) = (s.account, s.region);
    let missing = || ApiError::with_status(404, "NoSuchBucket", "The specified bucket does not exist");
    let found = s.s3.buckets.get_mut(name).ok_or_else(missing)?;
    if found.owner != account || expected_owner.as_ref().is_some_and(|owner| *owner != found.owner) {
        return Err(denied());
    }
    if found.region != region {
        let message = format!(
            "The bucket you are attempting to access must be addressed using the specified endpoint: it is in {}.",
            found.region
        );
        return Err(ApiError::with_status(301, "PermanentRedirect", message));
    }
    Ok(found)
}
