//! The snapshot: one object, replaced only by a run that knows its ETag.
//!
//! Conditional writes: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
//! No encryption is asked for with a write: the bucket's default applies to every object, and a
//! write that named SSE-S3 would take an object out of a bucket's KMS encryption.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use lh_kind::{CloudError, ErrorKind};
use lh_state::{Past, SnapshotError, Snapshots, StoreError, Version};

use super::{RemoteStore, failed};
use crate::error::Named;

const PUT: &str = "s3:PutObject";
const GET: &str = "s3:GetObject";
const VERSIONS: &str = "s3:ListBucketVersions";

/// How S3 says that there is no such object, or no such version of it (`InvalidArgument`: a
/// version id of another form).
const GONE: [&str; 3] = ["NoSuchKey", "NoSuchVersion", "InvalidArgument"];

/// How often a write is sent again that S3 refused because of another one under way.
const ATTEMPTS: usize = 3;

/// On what condition an object is written.
pub(super) enum Condition<'a> {
    /// No object has the key.
    Absent,
    /// The object has this ETag.
    Unchanged(&'a str),
    /// On none: what is written there only ever grows, and one run writes it at a time.
    Any,
}

impl RemoteStore {
    /// The text of an object and its ETag, if there is such an object.
    pub(super) async fn read_object(&self, key: &str) -> Result<Option<(String, String)>, StoreError> {
        self.read_version(key, None).await
    }

    /// The same of one version of an object; without one, of the current.
    async fn read_version(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<(String, String)>, StoreError> {
        let place = || format!("s3://{}/{key}", self.0.place.bucket);
        let request = self.0.clients.s3.get_object().bucket(&self.0.place.bucket).key(key);
        let request = request.set_version_id(version.map(str::to_owned));
        let answer = match request.send().await.named(GET) {
            Ok(answer) => answer,
            Err(error) if GONE.contains(&error.code.as_str()) => return Ok(None),
            Err(error) => return Err(failed(place(), &error)),
        };
        let version = answer.e_tag.unwrap_or_default();
        let bytes = answer.body.collect().await.map_err(|error| {
            let text = format!("the object was cut off on its way: {error}");
            failed(place(), &CloudError::new(ErrorKind::Unreachable, GET, text))
        })?;
        let problem = |_| SnapshotError::Damaged("it is not UTF-8 text".to_owned());
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|error| StoreError::Unusable { place: place(), problem: problem(error) })?;
        Ok(Some((text, version)))
    }

    /// Writes an object on a condition; the answer is its ETag. A write whose answer was lost is
    /// recognised by the text.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the condition does not hold.
    pub(super) async fn write_object(
        &self,
        key: &str,
        text: &str,
        condition: &Condition<'_>,
    ) -> Result<String, StoreError> {
        let mut attempt = 1;
        loop {
            let error = match self.put(key, text, condition).await {
                Ok(version) => return Ok(version),
                Err(error) => error,
            };
            let refused = match error.code.as_str() {
                // `NoSuchKey` answers `If-Match` where the object has gone.
                "PreconditionFailed" | "NoSuchKey" => true,
                "ConditionalRequestConflict" => false,
                _ if error.is_uncertain() => false,
                _ => return Err(failed(format!("s3://{}/{key}", self.0.place.bucket), &error)),
            };
            // An earlier attempt may have been the write that changed the object.
            let unclear = |_| failed(format!("s3://{}/{key}", self.0.place.bucket), &error);
            let now = self.read_object(key).await.map_err(unclear)?;
            let still = match (&now, condition) {
                (Some((have, version)), _) if have == text => return Ok(version.clone()),
                (_, Condition::Any) => true,
                (Some((_, version)), Condition::Unchanged(expected)) => version == expected,
                (None, Condition::Absent) => true,
                _ => false,
            };
            if !still {
                return Err(StoreError::Moved);
            }
            if refused || attempt == ATTEMPTS {
                return Err(failed(format!("s3://{}/{key}", self.0.place.bucket), &error));
            }
            attempt += 1;
        }
    }

    async fn put(&self, key: &str, text: &str, condition: &Condition<'_>) -> Result<String, CloudError> {
        let body = ByteStream::from(text.as_bytes().to_vec());
        let request = self.0.clients.s3.put_object().bucket(&self.0.place.bucket).key(key);
        let request = request.body(body).content_type("application/json");
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Unchanged(version) => request.if_match(*version),
            Condition::Any => request,
        };
        let answer = request.send().await.named(PUT)?;
        let none = || CloudError::new(ErrorKind::Other, PUT, "S3 gave the new object no ETag");
        answer.e_tag.ok_or_else(none)
    }
}

#[async_trait]
impl Snapshots for RemoteStore {
    async fn load(&self) -> Result<(Option<String>, Version), StoreError> {
        let (text, version) = self.read_object(&self.0.place.key).await?.unzip();
        Ok((text, version))
    }

    async fn swap(&self, expected: &Version, text: &str) -> Result<Version, StoreError> {
        let condition = expected.as_deref().map_or(Condition::Absent, Condition::Unchanged);
        self.write_object(&self.0.place.key, text, &condition).await.map(Some)
    }

    /// `ListObjectVersions` answers keys in order, and a key's versions the newest first:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>.
    async fn past(&self, most: usize) -> Result<Vec<Past>, StoreError> {
        let (key, mut all) = (&self.0.place.key, Vec::new());
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let request = self.0.clients.s3.list_object_versions().bucket(&self.0.place.bucket).prefix(key);
            let request =
                request.set_key_marker(key_marker.take()).set_version_id_marker(version_marker.take());
            let page = request.send().await.named(VERSIONS);
            let page = page.map_err(|error| failed(self.0.place.object(), &error))?;
            let beyond = page.versions().iter().any(|version| version.key() != Some(key));
            let own = page.versions().iter().filter(|version| version.key() == Some(key));
            all.extend(own.map(|version| Past {
                name: version.version_id().unwrap_or_default().to_owned(),
                at: version.last_modified().map(aws_smithy_types::DateTime::secs),
                current: version.is_latest().unwrap_or_default(),
            }));
            (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
            if all.len() >= most || beyond || key_marker.is_none() {
                all.truncate(most);
                return Ok(all);
            }
        }
    }

    async fn recall(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.read_version(&self.0.place.key, Some(name)).await?.map(|(text, _)| text))
    }

    fn place(&self) -> String {
        self.0.place.object()
    }
}
