//! The toy cloud as the ports see it, and its knobs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use lh_kind::{
    AnyKind, AnyRules, CloudError, Erased, ErrorKind, FieldDiff, Mutate, Observe, Op, Probe, RuleBook, Seen,
    Target,
};
use lh_model::{Address, CloudId, Diagnostic, Identity, Map, Plaintext, SecretRef, StackId};
use lh_state::State;
use serde_json::{Value, json};

use super::{
    Census, Object, kinds,
    world::{World, renamed},
};
use crate::crash::{Crash, Fate};

/// A cloud in memory. Clones are handles to the same one.
#[derive(Clone, Debug, Default)]
pub struct ToyCloud {
    world: Arc<Mutex<World>>,
    crash: Crash,
}

fn registry() -> &'static [&'static dyn AnyKind<ToyCloud>] {
    const {
        &[
            &Erased::<kinds::Group>::new(),
            &Erased::<kinds::Rule>::new(),
            &Erased::<kinds::Disk>::new(),
            &Erased::<kinds::Copy>::new(),
            &Erased::<kinds::Server>::new(),
            &Erased::<kinds::Mount>::new(),
            &Erased::<kinds::Address>::new(),
            &Erased::<kinds::Secret>::new(),
        ]
    }
}

fn kind_of(name: &str) -> Option<&'static dyn AnyKind<ToyCloud>> {
    registry().iter().copied().find(|kind| kind.name() == name)
}

impl ToyCloud {
    /// An empty cloud whose calls obey `crash`.
    pub fn new(crash: &Crash) -> Self {
        Self { world: Arc::default(), crash: crash.clone() }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// New objects are not shown for `looks` looks at their kind.
    pub fn set_lag(&self, looks: u32) {
        self.world().lag = looks;
    }

    /// From now on the same token makes a second object.
    pub fn ignore_tokens(&self) {
        self.world().ignores_tokens = true;
    }

    /// The next `times` calls of `operation` fail with `kind`, without effect.
    pub fn fail(&self, operation: &str, kind: ErrorKind, times: usize) {
        let error = CloudError::new(kind, operation, "the test asked for it");
        self.world().failures.insert(operation.to_owned(), (error, times));
    }

    /// New objects of `kind` come up broken.
    pub fn break_new(&self, kind: &str) {
        self.world().never_ready.push(kind.to_owned());
    }

    /// Puts an object there that no run made; `owner` are its ownership tags. Returns its id.
    pub fn plant(&self, address: &Address, owner: Option<(StackId, Identity)>, props: Value) -> CloudId {
        let mut world = self.world();
        let id = world.new_id(address);
        let props: Map = props.as_object().cloned().unwrap_or_default();
        let natural = props.get("name").and_then(Value::as_str).map(str::to_owned);
        let kind = address.kind().to_owned();
        let (token, unseen, pending, leaving) = (None, 0, 0, None);
        let (is_failed, is_gone, address) = (false, false, address.clone());
        let id_text = id.clone();
        world.objects.push(Object {
            kind,
            id,
            address,
            owner,
            natural,
            props,
            token,
            unseen,
            pending,
            leaving,
            is_failed,
            is_gone,
        });
        CloudId(id_text)
    }

    /// Changes a property of the object at `address` behind everybody's back.
    ///
    /// # Panics
    /// When there is none.
    pub fn edit(&self, address: &str, field: &str, value: Value) {
        let mut world = self.world();
        let object = world.objects.iter_mut().find(|o| !o.is_gone && o.address.to_string() == address);
        let props = &mut object.unwrap_or_else(|| panic!("no {address} to edit")).props;
        match field.split_once('.') {
            Some((map, key)) => props.entry(map).or_insert_with(|| json!({}))[key] = value,
            None => drop(props.insert(field.to_owned(), value)),
        }
    }

    /// Removes the object at `address` behind everybody's back.
    pub fn vanish(&self, address: &str) {
        let mut world = self.world();
        let gone = world.objects.iter_mut().filter(|object| object.address.to_string() == address);
        gone.for_each(|object| object.is_gone = true);
        world.sweep();
    }

    /// The ids of what exists at `address`.
    pub fn ids(&self, address: &str) -> Vec<String> {
        let world = self.world();
        let there = world.objects.iter().filter(|o| !o.is_gone && o.address.to_string() == address);
        there.map(|object| object.id.clone()).collect()
    }

    /// Everything that exists, comparable between clouds.
    pub fn census(&self) -> Census {
        self.world().census()
    }

    /// The operations called since the last time this was asked, in order.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.world().log)
    }

