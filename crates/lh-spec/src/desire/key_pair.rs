//! The key pair for SSH: imported where the stack gives the public key, else one that exists.

use lh_model::{Existing, Lookup, Resource};
use serde_json::json;

use super::{lookup, resource, tags};
use crate::stack::Stack;

/// The key pair to import. One of this name that exists already is used.
pub(super) fn resource_of(stack: &Stack) -> Option<Resource> {
    let (name, key) = (stack.ssh.key_name.as_ref()?, stack.ssh.public_key.as_ref()?);
    let props = json!({
        "name": name.value,
        "public_key": stack.ssh.key_text.as_ref()?,
        "tags": tags(stack, &stack.prefix()),
    });
    let mut pair = resource("key_pair", "main", &name.origin, props);
    pair.existing = Existing::Use;
    pair.origins = [("public_key".to_owned(), key.origin.clone())].into();
    Some(pair)
}

/// The key pair that must exist.
pub(super) fn looked_up(stack: &Stack) -> Option<Lookup> {
    let name = stack.ssh.key_name.as_ref()?;
    let is_imported = stack.ssh.public_key.is_some();
    (!is_imported).then(|| lookup("key_pair", &name.origin, json!({ "key_name": name.value })))
}
