//! What a stack file asks for, as resources and lookups: the planner's first input.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Address, Origin, SecretRef, StackId,
    value::{Map, references},
};

/// Everything one stack file asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// `<name>-<environment>`.
    pub stack: StackId,
    /// AWS region, such as `us-east-1`.
    pub region: String,
    /// The account the file pins, 12 digits; any other is refused.
    pub account: Option<String>,
    /// Whether destroying, and replacing what holds data, is refused.
    pub protect: bool,
    /// What must exist already and is only looked up.
    pub lookups: Vec<Lookup>,
    /// What is created and managed.
    pub resources: Vec<Resource>,
    /// What the stack tells its user.
    pub outputs: Vec<Output>,
}

/// Something that exists outside the stack, found by name or id and never changed.
/// Other values refer to it as `lookup.<name>#<attribute>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// Which lookup: `network`, `image`, `key_pair`, `caller`.
    pub name: String,
    /// What is asked; the lookup's own file says which keys it takes.
    pub query: Map,
    /// The spec line behind it.
    pub origin: Option<Origin>,
}

/// One resource that the stack manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Its name for life.
    pub address: Address,
    /// Its wanted properties; values may be references.
    pub props: Map,
    /// The spec line that asks for it.
    pub origin: Option<Origin>,
    /// The spec lines of single properties, where they differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, Origin>,
    /// What must exist before it though no property refers to it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<Address>,
    /// What to do when AWS has one of this name that the stack did not make.
    pub existing: Existing,
}

impl Resource {
    /// All resources that this one needs: those its properties refer to, and [`Resource::after`].
    pub fn needs(&self) -> BTreeSet<Address> {
        let referred = self.props.values().flat_map(references).map(|r| r.address);
        referred.filter(|a| a.kind() != "lookup").chain(self.after.iter().cloned()).collect()
    }
}

/// What to do with something of the same name that the stack did not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// Refuse: two owners would fight over it.
    Refuse,
    /// Use it as it is, never change or delete it.
    Use,
}

/// A value the stack tells its user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its name, such as `database_endpoint`.
    pub name: String,
    /// The parts, joined without separator.
    pub parts: Vec<OutputPart>,
}

impl Output {
    /// Whether showing it shows a secret.
    pub fn is_sensitive(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, OutputPart::Secret(_)))
    }
}

/// A part of an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputPart {
    /// A literal or a reference to a resource's attribute.
    Value(Value),
    /// A secret, fetched only when this output is asked for, percent-encoded for a URL.
    Secret(SecretRef),
}
