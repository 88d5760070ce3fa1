//! The journal: an object for each batch of entries, created once and never written again.
//!
//! Keys are `<key>.journal/<serial>/<fencing>-<batch>-<run>-<number>.json` with numbers of fixed
//! width, so that the order in which S3 lists them is the order in which they were written: runs
//! follow each other by the fencing number of their lease.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_types::error::operation::BuildError;
use futures_util::{StreamExt, TryStreamExt, stream};
use lh_kind::{CloudError, ErrorKind};
use lh_state::{Entry, Journal, Receipt, SnapshotError, StoreError};

use super::{RemoteStore, failed, snapshot::Condition};
use crate::error::Named;

const LIST: &str = "s3:ListBucket";
const DELETE: &str = "s3:DeleteObject";

/// How many objects are read at a time.
const AT_ONCE: usize = 16;
/// `DeleteObjects` takes so many keys.
const AT_MOST: usize = 1000;

impl RemoteStore {
    fn journal_place(&self) -> String {
        format!("s3://{}/{}", self.0.place.bucket, self.0.place.journal())
    }

    /// The keys that begin with `prefix`, in order.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let place = || format!("s3://{}/{prefix}", self.0.place.bucket);
        let (mut keys, mut token) = (Vec::new(), None);
        loop {
            let request = self.0.clients.s3.list_objects_v2().bucket(&self.0.place.bucket);
            let request = request.prefix(prefix).set_continuation_token(token);
            let page = request.send().await.named(LIST).map_err(|error| failed(place(), &error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(keys);
            }
        }
    }

    fn serial_of(&self, key: &str) -> Option<u64> {
        key.strip_prefix(&self.0.place.journal())?.split('/').next()?.parse().ok()
    }

    async fn read_batch(&self, key: String) -> Result<Vec<Entry>, StoreError> {
        let place = format!("s3://{}/{key}", self.0.place.bucket);
        // A journal that is trimmed while it is read has become history.
        let Some((text, _)) = self.read_object(&key).await? else { return Ok(Vec::new()) };
        serde_json::from_str(&text).map_err(|error| StoreError::Unusable {
            place,
            problem: SnapshotError::Damaged(error.to_string()),
        })
    }

    pub(super) async fn delete(&self, keys: &[String]) -> Result<(), CloudError> {
        let ids: Result<Vec<_>, BuildError> =
            keys.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
        let wrong = |error: BuildError| CloudError::new(ErrorKind::Other, DELETE, error.to_string());
        let delete = Delete::builder().set_objects(Some(ids.map_err(wrong)?)).quiet(true).build();
        let request = self.0.clients.s3.delete_objects().bucket(&self.0.place.bucket);
        let answer = request.delete(delete.map_err(wrong)?).send().await.named(DELETE)?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => Err(CloudError::new(
                ErrorKind::Other,
                DELETE,
                format!("{}: {}", error.key().unwrap_or_default(), error.message().unwrap_or_default()),
            )),
        }
    }
}

#[async_trait]
impl Journal for RemoteStore {
    async fn append(&self, entries: &[Entry]) -> Result<Receipt, StoreError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(Receipt(0)) };
        let batch = self.0.batches.fetch_add(1, Ordering::SeqCst);
        let fencing = self.0.fencing.load(Ordering::SeqCst);
        let key = format!(
            "{}{:012}/{fencing:012}-{batch:08}-{}-{:08}.json",
            self.0.place.journal(),
            first.after,
            first.run,
            first.number
        );
        let text = serde_json::to_string(entries)
            .map_err(|error| StoreError::Failed { place: self.journal_place(), reason: error.to_string() })?;
        self.write_object(&key, &text, &Condition::Absent).await?;
        Ok(Receipt(last.number))
    }

    async fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let keys = self.list(&self.0.place.journal()).await?;
        let batches: Vec<Vec<Entry>> = stream::iter(keys.into_iter().map(|key| self.read_batch(key)))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(batches.into_iter().flatten().collect())
    }

    async fn trim(&self, serial: u64) -> Result<(), StoreError> {
        let keys = self.list(&self.0.place.journal()).await?;
        let old: Vec<String> =
            keys.into_iter().filter(|key| self.serial_of(key).is_some_and(|of| of < serial)).collect();
        for some in old.chunks(AT_MOST) {
            self.delete(some).await.map_err(|error| failed(self.journal_place(), &error))?;
        }
        Ok(())
    }
}
