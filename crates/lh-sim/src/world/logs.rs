//! CloudWatch Logs: log groups and their retention: what the world keeps of it.

use super::Tagged;
use serde::{Deserialize, Serialize};

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {}

impl Logs {
    /// What the tagging API shows of it.
    pub(crate) fn tagged(&self) -> Vec<Tagged> {
        Vec::new()
    }
}
