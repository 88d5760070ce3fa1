//! What exists in the toy cloud, and the rules it keeps.

use std::collections::BTreeMap;

use lh_kind::{CloudError, ErrorKind};
use lh_model::{Address, Identity, Map, StackId};
use serde_json::Value;

/// One object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The address it was created for; known to the world even where the kind takes no tags, so
    /// that tests can count.
    pub address: Address,
    /// Its ownership tags, where it has some.
    pub owner: Option<(StackId, Identity)>,
    /// Its unique name, where its kind has one.
    pub natural: Option<String>,
    /// Its properties, as the cloud shows them.
    pub props: Map,
    /// The token it was created with, and the properties that went with it.
    pub(crate) token: Option<(String, Map)>,
    /// For how many more looks it is not shown.
    pub(crate) unseen: u32,
    /// For how many more looks it is not ready.
    pub(crate) pending: u32,
    /// For how many more looks it is on its way out.
    pub(crate) leaving: Option<u32>,
    /// Whether it will never be ready.
    pub(crate) is_failed: bool,
    /// Kept after the end, because tokens outlive what they made.
    pub(crate) is_gone: bool,
}

/// Every object that exists: the address it was made for, and its properties with ids replaced
/// by addresses, so that two clouds can be compared. Two objects of one address are two lines.
pub type Census = Vec<(String, Value)>;

/// Everything there is.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub objects: Vec<Object>,
    pub lag: u32,
    /// Whether the same token makes a second object, as in many an emulator.
    pub ignores_tokens: bool,
    pub never_ready: Vec<String>,
    pub failures: BTreeMap<String, (CloudError, usize)>,
    pub log: Vec<String>,
}

impl World {
    /// The objects of `kind` that exist.
    pub fn live<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.kind == kind && !object.is_gone)
    }

    /// The next id at `address`: the same in every world where as many were made there before.
    pub fn new_id(&self, address: &Address) -> String {
        let before = self.objects.iter().filter(|object| object.address == *address).count();
        format!("{}-{}-{}", address.kind(), address.name(), before + 1)
    }

    pub fn by_id(&mut self, id: &str) -> Option<&mut Object> {
        self.objects.iter_mut().find(|object| object.id == id && !object.is_gone)
    }

    /// One look at a kind: time passes for what is seen.
    pub fn tick(&mut self, kind: &str) {
        for object in self.objects.iter_mut().filter(|object| object.kind == kind) {
            if object.unseen > 0 {
                object.unseen -= 1;
                continue;
            }
            object.pending = object.pending.saturating_sub(1);
            match object.leaving {
                Some(0) => object.is_gone = true,
                Some(looks) => object.leaving = Some(looks - 1),
                None => {}
            }
        }
        self.sweep();
    }

    /// What hangs on something that is gone goes with it.
    pub fn sweep(&mut self) {
        let gone: Vec<String> = self.objects.iter().filter(|o| o.is_gone).map(|o| o.id.clone()).collect();
        for object in &mut self.objects {
            let hangs = |id: &String| object.props.values().any(|value| value.as_str() == Some(id));
            if object.kind == "mount" && gone.iter().any(hangs) {
                object.is_gone = true;
            }
            if object.kind == "address" && gone.iter().any(hangs) {
                object.props.insert("server".to_owned(), Value::Null);
            }
        }
    }

    /// Refuses to delete what something else still uses.
    pub fn unused(&self, operation: &str, id: &str) -> Result<(), CloudError> {
        // An address and a copy only remember: they keep nothing alive.
        let user = self.objects.iter().find(|object| {
            let keeps = !object.is_gone && !matches!(object.kind.as_str(), "address" | "copy");
            keeps && object.id != id && object.props.values().any(|value| value.as_str() == Some(id))
        });
        // A server that goes takes its mounts with it.
        match user.filter(|user| !(user.kind == "mount" && operation.ends_with("Server"))) {
            Some(user) => {
                let message = format!("{id} is still used by {}", user.id);
                Err(CloudError::new(ErrorKind::NotYet, operation, message))
            }
            None => Ok(()),
        }
    }

    /// See [`Census`].
    pub fn census(&self) -> Census {
        let live = || self.objects.iter().filter(|object| !object.is_gone);
        let names: BTreeMap<&str, String> = live().map(|o| (o.id.as_str(), o.address.to_string())).collect();
        let mut census: Census = live()
            .map(|object| (object.address.to_string(), renamed(&object.props.clone().into(), &names)))
            .collect();
        census.sort_by_key(|(address, props)| (address.clone(), props.to_string()));
        census
    }
}

/// `value` with every id replaced by the name it stands for.
pub(crate) fn renamed(value: &Value, names: &BTreeMap<&str, String>) -> Value {
    match value {
        Value::String(text) => names.get(text.as_str()).cloned().unwrap_or_else(|| text.clone()).into(),
        Value::Array(items) => items.iter().map(|item| renamed(item, names)).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), renamed(v, names))).collect(),
        other => other.clone(),
    }
}
