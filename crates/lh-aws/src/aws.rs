//! AWS behind the ports [`Observe`] and [`Mutate`].

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::future::join_all;
use lh_kind::{
    AnyKind, Backup, CloudError, ErrorKind, FieldDiff, Mutate, Observe, Op, Probe, RuleBook, Seen, Target,
};
use lh_model::{CloudId, Diagnostic, Map, Plaintext, SecretRef};
use tokio::task::unconstrained;

use crate::{
    clients::Clients,
    error::Named,
    kinds::{ec2::snapshot, secrets::metadata, unreadable},
    lookups,
    registry::Registry,
    trace::noting,
};

/// AWS in one account and region.
#[derive(Clone)]
pub struct Aws {
    clients: Clients,
    registry: Registry,
}

impl Aws {
    /// AWS through these clients.
    pub fn new(clients: Clients) -> Self {
        Self { clients, registry: Registry }
    }

    /// The clients, for what is no kind and no lookup.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }
}

fn unknown(kind: &str) -> CloudError {
    CloudError::new(ErrorKind::Other, kind, "this version of lhctl knows no such kind of resource")
}

#[async_trait]
impl Observe for Aws {
    fn book(&self) -> &dyn RuleBook {
        &self.registry
    }

    async fn observe(&self, kind: &str, targets: &[Target]) -> Vec<Seen> {
        match self.registry.kind(kind) {
            // All kinds are asked in one task: with tokio's budget for a task, those that come
            // last would not begin before the first are answered.
            Some(kind) => unconstrained(kind.observe(&self.clients, targets)).await,
            None => unreadable(&unknown(kind), targets.len()),
        }
    }

    async fn look_up(&self, probes: &[Probe]) -> Vec<Result<Map, Diagnostic>> {
        let answers = probes.iter().map(|probe| lookups::answer(&self.clients, probe));
        unconstrained(join_all(answers)).await
    }

    fn lookup_calls(&self, name: &str) -> &'static [&'static str] {
        lookups::calls(name)
    }

    async fn backups(&self, kind: &str, id: &CloudId) -> Result<Vec<Backup>, CloudError> {
        match kind {
            "volume" => snapshot::of_volume(&self.clients, id).await,
            _ => Ok(Vec::new()),
        }
    }

    fn backup_calls(&self, kind: &str) -> &'static [&'static str] {
        match kind {
            "volume" => &["ec2:DescribeSnapshots"],
            _ => &[],
        }
    }

    fn runs_nothing(&self) -> Option<String> {
        self.clients.idle.clone()
    }

    async fn reveal(&self, secret: &SecretRef) -> Result<Plaintext, CloudError> {
        match secret {
            SecretRef::Parameter(name) => {
                let operation = "ssm:GetParameter";
                let request = self.clients.ssm.get_parameter().name(name).with_decryption(true);
                let value = request.send().await.named(operation)?.parameter.and_then(|it| it.value);
                let none =
                    || CloudError::new(ErrorKind::NotFound, operation, format!("{secret} has no value"));
                value.map(Plaintext::new).ok_or_else(none)
            }
            SecretRef::Secret(name) => metadata::reveal(&self.clients, name).await,
        }
    }
}

#[async_trait]
impl Mutate for Aws {
    fn hold_to(&self, calls: Option<BTreeSet<String>>) {
        self.clients.gate.hold_to(calls);
    }

    async fn create(&self, kind: &str, op: &Op, props: &Map) -> Result<CloudId, CloudError> {
        let found = self.registry.kind(kind).ok_or_else(|| unknown(kind))?;
        let _change = self.clients.reads.change();
        noting(&op.calls, AnyKind::create(found, &self.clients, op, props)).await
    }

    async fn update(
        &self,
        kind: &str,
        op: &Op,
        id: &CloudId,
        want: &Map,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let found = self.registry.kind(kind).ok_or_else(|| unknown(kind))?;
        let _change = self.clients.reads.change();
        noting(&op.calls, found.update(&self.clients, op, id, want, diffs)).await
    }

    async fn delete(&self, kind: &str, op: &Op, id: &CloudId, facts: &Map) -> Result<(), CloudError> {
        let found = self.registry.kind(kind).ok_or_else(|| unknown(kind))?;
        let _change = self.clients.reads.change();
        noting(&op.calls, found.delete(&self.clients, op, id, facts)).await
    }
}
