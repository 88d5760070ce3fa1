//! The effect half that all toy kinds share.

use std::collections::BTreeSet;

use lh_kind::{
    CloudError, ErrorKind, FieldDiff, Found, Idempotency, Op, Owner, Readiness, Rules, Seen, Target,
    change::{digested, tag_changes},
};
use lh_model::{CloudId, Map, value::is_late};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    ToyCloud,
    world::{Object, World},
};

/// What the toy cloud shows of a kind with the properties `P`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown<P> {
    /// Its properties.
    #[serde(flatten)]
    pub props: P,
    /// `ready`, `pending`, `leaving`, `failed`.
    pub state: String,
    /// A value that only the cloud knows.
    pub ip: String,
}

impl<P> Shown<P> {
    /// Whether it can be used.
    pub(crate) fn readiness(&self) -> Readiness {
        match self.state.as_str() {
            "ready" => Readiness::Ready,
            "leaving" => Readiness::Leaving(self.state.clone()),
            "failed" => Readiness::Failed("the toy cloud broke it".to_owned()),
            other => Readiness::Pending(other.to_owned()),
        }
    }
}

/// What makes one toy kind different from another.
pub(crate) trait Toy: Rules {
    /// Its name in operations.
    const WORD: &'static str;
    /// For how many looks a new or changed one is not ready.
    const PENDING: u32 = 0;
    /// For how many looks a deleted one is still shown.
    const LEAVES: u32 = 0;
    /// Whether it takes tags; otherwise it belongs to what it hangs on.
    const TAGGED: bool = true;
    /// The properties that name others, by kind.
    const REFS: &'static [(&'static str, &'static str)] = &[];
    /// Its unique name, where it has one.
    fn natural(_props: &Map) -> Option<String> {
        None
    }
}

fn map_of(value: &impl Serialize) -> Map {
    serde_json::to_value(value).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default()
}

fn shown<K: Toy, F: DeserializeOwned>(object: &Object, target: &Target<K::Props>) -> Seen<F> {
    let mut facts = object.props.clone();
    for field in K::FIELDS.iter().filter(|field| field.digest) {
        if let Some(value) = facts.get_mut(field.name) {
            *value = digested(value);
        }
    }
    let state = match object {
        Object { leaving: Some(_), .. } => "leaving",
        Object { is_failed: true, .. } => "failed",
        Object { pending: 1.., .. } => "pending",
        _ => "ready",
    };
    facts.insert("state".to_owned(), state.into());
    facts.insert("ip".to_owned(), format!("ip-of-{}", object.id).into());
    let owner = match &object.owner {
        _ if !K::TAGGED => Owner::Parent,
        Some((stack, identity)) if *stack == target.stack => Owner::Stack(identity.clone()),
        _ => Owner::Other,
    };
    match serde_json::from_value(facts.into()) {
        Ok(facts) => Seen::Found(Found { id: CloudId(object.id.clone()), owner, facts }),
        Err(error) => Seen::Unreadable(CloudError::new(ErrorKind::Other, K::NAME, error.to_string())),
    }
}

fn search<'a, K: Toy>(world: &'a World, target: &Target<K::Props>) -> Option<&'a Object> {
    let visible = || world.live(K::NAME).filter(|object| object.unseen == 0);
    if let Some(id) = &target.id {
        return visible().find(|object| object.id == id.0);
    }
    let tagged = |object: &&Object| {
        let stack = object.owner.as_ref().is_some_and(|(stack, _)| *stack == target.stack);
        stack && object.address == target.address
    };
    let exact =
        |object: &&Object| object.owner.as_ref().is_some_and(|(_, identity)| *identity == target.identity);
    let natural = K::natural(&map_of(&target.props));
    let named = |object: &&Object| natural.is_some() && object.natural == natural;
    visible().find(exact).or_else(|| visible().find(tagged)).or_else(|| visible().find(named))
}

pub(crate) async fn observe<K: Toy>(cloud: &ToyCloud, targets: &[Target<K::Props>]) -> Vec<Seen<K::Facts>> {
    let operation = format!("toy:Describe{}", K::WORD);
    cloud.read(&operation).await;
    let mut world = cloud.world();
    if let Some(error) = cloud.failure(&mut world, &operation) {
        return targets.iter().map(|_| Seen::Unreadable(error.clone())).collect();
    }
    world.tick(K::NAME);
    let look =
        |target| search::<K>(&world, target).map_or(Seen::Absent, |found| shown::<K, _>(found, target));
    targets.iter().map(look).collect()
}

