//! Single items: put, get and delete, under a condition.

use super::{expression, invalid, serving};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Attribute, Item, Table};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use std::collections::HashMap;

type Sdk = HashMap<String, AttributeValue>;

/// A value of the SDK as the world keeps it.
pub(super) fn attribute(value: &AttributeValue) -> Result<Attribute, ApiError> {
    match value {
        AttributeValue::S(text) => Ok(Attribute::S(text.clone())),
        AttributeValue::N(number) if number.parse::<f64>().is_ok() => Ok(Attribute::N(number.clone())),
        AttributeValue::N(_) => Err(invalid("A value provided cannot be converted into a number")),
        AttributeValue::Bool(flag) => Ok(Attribute::Bool(*flag)),
        _ => Err(invalid("The simulation knows attributes of the types S, N and BOOL only.")),
    }
}

fn taken_in(values: Option<&Sdk>) -> Result<Item, ApiError> {
    let values = values.into_iter().flatten();
    values.map(|(name, value)| Ok((name.clone(), attribute(value)?))).collect()
}

fn shown(item: &Item) -> Sdk {
    let value = |kept: &Attribute| match kept {
        Attribute::S(text) => AttributeValue::S(text.clone()),
        Attribute::N(number) => AttributeValue::N(number.clone()),
        Attribute::Bool(flag) => AttributeValue::Bool(*flag),
    };
    item.iter().map(|(name, kept)| (name.clone(), value(kept))).collect()
}

/// The value of the hash key among these attributes.
fn key(table: &Table, item: &Item) -> Result<String, ApiError> {
    match item.get(&table.hash_key) {
        Some(Attribute::S(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(invalid(format!(
            "One or more parameter values were invalid: Missing the key {} in the item",
            table.hash_key
        ))),
    }
}

/// The parts of a conditional write that put and delete have in common.
struct Guard<'i> {
    condition: Option<&'i str>,
    names: Option<&'i HashMap<String, String>>,
    values: Option<&'i Sdk>,
}

impl Guard<'_> {
    fn check(&self, item: Option<&Item>) -> Result<(), ApiError> {
        let Some(condition) = self.condition else { return Ok(()) };
        let values = taken_in(self.values)?;
        let empty = Item::new();
        let holds = expression::holds(condition, item.unwrap_or(&empty), self.names, &values)?;
        let failed = || ApiError::new("ConditionalCheckFailedException", "The conditional request failed");
        holds.then_some(()).ok_or_else(failed)
    }
}

fn plain(returns: bool, on_failure: Option<&ReturnValuesOnConditionCheckFailure>) -> Result<(), ApiError> {
    let asks = on_failure.is_some_and(|wanted| *wanted != ReturnValuesOnConditionCheckFailure::None);
    if returns || asks {
        return Err(invalid("The simulation does not return old items: ReturnValues must be NONE."));
    }
    Ok(())
}

fn wants(returned: Option<&ReturnValue>) -> bool {
    returned.is_some_and(|wanted| *wanted != ReturnValue::None)
}

/// PutItem: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>.
pub(super) fn put(s: &mut Scene<'_>, i: &PutItemInput) -> Result<PutItemOutput, ApiError> {
    plain(wants(i.return_values.as_ref()), i.return_values_on_condition_check_failure.as_ref())?;
    let table = serving(s, &i.table_name)?;
    let item = taken_in(i.item.as_ref())?;
    let key = key(table, &item)?;
    let guard = Guard {
        condition: i.condition_expression.as_deref(),
        names: i.expression_attribute_names.as_ref(),
        values: i.expression_attribute_values.as_ref(),
    };
    guard.check(table.items.get(&key))?;
    table.items.insert(key, item);
    Ok(PutItemOutput::builder().build())
}

/// GetItem.
pub(super) fn get(s: &mut Scene<'_>, i: &GetItemInput) -> Result<GetItemOutput, ApiError> {
    let table = serving(s, &i.table_name)?;
    let key = key(table, &taken_in(i.key.as_ref())?)?;
    Ok(GetItemOutput::builder().set_item(table.items.get(&key).map(shown)).build())
}

/// DeleteItem: deleting what is not there is a success.
pub(super) fn delete(s: &mut Scene<'_>, i: &DeleteItemInput) -> Result<DeleteItemOutput, ApiError> {
    plain(wants(i.return_values.as_ref()), i.return_values_on_condition_check_failure.as_ref())?;
    let table = serving(s, &i.table_name)?;
    let key = key(table, &taken_in(i.key.as_ref())?)?;
    let guard = Guard {
        condition: i.condition_expression.as_deref(),
        names: i.expression_attribute_names.as_ref(),
        values: i.expression_attribute_values.as_ref(),
    };
    guard.check(table.items.get(&key))?;
    table.items.remove(&key);
    Ok(DeleteItemOutput::builder().build())
}
