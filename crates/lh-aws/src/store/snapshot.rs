//! The snapshot: one object, replaced only by a run that knows its ETag.
//!
//! Conditional writes: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
//! No encryption is asked for with a write: the bucket's default applies to every object, and a
//! write that named SSE-S3 would take an object out of a bucket's KMS encryption.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use lh_kind::{CloudError, ErrorKind};
use lh_state::{SnapshotError, Snapshots, StoreError, Version};

use super::{RemoteStore, failed};
use crate::error::Named;

const PUT: &str = "s3:PutObject";
const GET: &str = "s3:GetObject";

/// How often a write is sent again that S3 refused because of another one under way.
const ATTEMPTS: usize = 3;

/// On what condition an object is written.
pub(super) enum Condition<'a> {
    /// No object has the key.
    Absent,
    /// The object has this ETag.
    Unchanged(&'a str),
}

impl RemoteStore {
    /// The text of an object and its ETag, if there is such an object.
    pub(super) async fn read_object(&self, key: &str) -> Result<Option<(String, String)>, StoreError> {
        let place = || format!("s3://{}/{key}", self.0.place.bucket);
        let request = self.0.clients.s3.get_object().bucket(&self.0.place.bucket).key(key);
        let answer = match request.send().await.named(GET) {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchKey" => return Ok(None),
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

    fn place(&self) -> String {
        self.0.place.object()
    }
}
