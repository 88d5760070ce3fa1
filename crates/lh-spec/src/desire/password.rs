//! The generated password, in SSM Parameter Store or Secrets Manager. Its value is no property:
//! nobody plans it.

use lh_model::{Existing, Lookup, Resource, SecretRef};
use serde_json::{Value, json};

use super::{lookup, lookups, resource, tags, text_or_null};
use crate::stack::{Password, Stack};

/// The parameter or secret, where the stack is to make it. One that exists already is used.
pub(super) fn resource_of(stack: &Stack) -> Option<Resource> {
    let password = &stack.database.password;
    if !is_made(password) {
        return None;
    }
    let (kind, name, key) = match &password.store.value {
        SecretRef::Parameter(name) => ("parameter", name, text_or_null(password.kms_key.as_ref())),
        SecretRef::Secret(name) => ("secret", name, key_arn(password)),
    };
    let mut props = json!({
        "name": name,
        "generate": true,
        "kms_key": key,
        "tags": tags(stack, &stack.prefix()),
    });
    if kind == "secret" {
        props["description"] = json!(format!("Password of the database of the stack {}", stack.id()));
    }
    let mut made = resource(kind, "password", &password.store.origin, props);
    made.existing = Existing::Use;
    if let Some(key) = &password.kms_key {
        made.origins = [("kms_key".to_owned(), key.origin.clone())].into();
    }
    Some(made)
}

/// A parameter is made where the stack says `generate: true`. A secret that is named and missing is
/// made unless the stack says `manage: false`; but nobody can make one under a given ARN.
fn is_made(password: &Password) -> bool {
    match &password.store.value {
        SecretRef::Parameter(_) => password.generate,
        SecretRef::Secret(name) => password.manage && !name.starts_with("arn:"),
    }
}

/// The key by its ARN, which Secrets Manager shows whatever the key was called.
fn key_arn(password: &Password) -> Value {
    password.kms_key.as_ref().map_or(Value::Null, |key| lookups::found(&lookups::key_name(&key.value), "arn"))
}

/// The parameter or secret that must exist, where the stack does not make it.
pub(super) fn looked_up(stack: &Stack) -> Option<Lookup> {
    let password = &stack.database.password;
    if is_made(password) {
        return None;
    }
    let (sort, name) = match &password.store.value {
        SecretRef::Parameter(name) => ("parameter", name),
        SecretRef::Secret(name) => ("secret", name),
    };
    Some(lookup(sort, &password.store.origin, json!({ "name": name })))
}
