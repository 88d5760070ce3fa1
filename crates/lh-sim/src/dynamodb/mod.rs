//! DynamoDB: tables with a hash key of strings, and single items under conditions.
//!
//! Reads are always consistent here. Queries, scans, batches, transactions and update
//! expressions are not simulated.

mod expression;
mod items;
mod tables;

use crate::clock::SECOND;
use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Millis, Table};

/// How long a new table is `CREATING`.
pub(crate) const CREATING: Millis = 6 * SECOND;

/// The simulated operations of DynamoDB.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateTable", tables::create),
        reads("DescribeTable", tables::describe),
        writes("UpdateTable", tables::update),
        writes("PutItem", items::put),
        reads("GetItem", items::get),
        writes("DeleteItem", items::delete),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i str, ApiError> {
    let missing = || {
        invalid(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    };
    value.as_deref().ok_or_else(missing)
}

fn missing(name: &str) -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        format!("Requested resource not found: Table: {name} not found"),
    )
}

/// A table that serves items: one that is still `CREATING` does not.
fn serving<'s>(s: &'s mut Scene<'_>, name: &Option<String>) -> Result<&'s mut Table, ApiError> {
    let name = required(name, "tableName")?;
    let now = s.now;
    let absent = || ApiError::new("ResourceNotFoundException", "Requested resource not found");
    let found = s.here.tables.get_mut(name).ok_or_else(absent)?;
    if found.status(now) == "CREATING" { Err(absent()) } else { Ok(found) }
}
