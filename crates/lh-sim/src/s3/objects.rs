//! Objects: conditional writes, reads, deletions and delete markers.

use super::{bucket, denied, no_such_key, policy, required};
use crate::clock::date;
use crate::hosts::Upload;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Bucket, ObjectVersion, World};
use aws_sdk_s3::operation::{
    delete_object::{DeleteObjectInput, DeleteObjectOutput},
    delete_objects::{DeleteObjectsInput, DeleteObjectsOutput},
    get_object::{GetObjectInput, GetObjectOutput},
    head_object::{HeadObjectInput, HeadObjectOutput},
    put_object::{PutObjectInput, PutObjectOutput},
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::DeletedObject;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What the simulation takes out of a `PutObjectInput`, whose body is a stream.
pub(super) struct Put {
    bucket: Option<String>,
    key: Option<String>,
    owner: Option<String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    /// None for a body that is not in memory.
    content: Option<Vec<u8>>,
}

impl Put {
    /// Copies what is needed.
    pub fn of(i: &PutObjectInput) -> Self {
        Put {
            bucket: i.bucket.clone(),
            key: i.key.clone(),
            owner: i.expected_bucket_owner.clone(),
            if_match: i.if_match.clone(),
            if_none_match: i.if_none_match.clone(),
            content: i.body.bytes().map(<[u8]>::to_vec),
        }
    }
}

/// PutObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>.
pub(super) fn put(s: &mut Scene<'_>, i: &Put) -> Result<PutObjectOutput, ApiError> {
    let key = required(&i.key, "Key")?;
    let content = i.content.as_ref().ok_or_else(|| {
        ApiError::with_status(501, "NotImplemented", "The simulation takes bodies that are in memory.")
    })?;
    let (version, now) = (s.random.request_id().replace('-', ""), s.now);
    let bucket = bucket(s, &i.bucket, &i.owner)?;
    let arn = format!("arn:aws:s3:::{}/{key}", i.bucket.as_deref().unwrap_or_default());
    let (if_match, if_none_match) = (i.if_match.is_some(), i.if_none_match.is_some());
    let write = policy::Write { arn: &arn, if_match, if_none_match };
    if bucket.policy.as_ref().is_some_and(|policy| policy::refuses(policy, &write)) {
        return Err(denied());
    }
    check_conditions(i, bucket.current(key))?;
    let made = ObjectVersion {
        id: version,
        etag: etag(content),
        content: STANDARD.encode(content),
        elsewhere: None,
        marker: false,
        at: now,
    };
    let answer = PutObjectOutput::builder()
        .e_tag(&made.etag)
        .server_side_encryption(bucket.encryption.algorithm.as_str().into());
    let versioned = add(bucket, key, made);
    Ok(answer.set_version_id(versioned).build())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
fn check_conditions(i: &Put, current: Option<&ObjectVersion>) -> Result<(), ApiError> {
    let failed = |header: &str| {
        ApiError::with_status(
            412,
            "PreconditionFailed",
            format!("At least one of the pre-conditions you specified did not hold: {header}"),
        )
    };
    if let Some(value) = &i.if_none_match {
        if value != "*" {
            let message = "A header you provided implies functionality that is not implemented";
            return Err(ApiError::with_status(501, "NotImplemented", message));
        }
        if current.is_some() {
            return Err(failed("If-None-Match"));
        }
    }
    match (&i.if_match, current) {
        (Some(_), None) => Err(no_such_key()),
        (Some(wanted), Some(have)) if wanted.trim_matches('"') != have.etag.trim_matches('"') => {
            Err(failed("If-Match"))
        }
        _ => Ok(()),
    }
}

/// An entity tag is opaque: S3's own is an MD5 digest for most objects, this one is not.
fn etag(content: &[u8]) -> String {
    let digest: String = Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digest}\"")
}

/// Puts what a host has uploaded on top, unless it is there.
pub(crate) fn take(world: &mut World, upload: &Upload) {
    let (id, now, etag) =
        (world.random.request_id().replace('-', ""), world.now, format!("\"{}\"", upload.mark));
    let Some(bucket) = world.s3.buckets.get_mut(&upload.bucket) else { return };
    if bucket.objects.get(&upload.key).is_some_and(|all| all.iter().any(|version| version.etag == etag)) {
        return;
    }
    let content = upload.content.as_ref().map(|content| STANDARD.encode(content));
    let elsewhere = content.is_none().then_some(upload.size);
    let made =
        ObjectVersion { id, etag, content: content.unwrap_or_default(), elsewhere, marker: false, at: now };
    add(bucket, &upload.key, made);
}

/// Puts a version or a marker on top; the answer is its id in a versioned bucket.
fn add(bucket: &mut Bucket, key: &str, mut made: ObjectVersion) -> Option<String> {
    let versioned = bucket.versioning.as_deref() == Some("Enabled");
    let versions = bucket.objects.entry(key.to_owned()).or_default();
    if !versioned {
        made.id = "null".to_owned();
        versions.retain(|version| version.id != "null");
    }
    let id = made.id.clone();
    versions.push(made);
    versioned.then_some(id)
}

