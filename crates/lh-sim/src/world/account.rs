//! The account-wide part of the world: IAM, and SSM's parameters.

use super::{Hidden, Millis, Tags};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Identity and Access Management.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Iam {
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Instance profiles by name.
    pub profiles: BTreeMap<String, Profile>,
}

/// An IAM role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    /// The unique id, `AROA…`.
    pub id: String,
    /// The name, unique in the account.
    pub name: String,
    /// The path, `/` unless given.
    pub path: String,
    /// The trust policy as it was given (not URL-encoded).
    pub trust: String,
    /// The description.
    pub description: Option<String>,
    /// The longest session in seconds.
    pub max_session: i32,
    /// Tags.
    pub tags: Tags,
    /// Inline policies: name to document.
    pub inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies.
    pub attached: BTreeSet<String>,
    /// When it was created.
    pub created_at: Millis,
}

/// An IAM instance profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Profile {
    /// The unique id, `AIPA…`.
    pub id: String,
    /// The name, unique in the account.
    pub name: String,
    /// The path, `/` unless given.
    pub path: String,
    /// The name of its role; a profile holds one at most.
    pub role: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was created. EC2 does not know it for some seconds after.
    pub created_at: Millis,
}

/// An SSM parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameter {
    /// The name, which is its key.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// The value; `Debug` does not show it.
    pub value: Hidden,
    /// The key that a SecureString is encrypted with.
    pub key_id: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The pattern that values have to match.
    pub allowed_pattern: Option<String>,
    /// `Standard`, `Advanced` or `Intelligent-Tiering`.
    pub tier: String,
    /// The data type, `text` unless given.
    pub data_type: String,
    /// The version, 1 at first.
    pub version: i64,
    /// Tags.
    pub tags: Tags,
    /// When it was last changed.
    pub changed_at: Millis,
}
