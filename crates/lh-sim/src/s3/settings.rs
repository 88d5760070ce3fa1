//! A bucket's settings: versioning, default encryption, Block Public Access and policy.

use super::{bucket, malformed, policy, required};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Encryption, PublicAccess};
use aws_sdk_s3::operation::{
    delete_bucket_policy::{DeleteBucketPolicyInput, DeleteBucketPolicyOutput},
    get_bucket_encryption::{GetBucketEncryptionInput, GetBucketEncryptionOutput},
    get_bucket_policy::{GetBucketPolicyInput, GetBucketPolicyOutput},
    get_bucket_versioning::{GetBucketVersioningInput, GetBucketVersioningOutput},
    get_public_access_block::{GetPublicAccessBlockInput, GetPublicAccessBlockOutput},
    put_bucket_encryption::{PutBucketEncryptionInput, PutBucketEncryptionOutput},
    put_bucket_policy::{PutBucketPolicyInput, PutBucketPolicyOutput},
    put_bucket_versioning::{PutBucketVersioningInput, PutBucketVersioningOutput},
    put_public_access_block::{PutPublicAccessBlockInput, PutPublicAccessBlockOutput},
};
use aws_sdk_s3::types::{
    BucketVersioningStatus, PublicAccessBlockConfiguration, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

/// PutBucketVersioning.
pub(super) fn put_versioning(
    s: &mut Scene<'_>,
    i: &PutBucketVersioningInput,
) -> Result<PutBucketVersioningOutput, ApiError> {
    let status = i.versioning_configuration.as_ref().and_then(|c| c.status.as_ref()).ok_or_else(malformed)?;
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.versioning = Some(status.as_str().to_owned());
    Ok(PutBucketVersioningOutput::builder().build())
}

/// GetBucketVersioning: empty for a bucket where it was never set.
pub(super) fn get_versioning(
    s: &mut Scene<'_>,
    i: &GetBucketVersioningInput,
) -> Result<GetBucketVersioningOutput, ApiError> {
    let found = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    let status = found.versioning.as_deref().map(BucketVersioningStatus::from);
    Ok(GetBucketVersioningOutput::builder().set_status(status).build())
}

/// PutBucketEncryption.
pub(super) fn put_encryption(
    s: &mut Scene<'_>,
    i: &PutBucketEncryptionInput,
) -> Result<PutBucketEncryptionOutput, ApiError> {
    let rules = i.server_side_encryption_configuration.as_ref().map(|c| c.rules.as_slice());
    let [rule] = rules.unwrap_or_default() else { return Err(malformed()) };
    let wanted = rule.apply_server_side_encryption_by_default.as_ref().ok_or_else(malformed)?;
    let (algorithm, key) = (wanted.sse_algorithm.as_str().to_owned(), wanted.kms_master_key_id.clone());
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.encryption = Encryption { algorithm, key };
    Ok(PutBucketEncryptionOutput::builder().build())
}

/// GetBucketEncryption.
pub(super) fn get_encryption(
    s: &mut Scene<'_>,
    i: &GetBucketEncryptionInput,
) -> Result<GetBucketEncryptionOutput, ApiError> {
    let have = bucket(s, &i.bucket, &i.expected_bucket_owner)?.encryption.clone();
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(have.algorithm.as_str().into())
        .set_kms_master_key_id(have.key)
        .build()?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .bucket_key_enabled(false)
        .build();
    let all = ServerSideEncryptionConfiguration::builder().rules(rule).build()?;
    Ok(GetBucketEncryptionOutput::builder().server_side_encryption_configuration(all).build())
}

/// PutPublicAccessBlock: what is not named is off.
pub(super) fn put_public_access(
    s: &mut Scene<'_>,
    i: &PutPublicAccessBlockInput,
) -> Result<PutPublicAccessBlockOutput, ApiError> {
    let wanted = i.public_access_block_configuration.as_ref().ok_or_else(malformed)?;
    let on = |flag: Option<bool>| flag.unwrap_or(false);
    let access = PublicAccess {
        block_acls: on(wanted.block_public_acls),
        ignore_acls: on(wanted.ignore_public_acls),
        block_policy: on(wanted.block_public_policy),
        restrict_buckets: on(wanted.restrict_public_buckets),
    };
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.public_access = Some(access);
    Ok(PutPublicAccessBlockOutput::builder().build())
}

/// GetPublicAccessBlock.
pub(super) fn get_public_access(
    s: &mut Scene<'_>,
    i: &GetPublicAccessBlockInput,
) -> Result<GetPublicAccessBlockOutput, ApiError> {
    let have = bucket(s, &i.bucket, &i.expected_bucket_owner)?.public_access.ok_or_else(|| {
        ApiError::with_status(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        )
    })?;
    let shown = PublicAccessBlockConfiguration::builder()
        .block_public_acls(have.block_acls)
        .ignore_public_acls(have.ignore_acls)
        .block_public_policy(have.block_policy)
        .restrict_public_buckets(have.restrict_buckets)
        .build();
    Ok(GetPublicAccessBlockOutput::builder().public_access_block_configuration(shown).build())
}

/// PutBucketPolicy: the simulation knows deny statements; see [`policy`].
pub(super) fn put_policy(
    s: &mut Scene<'_>,
    i: &PutBucketPolicyInput,
) -> Result<PutBucketPolicyOutput, ApiError> {
    let text = required(&i.policy, "Policy")?;
    policy::parse(text)?;
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.policy = Some(text.to_owned());
    Ok(PutBucketPolicyOutput::builder().build())
}

/// GetBucketPolicy.
pub(super) fn get_policy(
    s: &mut Scene<'_>,
    i: &GetBucketPolicyInput,
) -> Result<GetBucketPolicyOutput, ApiError> {
    let none = || ApiError::with_status(404, "NoSuchBucketPolicy", "The bucket policy does not exist");
    let have = bucket(s, &i.bucket, &i.expected_bucket_owner)?.policy.clone().ok_or_else(none)?;
    Ok(GetBucketPolicyOutput::builder().policy(have).build())
}

/// DeleteBucketPolicy: a bucket without one is no error.
pub(super) fn delete_policy(
    s: &mut Scene<'_>,
    i: &DeleteBucketPolicyInput,
) -> Result<DeleteBucketPolicyOutput, ApiError> {
    bucket(s, &i.bucket, &i.expected_bucket_owner)?.policy = None;
    Ok(DeleteBucketPolicyOutput::builder().build())
}
