//! Addresses: the stable name of one resource inside a stack, `volume.data`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// `kind.name`, the name a resource keeps for its whole life in a stack.
///
/// Kinds are lower-case words with underscores; names may also hold digits, `-`, `.`, `/` and `:`
/// (a rule is named after its source, `security_group_rule.postgres-203.0.113.7/32`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    kind: String,
    name: String,
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a resource address; one looks like `volume.data`: kind, a dot, name")]
pub struct NotAnAddress(pub String);

impl Address {
    /// The address of the resource `name` of kind `kind`. Characters that an address
    /// cannot hold are replaced by `_`, so that names derived from user input always fit.
    pub fn new(kind: &str, name: &str) -> Self {
        let fit = |c: char| if c.is_ascii_alphanumeric() || "-._/:".contains(c) { c } else { '_' };
        Self { kind: kind.to_owned(), name: name.chars().map(fit).collect() }
    }

    /// The kind's name, such as `volume`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The resource's name within its kind, such as `data`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.to_owned());
        let (kind, name) = text.split_once('.').ok_or_else(wrong)?;
        let kind_fits = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let address = Self::new(kind, name);
        if kind_fits && !name.is_empty() && address.name == name { Ok(address) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Address {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        for text in ["volume.data", "security_group_rule.postgres-203.0.113.7/32"] {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_text_without_kind_or_name_is_refused() {
        for text in ["", "volume", "volume.", ".data", "Volume.data", "volume.a b"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
