//! The lock table: hash key `LockID`, paid by request, protected from deletion.
//!
//! A table made for Terraform serves as it is; only its protection is added.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription,
    TableStatus,
};
use aws_smithy_types::error::operation::BuildError;
use lh_kind::{CloudError, ErrorKind};
use lh_state::StoreError;

use super::{Done, Outcome, Report};
use crate::{
    error::Named,
    pace::{LOOKS, PAUSE, patiently},
    store::{StatePlace, StoreClients, failed},
};

const KEY: &str = "LockID";
const CREATE: &str = "dynamodb:CreateTable";

pub(super) async fn make(clients: &StoreClients, place: &StatePlace) -> Result<Vec<Done>, StoreError> {
    let named = || format!("the DynamoDB table {}", place.table);
    let wrong = |error: CloudError| failed(named(), &error);
    let mut report = Report::new(format!("table {}", place.table));
    let outcome = match describe(clients, &place.table).await.map_err(wrong)? {
        Some(_) => Outcome::Right,
        None => {
            create(clients, &place.table).await.map_err(wrong)?;
            Outcome::Created
        }
    };
    let table = active(clients, &place.table).await.map_err(wrong)?;
    if !has_key(&table) {
        return Err(StoreError::Remote {
            place: named(),
            reason: format!(
                "its key is not a hash key `{KEY}` of type string alone, so it cannot hold locks"
            ),
            fix: "Name another table with `state.lock_table`; bootstrap makes it.".to_owned(),
        });
    }
    report.note("table", outcome, format!("hash key {KEY}, active"));
    if table.deletion_protection_enabled == Some(true) {
        report.note("deletion protection", Outcome::Right, "on");
    } else {
        protect(clients, &place.table).await.map_err(wrong)?;
        active(clients, &place.table).await.map_err(wrong)?;
        report.note("deletion protection", Outcome::Mended, "on");
    }
    Ok(report.done)
}

async fn describe(clients: &StoreClients, name: &str) -> Result<Option<TableDescription>, CloudError> {
    let answer = clients.dynamodb.describe_table().table_name(name).send().await;
    match answer.named("dynamodb:DescribeTable") {
        Ok(answer) => Ok(answer.table),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn create(clients: &StoreClients, name: &str) -> Result<(), CloudError> {
    let unbuilt = |error: BuildError| CloudError::new(ErrorKind::Other, CREATE, error.to_string());
    let key = KeySchemaElement::builder().attribute_name(KEY).key_type(KeyType::Hash);
    let kind = AttributeDefinition::builder().attribute_name(KEY).attribute_type(ScalarAttributeType::S);
    let request = clients
        .dynamodb
        .create_table()
        .table_name(name)
        .key_schema(key.build().map_err(unbuilt)?)
        .attribute_definitions(kind.build().map_err(unbuilt)?)
        .billing_mode(BillingMode::PayPerRequest)
        .deletion_protection_enabled(true);
    match request.send().await.named(CREATE) {
        // An attempt whose answer was lost made it, or another run did.
        Err(error) if error.code != "ResourceInUseException" => Err(error),
        _ => Ok(()),
    }
}

/// Waits until the table serves. A table made a moment ago may not be shown yet.
async fn active(clients: &StoreClients, name: &str) -> Result<TableDescription, CloudError> {
    for _ in 0..LOOKS {
        if let Some(table) = describe(clients, name).await?
            && table.table_status == Some(TableStatus::Active)
        {
            return Ok(table);
        }
        clients.pace.pause(PAUSE).await;
    }
    let text = "the table did not become active in two minutes; run the command again to go on waiting";
    Err(CloudError::new(ErrorKind::NotYet, "dynamodb:DescribeTable", text))
}

fn has_key(table: &TableDescription) -> bool {
    let [key] = table.key_schema() else { return false };
    let kinds = table.attribute_definitions();
    let is_text = |one: &&AttributeDefinition| {
        one.attribute_name == KEY && one.attribute_type == ScalarAttributeType::S
    };
    key.attribute_name == KEY && key.key_type == KeyType::Hash && kinds.iter().any(|one| is_text(&one))
}

async fn protect(clients: &StoreClients, name: &str) -> Result<(), CloudError> {
    let update = async || {
        let request = clients.dynamodb.update_table().table_name(name).deletion_protection_enabled(true);
        request.send().await.named("dynamodb:UpdateTable")
    };
    patiently(clients.pace.as_ref(), update).await.map(|_| ())
}
