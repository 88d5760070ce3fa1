//! The effect half of a kind: many in, many out for reading; one intent per change.

use std::{collections::BTreeMap, marker::PhantomData};

use async_trait::async_trait;
use lh_model::{Address, CloudId, Identity, Map, StackId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AnyRules, CallLog, CloudError, ErrorKind, FieldDiff, Rules};

/// One resource to look at.
#[derive(Clone, Debug)]
pub struct Target<P = Map> {
    /// Its address.
    pub address: Address,
    /// Its stack, the value of the tag `lhctl:stack`.
    pub stack: StackId,
    /// Its id, where state knows it: then nothing else is searched for.
    pub id: Option<CloudId>,
    /// The identity it was or would be created under, the value of the tag `lhctl:id`.
    pub identity: Identity,
    /// Its properties, from the spec or from state; references may be open.
    pub props: P,
    /// Whether it is recorded as something that existed before the stack and is only used: then
    /// nothing but its being there is of interest.
    pub used: bool,
}

/// Whom something found belongs to, by its tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Created by lhctl for this stack under this identity.
    Stack(Identity),
    /// It carries no ownership tag, or that of another stack.
    Other,
    /// The kind takes no tags: it belongs to what it hangs on.
    Parent,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found<F = Map> {
    /// Its id.
    pub id: CloudId,
    /// Whom it belongs to.
    pub owner: Owner,
    /// What AWS shows of it.
    pub facts: F,
}

/// What a look at a target gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen<F = Map> {
    /// It is there.
    Found(Found<F>),
    /// AWS does not show it.
    Absent,
    /// It could not be read; others of the batch were.
    Unreadable(CloudError),
}

/// What every creation and change carries.
#[derive(Clone, Debug)]
pub struct Op {
    /// The address.
    pub address: Address,
    /// The stack.
    pub stack: StackId,
    /// The identity, the value of the tag `lhctl:id`.
    pub identity: Identity,
    /// Tags of ownership, written with the creation.
    pub tags: BTreeMap<String, String>,
    /// Where its calls are noted.
    pub calls: CallLog,
}

impl Op {
    /// The operation on `address` under `identity`.
    pub fn new(stack: &StackId, address: &Address, identity: &Identity) -> Self {
        let tags = BTreeMap::from([
            ("lhctl:stack".to_owned(), stack.to_string()),
            ("lhctl:resource".to_owned(), address.to_string()),
            ("lhctl:id".to_owned(), identity.to_string()),
        ]);
        Self {
            address: address.clone(),
            stack: stack.clone(),
            identity: identity.clone(),
            tags,
            calls: CallLog::default(),
        }
    }

    /// The client token of the creation.
    pub fn token(&self) -> String {
        self.identity.token()
    }

    /// User tags and ownership tags together.
    pub fn all_tags(&self, user: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        user.clone().into_iter().chain(self.tags.clone()).collect()
    }
}

/// The effect half of a kind.
#[async_trait]
pub trait Ops: Rules {
    /// The AWS clients it calls.
    type Client: Send + Sync;

    /// Answers every target, in order, with as few calls as AWS allows. There is no way to
    /// read one: the batch is the only reader.
    async fn observe(client: &Self::Client, targets: &[Target<Self::Props>]) -> Vec<Seen<Self::Facts>>;

    /// Creates it. Repeating after a lost answer makes no second one: a resource that exists
    /// already under the same identity is a success.
    async fn create(client: &Self::Client, op: &Op, props: &Self::Props) -> Result<CloudId, CloudError>;

    /// Makes the differing properties as wanted. Repeating is harmless.
    async fn update(
        client: &Self::Client,
        op: &Op,
        id: &CloudId,
        want: &Self::Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError>;

    /// Deletes it. Something that is gone already is a success.
    async fn delete(
        client: &Self::Client,
        op: &Op,
        id: &CloudId,
        facts: &Self::Facts,
    ) -> Result<(), CloudError>;
}

/// The erased form of the kind `K`.
pub struct Erased<K>(PhantomData<fn() -> K>);

impl<K> Erased<K> {
    /// The erased form.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<K> Default for Erased<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// [`Ops`] with types erased: what a registry of kinds over one client holds.
#[async_trait]
pub trait AnyKind<C: Send + Sync>: AnyRules {
    /// [`Ops::observe`].
    async fn observe(&self, client: &C, targets: &[Target]) -> Vec<Seen>;
    /// [`Ops::create`].
    async fn create(&self, client: &C, op: &Op, props: &Map) -> Result<CloudId, CloudError>;
    /// [`Ops::update`].
    async fn update(
        &self,
        client: &C,
        op: &Op,
        id: &CloudId,
        want: &Map,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError>;
    /// [`Ops::delete`].
    async fn delete(&self, client: &C, op: &Op, id: &CloudId, facts: &Map) -> Result<(), CloudError>;
}

#[async_trait]
impl<K: Ops> AnyKind<K::Client> for Erased<K> {
    async fn observe(&self, client: &K::Client, targets: &[Target]) -> Vec<Seen> {
        let mut answers: Vec<Option<Seen>> = targets.iter().map(|_| None).collect();
        let (mut places, mut typed) = (Vec::new(), Vec::new());
        for (place, target) in targets.iter().enumerate() {
            match parse::<K, K::Props>(&target.props, "properties") {
                Ok(props) => {
                    let Target { address, stack, id, identity, used, .. } = target.clone();
                    places.push(place);
                    typed.push(Target { address, stack, id, identity, props, used });
                }
                Err(error) => answers[place] = Some(Seen::Unreadable(error)),
            }
        }
        if !typed.is_empty() {
            let seen = K::observe(client, &typed).await;
            for (place, seen) in places.into_iter().zip(seen) {
                answers[place] = Some(erase::<K>(seen));
            }
        }
        answers.into_iter().map(|seen| seen.unwrap_or(Seen::Absent)).collect()
    }

    async fn create(&self, client: &K::Client, op: &Op, props: &Map) -> Result<CloudId, CloudError> {
        K::create(client, op, &parse::<K, K::Props>(props, "properties")?).await
    }

    async fn update(
        &self,
        client: &K::Client,
        op: &Op,
        id: &CloudId,
        want: &Map,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        K::update(client, op, id, &parse::<K, K::Props>(want, "properties")?, diffs).await
    }

    async fn delete(&self, client: &K::Client, op: &Op, id: &CloudId, facts: &Map) -> Result<(), CloudError> {
        K::delete(client, op, id, &parse::<K, K::Facts>(facts, "facts")?).await
    }
}

fn parse<K: Rules, T: serde::de::DeserializeOwned>(map: &Map, what: &str) -> Result<T, CloudError> {
    serde_json::from_value(Value::Object(map.clone())).map_err(|error| {
        CloudError::new(ErrorKind::Other, K::NAME, format!("the {what} do not fit the kind: {error}"))
    })
}

fn erase<K: Rules>(seen: Seen<K::Facts>) -> Seen {
    match seen {
        Seen::Absent => Seen::Absent,
        Seen::Unreadable(error) => Seen::Unreadable(error),
        Seen::Found(Found { id, owner, facts }) => match serde_json::to_value(facts) {
            Ok(Value::Object(facts)) => Seen::Found(Found { id, owner, facts }),
            _ => Seen::Unreadable(CloudError::new(ErrorKind::Other, K::NAME, "the facts are no map")),
        },
    }
}
