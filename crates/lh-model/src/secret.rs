//! Secrets: a reference that may be written anywhere, and a plaintext that may be written nowhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where a secret is kept. Holds a name, never a value nor a hash of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// A SecureString in SSM Parameter Store, by name.
    Parameter(String),
    /// A secret in Secrets Manager, by name.
    Secret(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "SSM parameter {name}"),
            Self::Secret(name) => write!(f, "Secrets Manager secret {name}"),
        }
    }
}

/// A secret's value. It cannot be printed, compared, serialised or cloned, and its memory
/// is zeroed when it is dropped. It exists only between the secret store and the one call,
/// or the one output, that needs it.
pub struct Plaintext(Zeroizing<String>);

impl Plaintext {
    /// Takes the value over; the caller keeps no copy.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_prints_names_only() {
        let reference = SecretRef::Parameter("/lighthouse/dev/db/password".into());
        assert_eq!(reference.to_string(), "SSM parameter /lighthouse/dev/db/password");
    }
}
