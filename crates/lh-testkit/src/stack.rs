//! The reference stack of the toy cloud, and a builder to vary it.

use std::collections::{BTreeMap, BTreeSet};

use lh_model::{Address, Desired, Existing, Lookup, Map, Origin, Reference, Resource, StackId, value::join};
use serde_json::{Value, json};

/// A stack file of the toy cloud.
#[derive(Clone, Debug)]
pub struct ToyStack(pub Desired);

/// The reference to `attribute` of `address`, as it stands in properties.
///
/// # Panics
/// When `address` is none.
pub fn reference(address: &str, attribute: &str) -> Value {
    Reference::new(address.parse().expect("an address"), attribute).to_value()
}

impl ToyStack {
    /// A stack without resources.
    pub fn empty() -> Self {
        let lookup = |name: &str| Lookup { name: name.to_owned(), query: Map::new(), origin: None };
        Self(Desired {
            stack: StackId::new("toy", "test"),
            region: "us-east-1".to_owned(),
            account: None,
            protect: false,
            lookups: vec![lookup("caller"), lookup("image")],
            resources: Vec::new(),
            outputs: Vec::new(),
        })
    }

    /// Group, two rules, disk, server, mount, address and secret, hanging on each other.
    pub fn reference() -> Self {
        let id = |address: &str| reference(address, "id");
        let tags = json!({"Owner": "test"});
        let script = join(vec!["mount ".into(), id("disk.data")]);
        Self::empty()
            .with("group.main", json!({"name": "main", "description": "all", "tags": tags}))
            .with("rule.ssh", json!({"group": id("group.main"), "port": 22, "note": "ssh", "tags": {}}))
            .with("rule.db", json!({"group": id("group.main"), "port": 5432, "note": "db", "tags": {}}))
            .with("disk.data", json!({"size": 20, "zone": "a", "tags": tags}))
            .with(
                "server.main",
                json!({
                    "group": id("group.main"),
                    "type": "small",
                    "image": reference("lookup.image", "id"),
                    "user_data": script,
                    "tags": tags,
                }),
            )
            .with(
                "mount.data",
                json!({"disk": id("disk.data"), "server": id("server.main"), "device": "/dev/b"}),
            )
            .with("address.main", json!({"server": id("server.main"), "tags": tags}))
            .with("secret.password", json!({"name": "password", "tags": tags}))
    }

    /// The same with a resource more, or in place of the one at its address.
    ///
    /// # Panics
    /// When `address` is none or `props` is no map.
    #[must_use]
    pub fn with(mut self, address: &str, props: Value) -> Self {
        let address: Address = address.parse().expect("an address");
        self.0.resources.retain(|resource| resource.address != address);
        let line = self.0.resources.len() + 1;
        self.0.resources.push(Resource {
            props: props.as_object().cloned().expect("a map"),
            origin: Some(Origin { file: "toy.yaml".to_owned(), line, column: 1, length: 1 }),
            origins: BTreeMap::new(),
            after: BTreeSet::new(),
            existing: Existing::Refuse,
            address,
        });
        self
    }

    /// The same without the resource at `address`.
    #[must_use]
    pub fn without(mut self, address: &str) -> Self {
        self.0.resources.retain(|resource| resource.address.to_string() != address);
        self
    }

    /// The same with one property set; `tags.Owner` sets a tag.
    ///
    /// # Panics
    /// When there is no such resource.
    #[must_use]
    pub fn set(mut self, address: &str, field: &str, value: Value) -> Self {
        let props = &mut self.resource(address).props;
        match field.split_once('.') {
            Some((map, key)) => props[map][key] = value,
            None => drop(props.insert(field.to_owned(), value)),
        }
        self
    }

    /// The same, using the resource at `address` if it exists already.
    ///
    /// # Panics
    /// When there is no such resource.
    #[must_use]
    pub fn using(mut self, address: &str) -> Self {
        self.resource(address).existing = Existing::Use;
        self
    }

    /// The same, with `address` after `other` though no property says so.
    ///
    /// # Panics
    /// When there is no such resource.
    #[must_use]
    pub fn after(mut self, address: &str, other: &str) -> Self {
        let other = other.parse().expect("an address");
        self.resource(address).after.insert(other);
        self
    }

    fn resource(&mut self, address: &str) -> &mut Resource {
        let found = self.0.resources.iter_mut().find(|resource| resource.address.to_string() == address);
        found.unwrap_or_else(|| panic!("the stack has no {address}"))
    }
}
