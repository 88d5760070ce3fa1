//! The lock's item: what it holds, and the two conditions on which it is written.
//!
//! It is keyed `LockID` like Terraform's, so that one table serves both; a lock that Terraform
//! holds is recognised and left alone. The item stays when the lock is free, with its fencing
//! number, so that the number only ever grows.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use lh_kind::CloudError;
use lh_state::{Holder, StoreError};

use super::{RemoteStore, failed};
use crate::error::Named;

const KEY: &str = "LockID";
const HOLDER: &str = "Holder";
const VERSION: &str = "Version";
const FENCING: &str = "Fencing";
const LENGTH: &str = "LeaseMilliseconds";
/// Terraform's own attribute.
const INFO: &str = "Info";

/// The lock, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    /// Who has it; nobody when it is free.
    pub holder: Option<Holder>,
    /// Random, and another with each write.
    pub version: String,
    /// Grows with each owner.
    pub fencing: u64,
    /// How long it lasts without a renewal.
    pub length: Duration,
}

/// What is found under the lock's key.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A lock of lhctl.
    Ours(Record),
    /// A lock of another program.
    Foreign(Option<Holder>),
}

type Item = HashMap<String, AttributeValue>;

impl Record {
    fn item(&self, id: String) -> Item {
        let mut item = Item::from([
            (KEY.to_owned(), AttributeValue::S(id)),
            (VERSION.to_owned(), AttributeValue::S(self.version.clone())),
            (FENCING.to_owned(), AttributeValue::N(self.fencing.to_string())),
            (LENGTH.to_owned(), AttributeValue::N(self.length.as_millis().to_string())),
        ]);
        if let Some(holder) = &self.holder {
            let text = serde_json::to_string(holder).unwrap_or_default();
            item.insert(HOLDER.to_owned(), AttributeValue::S(text));
        }
        item
    }
}

fn text<'i>(item: &'i Item, name: &str) -> Option<&'i String> {
    item.get(name)?.as_s().ok()
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn read(item: &Item) -> Found {
    let (Some(version), Some(fencing)) = (text(item, VERSION), number(item, FENCING)) else {
        return Found::Foreign(text(item, INFO).and_then(|info| terraform(info)));
    };
    // A holder that cannot be read is a holder all the same.
    let unreadable = || Holder {
        who: "an unknown user".to_owned(),
        pid: 0,
        operation: "unknown".to_owned(),
        since: "unknown".to_owned(),
    };
    let holder = text(item, HOLDER).map(|text| serde_json::from_str(text).unwrap_or_else(|_| unreadable()));
    let length = Duration::from_millis(number(item, LENGTH).unwrap_or_default());
    Found::Ours(Record { holder, version: version.clone(), fencing, length })
}

/// Terraform's lock: <https://developer.hashicorp.com/terraform/language/backend/s3>.
fn terraform(info: &str) -> Option<Holder> {
    let info: serde_json::Value = serde_json::from_str(info).ok()?;
    let field = |name: &str| info.get(name).and_then(serde_json::Value::as_str).unwrap_or("unknown");
    Some(Holder {
        who: format!("{} with Terraform", field("Who")),
        pid: 0,
        operation: field("Operation").to_owned(),
        since: field("Created").to_owned(),
    })
}

impl RemoteStore {
    /// What is under the lock's key now.
    pub(super) async fn read_lock(&self) -> Result<Found, StoreError> {
        let id = AttributeValue::S(self.0.place.lock_id());
        let request = self.0.clients.dynamodb.get_item().table_name(&self.0.place.table);
        let answer = request.key(KEY, id).consistent_read(true).send().await.named("dynamodb:GetItem");
        let answer = answer.map_err(|error| failed(self.0.place.lock(), &error))?;
        Ok(answer.item.as_ref().map_or(Found::Nothing, read))
    }

    /// Writes the lock if its version is still `seen`, or if it is still not there.
    pub(super) async fn write_lock(&self, record: &Record, seen: Option<&str>) -> Result<(), CloudError> {
        let request = self.0.clients.dynamodb.put_item().table_name(&self.0.place.table);
        let request = request.set_item(Some(record.item(self.0.place.lock_id())));
        let request = match seen {
            None => request
                .condition_expression("attribute_not_exists(#key)")
                .expression_attribute_names("#key", KEY),
            Some(version) => request
                .condition_expression("#version = :seen")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":seen", AttributeValue::S(version.to_owned())),
        };
        request.send().await.named("dynamodb:PutItem").map(|_| ())
    }
}

/// Whether the write was refused because the lock is another by now.
pub(super) fn is_refused(error: &CloudError) -> bool {
    error.code == "ConditionalCheckFailedException"
}