fn find<'b>(bucket: &'b Bucket, key: &str, version: &Option<String>) -> Result<&'b ObjectVersion, ApiError> {
    let Some(id) = version else { return bucket.current(key).ok_or_else(no_such_key) };
    let found = bucket.objects.get(key).and_then(|all| all.iter().find(|version| version.id == *id));
    let found = found.ok_or_else(|| {
        ApiError::with_status(404, "NoSuchVersion", "The specified version does not exist.")
    })?;
    if found.marker {
        return Err(ApiError::with_status(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        ));
    }
    Ok(found)
}

/// GetObject, whole: no ranges.
pub(super) fn get(s: &mut Scene<'_>, i: &GetObjectInput) -> Result<GetObjectOutput, ApiError> {
    let bucket = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    let found = find(bucket, required(&i.key, "Key")?, &i.version_id)?;
    if found.elsewhere.is_some() {
        let message =
            "The simulation keeps what hosts upload with them, and hands out none of it that is long.";
        return Err(ApiError::with_status(501, "NotImplemented", message));
    }
    let content = found.bytes();
    Ok(GetObjectOutput::builder()
        .content_length(i64::try_from(content.len()).unwrap_or(i64::MAX))
        .e_tag(&found.etag)
        .last_modified(date(found.at))
        .set_version_id(bucket.versioning.is_some().then(|| found.id.clone()))
        .server_side_encryption(bucket.encryption.algorithm.as_str().into())
        .body(ByteStream::from(content))
        .build())
}

/// HeadObject.
pub(super) fn head(s: &mut Scene<'_>, i: &HeadObjectInput) -> Result<HeadObjectOutput, ApiError> {
    let bucket = bucket(s, &i.bucket, &i.expected_bucket_owner)?;
    let found = find(bucket, required(&i.key, "Key")?, &i.version_id)?;
    Ok(HeadObjectOutput::builder()
        .content_length(i64::try_from(found.size()).unwrap_or(i64::MAX))
        .e_tag(&found.etag)
        .last_modified(date(found.at))
        .set_version_id(bucket.versioning.is_some().then(|| found.id.clone()))
        .server_side_encryption(bucket.encryption.algorithm.as_str().into())
        .build())
}

/// What deleting did: the id of the version or marker it is about, and whether that is a marker.
struct Gone {
    version: Option<String>,
    marker: bool,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html>.
fn remove(
    s: &mut Scene<'_>,
    name: &Option<String>,
    owner: &Option<String>,
    key: &str,
    version: &Option<String>,
) -> Result<Gone, ApiError> {
    let (fresh, now) = (s.random.request_id().replace('-', ""), s.now);
    let bucket = bucket(s, name, owner)?;
    if let Some(id) = version {
        let Some(versions) = bucket.objects.get_mut(key) else {
            return Ok(Gone { version: Some(id.clone()), marker: false });
        };
        let marker = versions.iter().any(|version| version.id == *id && version.marker);
        versions.retain(|version| version.id != *id);
        if versions.is_empty() {
            bucket.objects.remove(key);
        }
        return Ok(Gone { version: Some(id.clone()), marker });
    }
    if bucket.versioning.is_none() {
        bucket.objects.remove(key);
        return Ok(Gone { version: None, marker: false });
    }
    let marker = ObjectVersion {
        id: fresh,
        etag: String::new(),
        content: String::new(),
        elsewhere: None,
        marker: true,
        at: now,
    };
    Ok(Gone { version: add(bucket, key, marker), marker: true })
}

/// DeleteObject: deleting what is not there is a success.
pub(super) fn delete(s: &mut Scene<'_>, i: &DeleteObjectInput) -> Result<DeleteObjectOutput, ApiError> {
    let key = required(&i.key, "Key")?;
    let gone = remove(s, &i.bucket, &i.expected_bucket_owner, key, &i.version_id)?;
    Ok(DeleteObjectOutput::builder().set_version_id(gone.version).delete_marker(gone.marker).build())
}

/// DeleteObjects: a thousand keys at most.
pub(super) fn delete_many(
    s: &mut Scene<'_>,
    i: &DeleteObjectsInput,
) -> Result<DeleteObjectsOutput, ApiError> {
    let wanted = i.delete.as_ref().map(|delete| delete.objects.as_slice()).unwrap_or_default();
    if wanted.is_empty() || wanted.len() > 1000 {
        return Err(ApiError::new("MalformedXML", "DeleteObjects takes 1 to 1000 keys."));
    }
    let mut answer = DeleteObjectsOutput::builder();
    for one in wanted {
        let gone = remove(s, &i.bucket, &i.expected_bucket_owner, &one.key, &one.version_id)?;
        let told = DeletedObject::builder().key(&one.key).set_version_id(one.version_id.clone());
        answer = answer.deleted(told.delete_marker(gone.marker).build());
    }
    Ok(answer.build())
}
