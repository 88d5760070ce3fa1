//! Identity and Access Management: which operations there are, and what they share.

mod policies;
mod profiles;
mod roles;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::world::Tags;
use aws_sdk_iam::types::Tag;

/// The simulated operations of IAM.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateRole", roles::create),
        reads("GetRole", roles::get),
        writes("UpdateAssumeRolePolicy", roles::update_trust),
        writes("UpdateRole", roles::update),
        writes("TagRole", roles::tag),
        writes("UntagRole", roles::untag),
        writes("DeleteRole", roles::delete),
        writes("PutRolePolicy", policies::put),
        reads("GetRolePolicy", policies::get),
        writes("DeleteRolePolicy", policies::delete),
        reads("ListRolePolicies", policies::list),
        writes("AttachRolePolicy", policies::attach),
        writes("DetachRolePolicy", policies::detach),
        reads("ListAttachedRolePolicies", policies::list_attached),
        writes("CreateInstanceProfile", profiles::create),
        reads("GetInstanceProfile", profiles::get),
        writes("AddRoleToInstanceProfile", profiles::add_role),
        writes("RemoveRoleFromInstanceProfile", profiles::remove_role),
        writes("DeleteInstanceProfile", profiles::delete),
        writes("TagInstanceProfile", profiles::tag),
        writes("UntagInstanceProfile", profiles::untag),
    ]
}

/// A name that has to be there, of the characters IAM allows:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
fn name<'i>(value: &'i Option<String>, parameter: &str, most: usize) -> Result<&'i String, ApiError> {
    let name = value.as_ref().ok_or_else(|| invalid(format!("{parameter} is required")))?;
    let fine = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > most || !name.chars().all(fine) {
        return Err(invalid(format!("The specified value for {parameter} is invalid: {name}")));
    }
    Ok(name)
}

fn invalid(message: String) -> ApiError {
    ApiError::new("ValidationError", message)
}

fn missing(what: &str, name: &str) -> ApiError {
    ApiError::with_status(404, "NoSuchEntity", format!("The {what} with name {name} cannot be found."))
}

fn exists(what: &str, name: &str) -> ApiError {
    ApiError::with_status(409, "EntityAlreadyExists", format!("{what} with name {name} already exists."))
}

fn conflict(message: &str) -> ApiError {
    ApiError::with_status(409, "DeleteConflict", message)
}

fn limit(message: &str) -> ApiError {
    ApiError::with_status(409, "LimitExceeded", message)
}

fn put_tags(tags: &mut Tags, new: &[Tag]) -> Result<(), ApiError> {
    for tag in new {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::new("InvalidInput", "Tag keys that start with aws: are reserved."));
        }
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    if tags.len() > 50 {
        return Err(limit("The number of tags has reached the maximum limit of 50."));
    }
    Ok(())
}

fn show_tags(tags: &Tags) -> Result<Vec<Tag>, ApiError> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build().map_err(ApiError::from)).collect()
}
