//! A world, what was made in it, and the promises checked at each step.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use lh_aws::{Aws, Clients, ConnectOptions};
use lh_kind::{
    Change, FieldDiff, Found, Idempotency, Mutate, Observe, Op, Owner, Pace, Probe, Readiness, Seen, Target,
};
use lh_model::{Address, CloudId, Identity, Lookup, Map, Reference, StackId, value::resolve_map};
use lh_sim::Sim;
use serde_json::{Value, json};

use crate::map;

/// Something that was made.
pub struct Made {
    pub target: Target,
    pub facts: Map,
}

pub struct Stage {
    pub aws: Aws,
    pub sim: Option<Sim>,
    pub spot: bool,
    pub made: Vec<Made>,
    pub image: String,
    answers: Vec<(Lookup, Map)>,
}

struct SimPace(Sim);

#[async_trait]
impl Pace for SimPace {
    async fn pause(&self, duration: Duration) {
        self.0.advance(duration);
    }
}

pub fn op(target: &Target) -> Op {
    Op::new(&target.stack, &target.address, &target.identity)
}

impl Stage {
    pub async fn simulated(spot: bool) -> Self {
        let sim = Sim::in_memory();
        let options = ConnectOptions {
            sdk_config: Some(sim.sdk_config()),
            interceptor: Some(SharedInterceptor::new(sim.interceptor())),
            pace: Some(Arc::new(SimPace(sim.clone()))),
            ..ConnectOptions::default()
        };
        let aws = Aws::new(Clients::connect(options).await.unwrap());
        let image = "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id";
        Self { aws, sim: Some(sim), spot, made: Vec::new(), image: image.to_owned(), answers: Vec::new() }
    }

