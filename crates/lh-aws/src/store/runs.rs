//! The history of runs: an object each, `<key>.runs/<began>-<run>.json`, so that S3 lists them in
//! the order in which they began.

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use lh_state::{History, Run, SnapshotError, StoreError, history::RUNS_KEPT};

use super::{RemoteStore, failed, snapshot::Condition};

/// How many objects are read at a time.
const AT_ONCE: usize = 16;

impl RemoteStore {
    async fn run(&self, key: String) -> Result<Option<Run>, StoreError> {
        let Some((text, _)) = self.read_object(&key).await? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| StoreError::Unusable {
            place: format!("s3://{}/{key}", self.0.place.bucket),
            problem: SnapshotError::Damaged(error.to_string()),
        })
    }
}

#[async_trait]
impl History for RemoteStore {
    async fn keep(&self, run: &Run) -> Result<(), StoreError> {
        let prefix = self.0.place.runs();
        let key = format!("{prefix}{}.json", run.name());
        let text = serde_json::to_string(run).map_err(|error| StoreError::Failed {
            place: format!("s3://{}/{key}", self.0.place.bucket),
            reason: error.to_string(),
        })?;
        self.write_object(&key, &text, &Condition::Any).await?;
        let keys = self.list(&prefix).await?;
        let surplus = keys.len().saturating_sub(RUNS_KEPT);
        if surplus > 0 {
            let place = || format!("s3://{}/{prefix}", self.0.place.bucket);
            self.delete(&keys[..surplus]).await.map_err(|error| failed(place(), &error))?;
        }
        Ok(())
    }

    async fn runs(&self, most: usize) -> Result<Vec<Run>, StoreError> {
        let keys = self.list(&self.0.place.runs()).await?;
        let newest = keys.into_iter().rev().take(most).map(|key| self.run(key));
        let runs: Vec<Option<Run>> = stream::iter(newest).buffered(AT_ONCE).try_collect().await?;
        Ok(runs.into_iter().flatten().collect())
    }
}
