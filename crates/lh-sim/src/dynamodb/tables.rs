//! Tables: creating them, their settings, and their states over time.

use super::{CREATING, invalid, missing, required};
use crate::clock::{SECOND, date};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Table;
use aws_sdk_dynamodb::operation::create_table::{CreateTableInput, CreateTableOutput};
use aws_sdk_dynamodb::operation::describe_table::{DescribeTableInput, DescribeTableOutput};
use aws_sdk_dynamodb::operation::update_table::{UpdateTableInput, UpdateTableOutput};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingModeSummary, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription,
};
use std::collections::BTreeMap;

/// How long an update takes.
const UPDATING: u64 = 2 * SECOND;

/// CreateTable: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>.
pub(super) fn create(s: &mut Scene<'_>, i: &CreateTableInput) -> Result<CreateTableOutput, ApiError> {
    let name = required(&i.table_name, "tableName")?;
    let schema = i.key_schema.as_deref().unwrap_or_default();
    let [KeySchemaElement { attribute_name, key_type: KeyType::Hash, .. }] = schema else {
        return Err(invalid("The simulation knows tables with a hash key only."));
    };
    let defined = i.attribute_definitions.as_deref().unwrap_or_default();
    match defined {
        [one] if one.attribute_name == *attribute_name && one.attribute_type == ScalarAttributeType::S => {}
        _ => {
            return Err(invalid(
                "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            ));
        }
    }
    if s.here.tables.contains_key(name) {
        return Err(ApiError::new("ResourceInUseException", format!("Table already exists: {name}")));
    }
    let billing = i.billing_mode.as_ref().map_or("PROVISIONED", |mode| mode.as_str());
    if billing == "PROVISIONED" && i.provisioned_throughput.is_none() {
        return Err(invalid(
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ));
    }
    let table = Table {
        id: s.random.request_id(),
        hash_key: attribute_name.clone(),
        billing: billing.to_owned(),
        deletion_protection: i.deletion_protection_enabled == Some(true),
        created_at: s.now,
        ready_at: s.now + CREATING,
        items: BTreeMap::new(),
    };
    let shown = show(s, name, &table)?;
    s.here.tables.insert(name.to_owned(), table);
    Ok(CreateTableOutput::builder().table_description(shown).build())
}

/// DescribeTable.
pub(super) fn describe(s: &mut Scene<'_>, i: &DescribeTableInput) -> Result<DescribeTableOutput, ApiError> {
    let name = required(&i.table_name, "tableName")?;
    let table = s.here.tables.get(name).ok_or_else(|| missing(name))?;
    Ok(DescribeTableOutput::builder().table(show(s, name, table)?).build())
}

/// UpdateTable: billing mode and deletion protection.
pub(super) fn update(s: &mut Scene<'_>, i: &UpdateTableInput) -> Result<UpdateTableOutput, ApiError> {
    let name = required(&i.table_name, "tableName")?;
    let now = s.now;
    let table = s.here.tables.get_mut(name).ok_or_else(|| missing(name))?;
    if table.status(now) != "ACTIVE" {
        let message =
            format!("Attempt to change a resource which is still in use: Table is being updated: {name}");
        return Err(ApiError::new("ResourceInUseException", message));
    }
    if let Some(on) = i.deletion_protection_enabled {
        table.deletion_protection = on;
    }
    if let Some(mode) = &i.billing_mode {
        table.billing = mode.as_str().to_owned();
    }
    table.ready_at = now + UPDATING;
    let table = table.clone();
    Ok(UpdateTableOutput::builder().table_description(show(s, name, &table)?).build())
}

fn show(s: &Scene<'_>, name: &str, table: &Table) -> Result<TableDescription, ApiError> {
    let key = KeySchemaElement::builder().attribute_name(&table.hash_key).key_type(KeyType::Hash).build()?;
    let kind = AttributeDefinition::builder()
        .attribute_name(&table.hash_key)
        .attribute_type(ScalarAttributeType::S)
        .build()?;
    Ok(TableDescription::builder()
        .table_name(name)
        .table_id(&table.id)
        .table_arn(s.arn("dynamodb", &format!("table/{name}")))
        .table_status(table.status(s.now).into())
        .creation_date_time(date(table.created_at))
        .key_schema(key)
        .attribute_definitions(kind)
        .item_count(i64::try_from(table.items.len()).unwrap_or(i64::MAX))
        .deletion_protection_enabled(table.deletion_protection)
        .billing_mode_summary(
            BillingModeSummary::builder().billing_mode(table.billing.as_str().into()).build(),
        )
        .build())
}
