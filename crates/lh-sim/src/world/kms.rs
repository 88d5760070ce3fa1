//! Key Management Service: looking at keys: what the world keeps of it.

use serde::{Deserialize, Serialize};

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kms {}
