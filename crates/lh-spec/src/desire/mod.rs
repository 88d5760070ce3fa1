//! From a stack to the resources it asks for: the planner's input. Which resources there are
//! is decided here; what each of their properties does in AWS is the kinds' affair.

use std::collections::BTreeMap;

use lh_model::{Address, Desired, Existing, Lookup, Map, Origin, Reference, Resource};
use serde_json::{Value, json};

use crate::stack::{Placed, Stack};

mod backup;
mod dns;
mod iam;
mod instance;
mod key_pair;
mod lookups;
mod monitoring;
mod network;
mod outputs;
mod password;

pub use instance::host;

/// The resources, lookups and outputs of `stack`.
pub fn desire(stack: &Stack) -> Desired {
    let mut resources = network::resources(stack);
    resources.extend(iam::resources(stack));
    resources.extend(password::resource_of(stack));
    resources.extend(key_pair::resource_of(stack));
    resources.extend(instance::resources(stack));
    resources.extend(backup::resources(stack));
    resources.extend(monitoring::resources(stack));
    resources.extend(dns::resources(stack));
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    Desired {
        stack: stack.id(),
        region: stack.region.value.clone(),
        account: stack.account.as_ref().map(|account| account.value.clone()),
        protect: stack.protect.value,
        lookups: lookups::all(stack),
        resources,
        outputs: outputs::all(stack),
    }
}

/// A resource that the stack alone may own.
fn resource(kind: &str, name: &str, origin: &Origin, props: Value) -> Resource {
    Resource {
        address: Address::new(kind, name),
        props: object(props),
        origin: Some(origin.clone()),
        origins: BTreeMap::new(),
        after: [].into(),
        existing: Existing::Refuse,
    }
}

fn lookup(name: &str, origin: &Origin, query: Value) -> Lookup {
    Lookup { name: name.to_owned(), query: object(query), origin: Some(origin.clone()) }
}

/// The properties of a JSON object.
fn object(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The attribute of a resource, or of a lookup where `kind` is `lookup`.
fn reference(kind: &str, name: &str, attribute: &str) -> Value {
    Reference::new(Address::new(kind, name), attribute).to_value()
}

/// Its value, or null.
fn text_or_null(placed: Option<&Placed<String>>) -> Value {
    placed.map_or(Value::Null, |placed| json!(placed.value))
}

/// The user's tags, and the resource's name.
fn tags(stack: &Stack, name: &str) -> Value {
    let user = stack.tags.iter().map(|(key, value)| (key.clone(), json!(value.value)));
    Value::Object(user.chain([("Name".to_owned(), json!(name))]).collect())
}
