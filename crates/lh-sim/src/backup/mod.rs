//! AWS Backup: vaults, plans, selections and recovery points.
//!
//! Nothing runs by its schedule here: a test adds a recovery point by
//! [`crate::world::World::add_recovery_point`].

mod plans;
mod selections;
mod tags;
mod vaults;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::paging::Limits;

/// Lists of AWS Backup give up to 1,000 items in a page.
const PAGES: Limits = Limits { least: 1, most: 1000, usual: 1000 };

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateBackupVault", vaults::create),
        reads("DescribeBackupVault", vaults::describe),
        reads("ListBackupVaults", vaults::list),
        reads("ListRecoveryPointsByBackupVault", vaults::points),
        writes("DeleteBackupVault", vaults::delete),
        writes("CreateBackupPlan", plans::create),
        writes("UpdateBackupPlan", plans::update),
        reads("GetBackupPlan", plans::get),
        reads("ListBackupPlans", plans::list),
        writes("DeleteBackupPlan", plans::delete),
        writes("CreateBackupSelection", selections::create),
        reads("GetBackupSelection", selections::get),
        reads("ListBackupSelections", selections::list),
        writes("DeleteBackupSelection", selections::delete),
        reads("ListTags", tags::list),
        writes("TagResource", tags::add),
        writes("UntagResource", tags::remove),
    ]
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i str, ApiError> {
    let missing =
        || ApiError::new("MissingParameterValueException", format!("The parameter {name} is required."));
    value.as_deref().filter(|value| !value.is_empty()).ok_or_else(missing)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

fn missing(what: &str, name: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("Cannot find {what} with identifier {name}"))
}

/// "Must contain 1 to 50 alphanumeric or '-_.' characters": names of plans, rules and selections,
/// and the ids of requests.
fn check_name(text: &str, what: &str, others: &str) -> Result<(), ApiError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let good = (1..=50).contains(&text.len()) && text.chars().all(fine);
    good.then_some(()).ok_or_else(|| invalid(format!("{what} {text} is not valid.")))
}

fn check_creator(id: &Option<String>) -> Result<(), ApiError> {
    id.as_deref().map_or(Ok(()), |id| check_name(id, "CreatorRequestId", "-_."))
}
