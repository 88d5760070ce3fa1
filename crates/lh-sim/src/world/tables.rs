//! DynamoDB in the world: tables with a hash key of strings, and their items.

use super::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An item: attributes by name.
pub type Item = BTreeMap<String, Attribute>;

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// The unique id.
    pub id: String,
    /// The name of the hash key, a string.
    pub hash_key: String,
    /// `PAY_PER_REQUEST` or `PROVISIONED`.
    pub billing: String,
    /// Whether it cannot be deleted.
    pub deletion_protection: bool,
    /// When it was created.
    pub created_at: Millis,
    /// Until when it is `CREATING` or `UPDATING`.
    pub ready_at: Millis,
    /// Items by the value of the hash key.
    pub items: BTreeMap<String, Item>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attribute {
    /// A string.
    S(String),
    /// A number, in DynamoDB's own writing.
    N(String),
    /// True or false.
    Bool(bool),
}

impl Table {
    /// The state at `now`, as `DescribeTable` shows it.
    pub fn status(&self, now: Millis) -> &'static str {
        match (now < self.ready_at, self.created_at + crate::dynamodb::CREATING == self.ready_at) {
            (false, _) => "ACTIVE",
            (true, true) => "CREATING",
            (true, false) => "UPDATING",
        }
    }
}