pub(crate) async fn create<K: Toy>(
    cloud: &ToyCloud,
    op: &Op,
    props: &K::Props,
) -> Result<CloudId, CloudError> {
    let operation = format!("toy:Create{}", K::WORD);
    let props = map_of(props);
    if let Some((field, _)) = props.iter().find(|(_, value)| is_late(value)) {
        return Err(CloudError::unresolved(&operation, field));
    }
    cloud.change(&operation, |world| make::<K>(world, &operation, op, &props)).await
}

fn make<K: Toy>(world: &mut World, operation: &str, op: &Op, props: &Map) -> Result<CloudId, CloudError> {
    let error = |kind, message: String| Err(CloudError::new(kind, operation, message));
    let natural = K::natural(props);
    if K::CREATE == Idempotency::Token && !world.ignores_tokens {
        // As AWS does: a token answers with what it made, even when that is gone.
        let token = op.token();
        let made = world.objects.iter().find(|o| o.token.as_ref().is_some_and(|(t, _)| *t == token));
        match made {
            Some(made) if made.token.as_ref().is_some_and(|(_, with)| with == props) => {
                return Ok(CloudId(made.id.clone()));
            }
            Some(_) => return error(ErrorKind::TokenMismatch, format!("{token} was used otherwise")),
            None => {}
        }
    }
    if natural.is_some()
        && let Some(twin) = world.live(K::NAME).find(|object| object.natural == natural)
    {
        // What takes no tags may be repeated; the rest must carry this identity.
        let ours = twin.owner.as_ref().is_some_and(|(_, identity)| *identity == op.identity);
        return if ours || !K::TAGGED {
            Ok(CloudId(twin.id.clone()))
        } else {
            error(ErrorKind::Exists, format!("{} exists already", natural.unwrap_or_default()))
        };
    }
    for (field, kind) in K::REFS {
        let id = props.get(*field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let usable = world.live(kind).any(|o| o.id == id && o.leaving.is_none() && o.unseen == 0);
        if !id.is_empty() && !usable {
            return error(ErrorKind::Invalid, format!("{field} `{id}` is no usable {kind}"));
        }
    }
    let id = world.new_id(&op.address);
    let object = Object {
        kind: K::NAME.to_owned(),
        id: id.clone(),
        address: op.address.clone(),
        owner: K::TAGGED.then(|| (op.stack.clone(), op.identity.clone())),
        natural,
        props: props.clone(),
        token: (K::CREATE == Idempotency::Token).then(|| (op.token(), props.clone())),
        unseen: world.lag,
        pending: K::PENDING,
        leaving: None,
        is_failed: world.never_ready.iter().any(|kind| kind == K::NAME),
        is_gone: false,
    };
    world.objects.push(object);
    Ok(CloudId(id))
}

pub(crate) async fn update<K: Toy>(
    cloud: &ToyCloud,
    id: &CloudId,
    diffs: &[FieldDiff],
) -> Result<(), CloudError> {
    let operation = format!("toy:Modify{}", K::WORD);
    if let Some(diff) = diffs.iter().find(|diff| is_late(&diff.new)) {
        return Err(CloudError::unresolved(&operation, &diff.field));
    }
    let apply = |world: &mut World| {
        let missing = || CloudError::new(ErrorKind::NotFound, &operation, format!("{id} is not there"));
        let object = world.by_id(&id.0).ok_or_else(missing)?;
        let acting: Vec<&FieldDiff> = diffs.iter().filter(|diff| diff.effect.is_some()).collect();
        for diff in acting.iter().filter(|diff| !diff.field.starts_with("tags.")) {
            object.props.insert(diff.field.clone(), diff.new.clone());
            object.pending = K::PENDING;
        }
        let (set, remove) = tag_changes(diffs);
        let tags = object.props.entry("tags").or_insert_with(|| json!({}));
        if let Some(tags) = tags.as_object_mut() {
            tags.extend(set.into_iter().map(|(key, value)| (key, Value::from(value))));
            let remove: BTreeSet<String> = remove.into_iter().collect();
            tags.retain(|key, _| !remove.contains(key));
        }
        Ok(())
    };
    cloud.change(&operation, apply).await
}

pub(crate) async fn delete<K: Toy>(cloud: &ToyCloud, id: &CloudId) -> Result<(), CloudError> {
    let operation = format!("toy:Delete{}", K::WORD);
    let apply = |world: &mut World| {
        world.unused(&operation, &id.0)?;
        if let Some(object) = world.by_id(&id.0) {
            match K::LEAVES {
                0 => object.is_gone = true,
                looks => object.leaving = object.leaving.or(Some(looks)),
            }
        }
        world.sweep();
        Ok(())
    };
    cloud.change(&operation, apply).await
}
