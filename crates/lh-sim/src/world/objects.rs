//! S3 in the world: buckets and the versions of their objects. Bucket names are global.

use super::{Millis, Tagged, Tags};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All buckets of all accounts: their names are one namespace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct S3 {
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
}

impl S3 {
    /// What the tagging API shows of it in a region.
    pub(crate) fn tagged(&self, region: &str) -> Vec<Tagged> {
        let here =
            self.buckets.iter().filter(|(_, bucket)| bucket.region == region && !bucket.tags.is_empty());
        here.map(|(name, bucket)| Tagged {
            kind: "s3:bucket",
            arn: format!("arn:aws:s3:::{name}"),
            tags: bucket.tags.clone(),
        })
        .collect()
    }
}

/// A general purpose bucket.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// The account that owns it.
    pub owner: String,
    /// The region it is in.
    pub region: String,
    /// When it was created.
    pub created_at: Millis,
    /// `Enabled` or `Suspended`; none if versioning was never set.
    pub versioning: Option<String>,
    /// The default encryption; every bucket has one.
    pub encryption: Encryption,
    /// Which kinds of public access are blocked; none if the setting was removed.
    pub public_access: Option<PublicAccess>,
    /// The bucket policy as it was given.
    pub policy: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// The lifecycle rules.
    #[serde(default)]
    pub lifecycle: Vec<LifecycleRule>,
    /// The versions of each key, the newest last.
    pub objects: BTreeMap<String, Vec<ObjectVersion>>,
}

/// What is to become of objects as they grow older. The world keeps it; nothing expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleRule {
    /// The rule's id.
    pub id: String,
    /// The beginning of the keys that it is about; empty for all.
    pub prefix: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// Days until an object gets a delete marker.
    pub expire_days: Option<i32>,
    /// Days until a version that is not the current one is deleted.
    pub noncurrent_days: Option<i32>,
    /// How many of the newest of these are kept for longer.
    #[serde(default)]
    pub newer_versions: Option<i32>,
    /// Whether delete markers without any other version are deleted.
    #[serde(default)]
    pub expire_markers: bool,
    /// Days until an upload that was never completed is deleted.
    pub abort_uploads_days: Option<i32>,
}

/// A default encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The KMS key, where one was named.
    pub key: Option<String>,
}

/// "Amazon S3 applies server-side encryption with SSE-S3 as the base level of encryption":
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html>.
impl Default for Encryption {
    fn default() -> Self {
        Encryption { algorithm: "AES256".to_owned(), key: None }
    }
}

/// The four settings of Block Public Access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccess {
    /// New public ACLs are refused.
    pub block_acls: bool,
    /// Public ACLs have no effect.
    pub ignore_acls: bool,
    /// New public policies are refused.
    pub block_policy: bool,
    /// A public policy serves the owner's account only.
    pub restrict_buckets: bool,
}

/// One version of an object, or a delete marker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The version's id; `null` in a bucket without versioning.
    pub id: String,
    /// The entity tag, quoted as AWS shows it.
    pub etag: String,
    /// The content in base64.
    pub content: String,
    /// The size in bytes, where the content is with the host that uploaded it and not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<u64>,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// When it was written.
    pub at: Millis,
}

impl ObjectVersion {
    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.elsewhere.unwrap_or_else(|| u64::try_from(self.bytes().len()).unwrap_or(u64::MAX))
    }

    /// The content itself.
    pub fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.content).unwrap_or_default()
    }
}

impl Bucket {
    /// The object of this key, unless there is none or it was deleted.
    pub fn current(&self, key: &str) -> Option<&ObjectVersion> {
        self.objects.get(key)?.last().filter(|version| !version.marker)
    }

    /// The keys of all objects that are not deleted.
    pub fn keys(&self) -> Vec<&str> {
        self.objects.keys().map(String::as_str).filter(|key| self.current(key).is_some()).collect()
    }
}
