//! The generated password in SSM Parameter Store. Its value is no property: nobody plans it.

use lh_model::{Existing, Resource, SecretRef};
use serde_json::json;

use super::{resource, tags, text_or_null};
use crate::stack::Stack;

/// The parameter, where the stack is to generate it. One that exists already is used.
pub(super) fn resource_of(stack: &Stack) -> Option<Resource> {
    let password = &stack.database.password;
    let SecretRef::Parameter(name) = &password.store.value else { return None };
    if !password.generate {
        return None;
    }
    let props = json!({
        "name": name,
        "generate": true,
        "kms_key": text_or_null(password.kms_key.as_ref()),
        "tags": tags(stack, &stack.prefix()),
    });
    let mut parameter = resource("parameter", "password", &password.store.origin, props);
    parameter.existing = Existing::Use;
    if let Some(key) = &password.kms_key {
        parameter.origins = [("kms_key".to_owned(), key.origin.clone())].into();
    }
    Some(parameter)
}
