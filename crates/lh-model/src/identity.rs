//! Identity: what a resource is called in AWS, and how its creation is made repeatable.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Address;

/// `<name>-<environment>`: the value of the tag `lhctl:stack` and the prefix of every name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StackId(pub String);

impl StackId {
    /// The stack of this name in this environment.
    pub fn new(name: &str, environment: &str) -> Self {
        Self(format!("{name}-{environment}"))
    }
}

impl fmt::Display for StackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id AWS gave to a resource, or the name that serves as one (`i-0abc…`, a role's name).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CloudId(pub String);

impl fmt::Display for CloudId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity a resource is created under, the value of its tag `lhctl:id`:
/// 32 hexadecimal digits derived from the state's lineage, the address and the generation,
/// so that a repeated creation says the same thing and a re-creation says another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(String);

impl Identity {
    /// Derives the identity of the `generation`-th resource (from 0) at `address`.
    pub fn derive(lineage: &str, address: &Address, generation: u32) -> Self {
        let digest = Sha256::digest(format!("{lineage}\n{address}\n{generation}"));
        Self(hex(&digest[..16]))
    }

    /// The client token for calls that take one. AWS allows 64 ASCII characters
    /// (EC2 API reference, "Ensuring idempotency").
    pub fn token(&self) -> String {
        format!("lhctl-{}", self.0)
    }

    /// The identity as the tag holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identity {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of `bytes`, as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_changes_with_each_of_its_parts_and_with_nothing_else() {
        let volume = Address::new("volume", "data");
        let base = Identity::derive("lineage", &volume, 0);
        assert_eq!(base, Identity::derive("lineage", &volume, 0));
        assert_ne!(base, Identity::derive("other", &volume, 0));
        assert_ne!(base, Identity::derive("lineage", &Address::new("volume", "logs"), 0));
        assert_ne!(base, Identity::derive("lineage", &volume, 1));
        assert!(base.token().len() <= 64);
    }
}