    /// An emulator; its endpoint and credentials come from the environment as for any program.
    pub async fn over_http(endpoint: &str) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(lh_aws::retry_config())
            .timeout_config(lh_aws::timeout_config())
            .build();
        let options = ConnectOptions { sdk_config: Some(config), ..ConnectOptions::default() };
        let clients = Clients::connect(options).await.unwrap();
        drop(clients.ec2.create_key_pair().key_name("lighthouse-dev").send().await);
        let arm64 = aws_sdk_ec2::types::Filter::builder().name("architecture").values("arm64").build();
        let images = clients.ec2.describe_images().filters(arm64).send().await.unwrap();
        let image =
            images.images().first().and_then(|image| image.image_id()).expect("an arm64 image").to_owned();
        Self { aws: Aws::new(clients), sim: None, spot: false, made: Vec::new(), image, answers: Vec::new() }
    }

    pub async fn pass(&self, time: Duration) {
        match &self.sim {
            Some(sim) => sim.advance(time),
            // moto goes from state to state as it is asked.
            None => tokio::task::yield_now().await,
        }
    }

    /// Answers all lookups of dev, and the same again when they are pinned.
    pub async fn look_up(&mut self) -> Vec<(Lookup, Map)> {
        let lookup =
            |name: &str, query: Value| Lookup { name: name.to_owned(), query: map(query), origin: None };
        let lookups = [
            lookup("caller", json!({})),
            lookup(
                "network",
                json!({"vpc": "default", "subnet": null, "zone": null, "instance_type": "t4g.micro"}),
            ),
            lookup("image", json!({"image": self.image, "instance_type": "t4g.micro"})),
            lookup("key_pair", json!({"key_name": "lighthouse-dev"})),
        ];
        let probes = lookups.clone().map(|lookup| Probe { lookup, pinned: None });
        let answers = self.aws.look_up(&probes).await.into_iter().map(Result::unwrap);
        self.answers = lookups.into_iter().zip(answers).collect();
        let again: Vec<_> = self
            .answers
            .iter()
            .map(|(lookup, pinned)| Probe { lookup: lookup.clone(), pinned: Some(pinned.clone()) })
            .collect();
        let repeated = self.aws.look_up(&again).await;
        for ((lookup, answer), repeated) in self.answers.iter().zip(repeated) {
            assert_eq!(repeated.as_ref(), Ok(answer), "{}", lookup.name);
        }
        self.answers.clone()
    }

    fn value(&self, reference: &Reference) -> Option<Value> {
        if reference.address.kind() == "lookup" {
            let (_, answer) =
                self.answers.iter().find(|(lookup, _)| lookup.name == reference.address.name())?;
            return answer.get(&reference.attribute).cloned();
        }
        let made = self.made.iter().find(|made| made.target.address == reference.address)?;
        match reference.attribute.as_str() {
            "id" => made.target.id.as_ref().map(|id| id.0.clone().into()),
            other => made.facts.get(other).cloned(),
        }
    }

    /// What AWS shows of one target.
    pub async fn see(&self, target: &Target) -> Option<Found> {
        match self.aws.observe(target.address.kind(), std::slice::from_ref(target)).await.remove(0) {
            Seen::Found(found) => Some(found),
            Seen::Absent => None,
            Seen::Unreadable(error) => panic!("{}: {error}", target.address),
        }
    }

    /// Waits until what AWS shows is ready.
    pub async fn ready(&self, target: &Target) -> Found {
        let rules = self.aws.book().rules(target.address.kind()).unwrap();
        for _ in 0..100 {
            if let Some(found) = self.see(target).await {
                match rules.ready(&found.facts) {
                    Readiness::Ready => return found,
                    Readiness::Pending(_) => {}
                    other => panic!("{}: {other:?}", target.address),
                }
            }
            self.pass(Duration::from_secs(15)).await;
        }
        panic!("{} never became ready", target.address)
    }

    fn check(&self, verb: &str, kind: &str) {
        let Some(sim) = &self.sim else { return };
        let calls = self.aws.book().rules(kind).unwrap().calls();
        let allowed: BTreeSet<&str> = match verb {
            "create" => calls.create,
            "update" => calls.update,
            "observe" => calls.observe,
            _ => calls.delete,
        }
        .iter()
        .copied()
        .collect();
        for call in sim.calls() {
            let name = call.action();
            assert!(allowed.contains(name.as_str()), "{verb} of {kind} called {name}");
        }
    }

    fn listen(&self) {
        if let Some(sim) = &self.sim {
            sim.forget_calls();
        }
    }

    /// One that is to be made, with every reference resolved that can be.
    pub fn target(&self, kind: &'static str, props: Value) -> Target {
        let address = Address::new(kind, "main");
        let props = resolve_map(&map(props), &|reference| self.value(reference));
        let identity = Identity::derive("contract", &address, 0);
        let stack = StackId("contract-test".to_owned());
        Target { address, stack, id: None, identity, props, used: false }
    }

    /// Creates one twice under one identity: it is there once, found by its identity alone, ready
    /// in time, and then no different from what was wanted.
    pub async fn make(&mut self, kind: &'static str, props: Value) {
        let mut target = self.target(kind, props);
        let rules = self.aws.book().rules(kind).unwrap();
        self.listen();
        assert!(self.see(&target).await.is_none(), "{kind} is there before it was made");
        self.check("observe", kind);

        self.listen();
        let id = self.create(&target).await;
        let repeats = match rules.create() {
            Idempotency::TagOnCreation => false,
            // The emulators that were tried take no notice of client tokens.
            Idempotency::Token => self.sim.is_some(),
            _ => true,
        };
        if repeats {
            assert_eq!(self.create(&target).await, id, "{kind} was made twice");
        }
        self.check("create", kind);

        self.listen();
        let by_identity = self.ready(&target).await;
        assert_eq!(by_identity.id, id, "{kind} found by its identity");
        let owner = Owner::Stack(target.identity.clone());
        assert!(by_identity.owner == owner || by_identity.owner == Owner::Parent, "{kind}: {by_identity:?}");
        target.id = Some(id);
        let found = self.ready(&target).await;
        self.check("observe", kind);
        assert_eq!(by_identity, found, "{kind} by identity and by id");
        match rules.diff(&target.props, &found.facts, None) {
            Change::Same(told) if told.is_empty() => {}
            change => panic!("{kind} differs after its creation: {change:?}"),
        }
        self.made.push(Made { target, facts: found.facts });
    }

    async fn create(&self, target: &Target) -> CloudId {
        let kind = target.address.kind();
        for _ in 0..40 {
            match self.aws.create(kind, &op(target), &target.props).await {
                Ok(id) => return id,
                Err(error) if error.kind == lh_kind::ErrorKind::NotYet => {
                    self.pass(Duration::from_secs(5)).await
                }
                Err(error) => panic!("{kind}: {error}"),
            }
        }
        panic!("{kind} could not be made")
    }

    /// A batch of one that is there and one that is not: neither hides the other.
    pub async fn found_beside_absent(&self) {
        for made in &self.made {
            let mut gone = made.target.clone();
            let id = gone.id.take().unwrap().0;
            gone.address = Address::new(made.target.address.kind(), "gone");
            gone.identity = Identity::derive("contract", &gone.address, 0);
            gone.id = Some(CloudId(match id.split_once('-') {
                Some((kind @ ("i" | "vol" | "sg" | "sgr" | "eipalloc" | "snap"), _)) if !id.contains(':') => {
                    format!("{kind}-00000000000000001")
                }
                _ => format!("gone-{id}"),
            }));
            let batch = [made.target.clone(), gone, made.target.clone()];
            let seen = self.aws.observe(made.target.address.kind(), &batch).await;
            let shape: Vec<_> = seen.iter().map(|seen| matches!(seen, Seen::Found(_))).collect();
            assert_eq!(shape, [true, false, true], "{}: {seen:?}", made.target.address);
            assert_eq!(seen[1], Seen::Absent, "{}", made.target.address);
        }
    }

    /// Changes one in place, twice: it ends as wanted.
    pub async fn change(&mut self, kind: &str, change: Value) {
        let place = self.made.iter().position(|made| made.target.address.kind() == kind).unwrap();
        let before = self.made[place].target.clone();
        let mut target = before.clone();
        target.props.extend(map(change.clone()));
        let rules = self.aws.book().rules(kind).unwrap();
        // As a plan does: found by what was recorded, compared with what is wanted.
        let found = self.see(&before).await.unwrap();
        let diffs: Vec<FieldDiff> = match rules.diff(&target.props, &found.facts, Some(&before.props)) {
            Change::InPlace(diffs, _) => diffs,
            other => panic!("{kind} {change}: {other:?}"),
        };
        let id = target.id.clone().unwrap();
        self.listen();
        self.aws.update(kind, &op(&target), &id, &target.props, &diffs).await.unwrap();
        let size_changes = diffs.iter().any(|diff| diff.field == "size");
        if !size_changes {
            self.aws.update(kind, &op(&target), &id, &target.props, &diffs).await.unwrap();
        }
        self.check("update", kind);
        let after = self.ready(&target).await;
        match rules.diff(&target.props, &after.facts, Some(&before.props)) {
            Change::Same(told) if told.is_empty() => {}
            left => panic!("{kind} {change} left {left:?}"),
        }
        self.made[place] = Made { target, facts: after.facts };
    }

    /// Deletes everything, last made first, each twice; nothing is left.
    pub async fn remove_all(&mut self) {
        while let Some(made) = self.made.pop() {
            let (kind, id) = (made.target.address.kind().to_owned(), made.target.id.clone().unwrap());
            let Some(found) = self.see(&made.target).await else { panic!("{kind} is gone already") };
            if kind == "snapshot" && self.sim.is_some() {
                continue; // Kept for good: the simulated world has no call to delete it.
            }
            self.listen();
            for round in 0..40 {
                match self.aws.delete(&kind, &op(&made.target), &id, &found.facts).await {
                    Ok(()) => break,
                    Err(error) if error.kind == lh_kind::ErrorKind::NotYet && round < 39 => {
                        self.pass(Duration::from_secs(10)).await;
                    }
                    Err(error) => panic!("{kind}: {error}"),
                }
            }
            self.check("delete", &kind);
            let rules = self.aws.book().rules(&kind).unwrap();
            for _ in 0..40 {
                match self.see(&made.target).await {
                    None => break,
                    Some(found) => assert!(
                        matches!(rules.ready(&found.facts), Readiness::Leaving(_)),
                        "{kind} is still there: {found:?}"
                    ),
                }
                self.pass(Duration::from_secs(15)).await;
            }
            assert!(self.see(&made.target).await.is_none(), "{kind} never went away");
            let again = self.aws.delete(&kind, &op(&made.target), &id, &found.facts).await;
            assert!(again.is_ok(), "{kind} deleted again: {again:?}");
        }
    }
}
