//! Route 53 in the world: hosted zones, their records, and changes on their way to the name servers.

use super::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Route53 {
    /// Hosted zones by id.
    pub zones: BTreeMap<String, Zone>,
    /// Changes by id, and when they were submitted.
    pub changes: BTreeMap<String, Millis>,
}

/// A hosted zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Zone {
    /// The id, `Z…`.
    pub id: String,
    /// The name, with a dot at its end.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// The records, in Route 53's order.
    pub records: Vec<RecordSet>,
}

/// The records of one name and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The full name, with a dot at its end.
    pub name: String,
    /// `A`, `TXT`, ….
    pub kind: String,
    /// Seconds; none for an alias.
    pub ttl: Option<i64>,
    /// The values.
    pub values: Vec<String>,
    /// What tells records of one name and type apart, where there are several.
    pub set_identifier: Option<String>,
    /// What an alias stands for.
    pub alias: Option<String>,
}

impl RecordSet {
    /// A plain record.
    pub fn new(name: &str, kind: &str, ttl: i64, values: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            ttl: Some(ttl),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            set_identifier: None,
            alias: None,
        }
    }

    /// "Sorted by DNS name with the labels reversed, then by type."
    pub(crate) fn place(&self) -> (String, String, Option<String>) {
        (reversed(&self.name), self.kind.clone(), self.set_identifier.clone())
    }
}

/// `db.example.com.` as `com.example.db.`.
pub(crate) fn reversed(name: &str) -> String {
    name.trim_end_matches('.').rsplit('.').map(|label| format!("{label}.")).collect()
}

impl Zone {
    /// A zone with the records that Route 53 makes with it.
    pub fn new(id: &str, name: &str, private: bool) -> Self {
        let soa = "ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
        let servers = ["ns-1.awsdns-01.org.", "ns-2.awsdns-02.com.", "ns-3.awsdns-03.net."];
        let records =
            vec![RecordSet::new(name, "NS", 172_800, &servers), RecordSet::new(name, "SOA", 900, &[soa])];
        Self { id: id.to_owned(), name: name.to_owned(), private, records }
    }
}
