//! Tags of buckets: always written as a whole.

use super::{bucket, malformed};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Tags;
use aws_sdk_s3::operation::{
    delete_bucket_tagging::{DeleteBucketTaggingInput, DeleteBucketTaggingOutput},
    get_bucket_tagging::{GetBucketTaggingInput, GetBucketTaggingOutput},
    put_bucket_tagging::{PutBucketTaggingInput, PutBucketTaggingOutput},
};
use aws_sdk_s3::types::Tag;

/// A set of tags that S3 takes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html>.
pub(super) fn checked(tags: &[Tag]) -> Result<Tags, ApiError> {
    let invalid = |why: &str| ApiError::new("InvalidTag", why);
    let mut set = Tags::new();
    for tag in tags {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        if set.insert(tag.key.clone(), tag.value.clone()).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    if set.len() > 50 {
        return Err(ApiError::new("BadRequest", "Bucket tag count cannot be greater than 50"));
    }
    Ok(set)
}

/// PutBucketTagging: "this replaces the set of tags":
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>.
pub(super) fn put(s: &mut Scene<'_>, i: &PutBucketTaggingInput) -> Result<PutBucketTaggingOutput, ApiError> {
    let set = checked(i.tagging.as_ref().ok_or_else(malformed)?.tag_set())?;
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.tags = set;
    Ok(PutBucketTaggingOutput::builder().build())
}

/// GetBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>.
pub(super) fn get(s: &mut Scene<'_>, i: &GetBucketTaggingInput) -> Result<GetBucketTaggingOutput, ApiError> {
    let tags = bucket(s, &i.bucket, &i.expected_bucket_owner)?.tags.clone();
    if tags.is_empty() {
        return Err(ApiError::with_status(404, "NoSuchTagSet", "The TagSet does not exist"));
    }
    let shown: Result<Vec<Tag>, _> =
        tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    Ok(GetBucketTaggingOutput::builder().set_tag_set(Some(shown?)).build()?)
}

/// DeleteBucketTagging.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteBucketTaggingInput,
) -> Result<DeleteBucketTaggingOutput, ApiError> {
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.tags.clear();
    Ok(DeleteBucketTaggingOutput::builder().build())
}