    /// The resources of `state` with ids replaced by addresses, comparable between clouds:
    /// lineage, serial and identities are left out.
    pub fn comparable(&self, state: &State) -> BTreeMap<String, Value> {
        let names: BTreeMap<&str, String> =
            state.resources.iter().map(|(a, r)| (r.id.0.as_str(), a.to_string())).collect();
        let record = |record: &lh_state::Record| {
            let mut value = serde_json::to_value(record).unwrap_or_default();
            let hidden = value.as_object_mut().map(|map| map.remove("identity"));
            assert!(hidden.is_some(), "a record is a map");
            // The toy's own value repeats the id.
            value["observed"].as_object_mut().map(|facts| facts.remove("ip"));
            renamed(&value, &names)
        };
        state.resources.iter().map(|(a, r)| (a.to_string(), record(r))).collect()
    }

    pub(crate) fn failure(&self, world: &mut World, operation: &str) -> Option<CloudError> {
        let (error, left) = world.failures.get_mut(operation)?;
        *left = left.checked_sub(1)?;
        Some(error.clone())
    }

    /// Notes a reading call; others get their turn before its answer.
    pub(crate) async fn read(&self, operation: &str) {
        self.crash.live_on().await;
        tokio::task::yield_now().await;
        self.crash.live_on().await;
        self.world().log.push(operation.to_owned());
    }

    /// Makes a mutating call, unless the fuse says otherwise.
    pub(crate) async fn change<T>(
        &self,
        operation: &str,
        effect: impl FnOnce(&mut World) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        self.read(operation).await;
        let lost = || Err(CloudError::new(ErrorKind::Unreachable, operation, "no answer"));
        let fate = self.crash.next_call();
        match fate {
            Fate::DieBefore => self.crash.die(),
            Fate::FailBefore => return lost(),
            _ => {}
        }
        self.crash.live_on().await;
        let result = {
            let mut world = self.world();
            match self.failure(&mut world, operation) {
                Some(error) => Err(error),
                None => effect(&mut world),
            }
        };
        match fate {
            Fate::DieAfter => self.crash.die(),
            Fate::FailAfter => return lost(),
            _ => {}
        }
        tokio::task::yield_now().await;
        self.crash.live_on().await;
        result
    }
}

impl RuleBook for ToyCloud {
    fn rules(&self, kind: &str) -> Option<&dyn AnyRules> {
        kind_of(kind).map(|kind| kind as &dyn AnyRules)
    }

    fn kinds(&self) -> Vec<&'static str> {
        registry().iter().map(|kind| kind.name()).collect()
    }
}

#[async_trait]
impl Observe for ToyCloud {
    fn book(&self) -> &dyn RuleBook {
        self
    }

    async fn observe(&self, kind: &str, targets: &[Target]) -> Vec<Seen> {
        match kind_of(kind) {
            Some(kind) => kind.observe(self, targets).await,
            None => targets.iter().map(|_| Seen::Unreadable(unknown(kind))).collect(),
        }
    }

    async fn look_up(&self, probes: &[Probe]) -> Vec<Result<Map, Diagnostic>> {
        self.read("toy:LookUp").await;
        let mut answers = Vec::new();
        for probe in probes {
            answers.push(match probe.lookup.name.as_str() {
                "caller" => Ok(map(json!({"account": "123456789012"}))),
                "image" => Ok(probe.pinned.clone().unwrap_or_else(|| map(json!({"id": "image-1"})))),
                name => Err(Diagnostic::error("E0500", format!("there is no {name}"))),
            });
        }
        answers
    }

    fn lookup_calls(&self, _: &str) -> &'static [&'static str] {
        &["toy:LookUp"]
    }

    async fn reveal(&self, secret: &SecretRef) -> Result<Plaintext, CloudError> {
        Err(CloudError::new(ErrorKind::NotFound, "toy:Reveal", secret.to_string()))
    }
}

#[async_trait]
impl Mutate for ToyCloud {
    async fn create(&self, kind: &str, op: &Op, props: &Map) -> Result<CloudId, CloudError> {
        let kind = kind_of(kind).ok_or_else(|| unknown(kind))?;
        AnyKind::create(kind, self, op, props).await
    }

    async fn update(
        &self,
        kind: &str,
        op: &Op,
        id: &CloudId,
        want: &Map,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        kind_of(kind).ok_or_else(|| unknown(kind))?.update(self, op, id, want, diffs).await
    }

    async fn delete(&self, kind: &str, op: &Op, id: &CloudId, facts: &Map) -> Result<(), CloudError> {
        kind_of(kind).ok_or_else(|| unknown(kind))?.delete(self, op, id, facts).await
    }
}

fn unknown(kind: &str) -> CloudError {
    CloudError::new(ErrorKind::Other, "toy:Unknown", format!("there is no kind {kind}"))
}

fn map(value: Value) -> Map {
    value.as_object().cloned().unwrap_or_default()
}
