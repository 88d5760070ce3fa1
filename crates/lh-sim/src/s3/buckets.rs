//! Buckets themselves: creating them, and asking whether and where they are.

use super::{bucket, required, tagging};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Bucket, PublicAccess};
use aws_sdk_s3::operation::create_bucket::{CreateBucketInput, CreateBucketOutput};
use aws_sdk_s3::operation::delete_bucket::{DeleteBucketInput, DeleteBucketOutput};
use aws_sdk_s3::operation::get_bucket_location::{GetBucketLocationInput, GetBucketLocationOutput};
use aws_sdk_s3::operation::head_bucket::{HeadBucketInput, HeadBucketOutput};
use aws_sdk_s3::types::BucketLocationConstraint;

/// The region that has no location constraint.
const FIRST_REGION: &str = "us-east-1";

/// CreateBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>.
pub(super) fn create(s: &mut Scene<'_>, i: &CreateBucketInput) -> Result<CreateBucketOutput, ApiError> {
    let name = required(&i.bucket, "Bucket")?;
    check_name(name)?;
    let constraint = i.create_bucket_configuration.as_ref().and_then(|c| c.location_constraint.as_ref());
    let constraint = constraint.map(BucketLocationConstraint::as_str);
    if constraint.unwrap_or(FIRST_REGION) != s.region {
        return Err(ApiError::new(
            "IllegalLocationConstraintException",
            format!(
                "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
                constraint.unwrap_or("unspecified")
            ),
        ));
    }
    if constraint == Some(FIRST_REGION) {
        return Err(ApiError::new(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
        ));
    }
    let tags =
        tagging::checked(i.create_bucket_configuration.as_ref().map(|c| c.tags()).unwrap_or_default())?;
    let answer = CreateBucketOutput::builder().location(format!("/{name}"));
    match s.s3.buckets.get(name) {
        // "In us-east-1, re-creating a bucket that you own returns 200 OK."
        Some(old) if old.owner == s.account && s.region == FIRST_REGION && old.region == FIRST_REGION => {
            return Ok(answer.build());
        }
        Some(old) if old.owner == s.account => {
            return Err(ApiError::with_status(
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        Some(_) => {
            return Err(ApiError::with_status(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
            ));
        }
        None => {}
    }
    // New buckets block public access:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    let blocked =
        PublicAccess { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true };
    let made = Bucket {
        owner: s.account.to_owned(),
        region: s.region.to_owned(),
        created_at: s.now,
        public_access: Some(blocked),
        tags,
        ..Bucket::default()
    };
    s.s3.buckets.insert(name.to_owned(), made);
    s.born(&format!("tags/arn:aws:s3:::{name}"));
    Ok(answer.build())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
fn check_name(name: &str) -> Result<(), ApiError> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let good = (3..=63).contains(&name.len())
        && name.chars().all(fine)
        && ends(name.chars().next())
        && ends(name.chars().next_back())
        && !name.contains("..");
    let wrong = || ApiError::new("InvalidBucketName", "The specified bucket is not valid.");
    good.then_some(()).ok_or_else(wrong)
}

/// HeadBucket: an error has no body, only its status.
pub(super) fn head(s: &mut Scene<'_>, i: &HeadBucketInput) -> Result<HeadBucketOutput, ApiError> {
    let found = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    Ok(HeadBucketOutput::builder().bucket_region(&found.region).build())
}

/// GetBucketLocation: us-east-1 is told as nothing.
pub(super) fn location(
    s: &mut Scene<'_>,
    i: &GetBucketLocationInput,
) -> Result<GetBucketLocationOutput, ApiError> {
    let found = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    let told = (found.region != FIRST_REGION).then(|| found.region.as_str().into());
    Ok(GetBucketLocationOutput::builder().set_location_constraint(told).build())
}

/// DeleteBucket: "All objects (including all object versions and delete markers) in the bucket must
/// be deleted before the bucket itself can be deleted":
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>.
pub(super) fn delete(s: &mut Scene<'_>, i: &DeleteBucketInput) -> Result<DeleteBucketOutput, ApiError> {
    let found = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    if found.objects.values().any(|versions| !versions.is_empty()) {
        return Err(ApiError::with_status(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        ));
    }
    s.s3.buckets.remove(required(&i.bucket, "Bucket")?);
    Ok(DeleteBucketOutput::builder().build())
}
