//! Secrets Manager in the world: secrets, each with its current version.

use super::{Hidden, Millis, Tagged, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Secrets {
    /// Secrets by name; those scheduled for deletion are among them until their window ends.
    pub secrets: BTreeMap<String, Secret>,
}

/// A secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Secret {
    /// The name, which is its key.
    pub name: String,
    /// The ARN, with the six characters that Secrets Manager appends to the name.
    pub arn: String,
    /// The description.
    pub description: Option<String>,
    /// The KMS key, if it is not `aws/secretsmanager`.
    pub kms_key: Option<String>,
    /// The current value; `Debug` does not show it.
    pub value: Hidden,
    /// The id of the current version.
    pub version: String,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Millis,
    /// When the deletion was asked for, and when the recovery window ends.
    pub deleted: Option<(Millis, Millis)>,
}

impl Secrets {
    /// What the tagging API shows of it.
    pub(crate) fn tagged(&self) -> Vec<Tagged> {
        let there = self.secrets.values().filter(|secret| secret.deleted.is_none());
        there
            .map(|secret| Tagged {
                kind: "secretsmanager:secret",
                arn: secret.arn.clone(),
                tags: secret.tags.clone(),
            })
            .collect()
    }
}
