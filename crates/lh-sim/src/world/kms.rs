//! Key Management Service in the world: keys and their aliases. What is encrypted is not.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kms {
    /// Keys by id.
    pub keys: BTreeMap<String, Key>,
    /// Aliases, such as `alias/lighthouse`, and the ids of their keys.
    pub aliases: BTreeMap<String, String>,
}

/// A KMS key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Key {
    /// The id, a UUID.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, ….
    pub state: String,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ….
    pub usage: String,
    /// `SYMMETRIC_DEFAULT`, `RSA_4096`, ….
    pub spec: String,
}

impl Kms {
    /// The key of this id, alias, or ARN of either.
    pub fn find(&self, name: &str) -> Option<&Key> {
        let name = match name.strip_prefix("arn:") {
            Some(arn) => arn.rsplit(':').next().unwrap_or_default(),
            None => name,
        };
        let id = self.aliases.get(name).map_or(name.trim_start_matches("key/"), String::as_str);
        self.keys.get(id)
    }
}
