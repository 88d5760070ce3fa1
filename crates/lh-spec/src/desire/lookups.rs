//! What must exist already, and is only looked up.

use lh_model::{Lookup, SecretRef};
use serde_json::{Value, json};

use super::{lookup, text_or_null};
use crate::stack::Stack;

/// All lookups of `stack`.
pub(super) fn all(stack: &Stack) -> Vec<Lookup> {
    let instance_type = &stack.instance.r#type.value.name;
    let network = &stack.network;
    let mut lookups = vec![
        lookup("caller", stack.account.as_ref().map_or(&stack.origin, |account| &account.origin), json!({})),
        lookup(
            "image",
            &stack.instance.image.origin,
            json!({ "image": stack.instance.image.value, "instance_type": instance_type }),
        ),
        lookup(
            "network",
            // The narrowest place is what a failure is most often about.
            network.subnet.as_ref().map_or(&network.vpc.origin, |subnet| &subnet.origin),
            json!({
                "vpc": network.vpc.value,
                "subnet": text_or_null(network.subnet.as_ref()),
                "zone": text_or_null(network.zone.as_ref()),
                "instance_type": instance_type,
            }),
        ),
    ];
    if let Some(key) = &stack.ssh.key_name {
        lookups.push(lookup("key_pair", &key.origin, json!({ "key_name": key.value })));
    }
    lookups.extend(super::monitoring::topic_lookup(stack));
    let password = &stack.database.password;
    if let (SecretRef::Parameter(name), false) = (&password.store.value, password.generate) {
        lookups.push(lookup("parameter", &password.store.origin, json!({ "name": name })));
    }
    lookups.extend(super::backup::lookups(stack));
    lookups
}

/// The attribute of a lookup.
pub(super) fn found(name: &str, attribute: &str) -> Value {
    super::reference("lookup", name, attribute)
}
