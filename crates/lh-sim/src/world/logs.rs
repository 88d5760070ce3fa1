//! CloudWatch Logs: log groups and their retention: what the world keeps of it.

use super::{Millis, Tagged, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {
    /// Log groups by name.
    pub groups: BTreeMap<String, LogGroup>,
}

/// A log group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogGroup {
    /// The ARN, without the `:*` at its end.
    pub arn: String,
    /// Days that events are kept; none for ever.
    pub retention_days: Option<i32>,
    /// The KMS key, where one was named.
    pub kms_key: Option<String>,
    /// The tags.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Millis,
}

impl Logs {
    /// What the tagging API shows of it.
    pub(crate) fn tagged(&self) -> Vec<Tagged> {
        let show = |group: &LogGroup| Tagged {
            kind: "logs:log-group",
            arn: group.arn.clone(),
            tags: group.tags.clone(),
        };
        self.groups.values().map(show).collect()
    }
}
