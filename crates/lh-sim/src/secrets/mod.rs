//! Secrets Manager: secrets, their current version and their deletion with a recovery window.
//!
//! Rules and errors: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html>.
//! Rotation, replication and older versions are not simulated.

mod change;
mod read;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Secret;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateSecret", change::create),
        writes("UpdateSecret", change::update),
        writes("DeleteSecret", change::delete),
        writes("RestoreSecret", change::restore),
        writes("TagResource", change::tag),
        writes("UntagResource", change::untag),
        reads("DescribeSecret", read::describe),
        reads("GetSecretValue", read::value),
        reads("ListSecrets", read::list),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// The secret is in a state that does not allow the request.
fn wrong_state(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidRequestException", message)
}

fn not_found() -> ApiError {
    ApiError::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i String, ApiError> {
    value.as_ref().filter(|value| !value.is_empty()).ok_or_else(|| invalid(format!("{name} is required")))
}

/// What lag knows a secret by.
fn key(name: &str) -> String {
    format!("secret/{name}")
}

/// Removes what has outlived its recovery window.
fn sweep(s: &mut Scene<'_>) {
    let now = s.now;
    s.here.secrets.secrets.retain(|_, secret| secret.deleted.is_none_or(|(_, until)| until > now));
}

/// The secret of this name or ARN, even one that is scheduled for deletion.
fn find<'s>(s: &'s mut Scene<'_>, id: &Option<String>) -> Result<&'s mut Secret, ApiError> {
    let id = required(id, "SecretId")?;
    sweep(s);
    let found = s.here.secrets.secrets.values_mut().find(|secret| secret.name == *id || secret.arn == *id);
    found.ok_or_else(not_found)
}

/// The same, if it is not scheduled for deletion.
fn live<'s>(s: &'s mut Scene<'_>, id: &Option<String>) -> Result<&'s mut Secret, ApiError> {
    let secret = find(s, id)?;
    if secret.deleted.is_some() {
        return Err(wrong_state(
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    Ok(secret)
}
