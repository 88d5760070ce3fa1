//! A snapshot of a volume: the last copy that is kept when the volume goes.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Snapshot as Described, SnapshotState};
use lh_kind::{
    AtDestroy, Backup, Calls, CloudError, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook,
    Readiness, Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::{
    query::{self, Object},
    tags,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, unreadable},
};

/// The kind.
pub struct Snapshot;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The volume it is a copy of.
    pub source: Late<String>,
    /// Shown in the console.
    #[serde(default)]
    pub description: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The volume it is a copy of.
    pub source: String,
    /// Shown in the console.
    pub description: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// Size of the volume in GiB.
    pub size: Option<i32>,
    /// `pending`, `completed`, `error`.
    pub state: String,
    /// How far it is, `80%`.
    pub progress: Option<String>,
}

impl Rules for Snapshot {
    const NAME: &'static str = "snapshot";
    const DOC: &'static str = "A snapshot of an EBS volume (EC2 API reference: CreateSnapshot)";
    const CREATE: Idempotency = Idempotency::TagOnCreation;
    const HOLDS_DATA: bool = true;
    const AT_DESTROY: AtDestroy = AtDestroy::Keep;
    // A first snapshot copies every used block: hours for a large volume.
    const READY_SECONDS: u32 = 6 * 3600;
    const FIELDS: &'static [Field] = &[
        Field::replace("source", "volume it is a copy of"),
        Field::replace("description", "description"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeSnapshots"],
        create: &["ec2:CreateSnapshot"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteSnapshot"],
    };
    type Props = Props;
    type Facts = Facts;

    fn ready(facts: &Facts) -> Readiness {
        match facts.state.as_str() {
            "completed" => Readiness::Ready,
            "error" => Readiness::Failed("EBS reports the state `error`".to_owned()),
            state => {
                let progress = facts.progress.as_deref().filter(|text| !text.is_empty());
                Readiness::Pending(
                    progress.map_or_else(|| state.to_owned(), |done| format!("{state}, {done}")),
                )
            }
        }
    }

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::Unknown("a snapshot is paid by what it stores, which EBS does not tell".to_owned())
    }
}

impl Object for Described {
    fn id(&self) -> &str {
        self.snapshot_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }

    fn since(&self) -> i64 {
        self.start_time().map_or(0, aws_smithy_types::DateTime::secs)
    }
}

/// The snapshots of a volume, whoever made them: those of AWS Backup are among them.
pub(crate) async fn of_volume(clients: &Clients, volume: &CloudId) -> Result<Vec<Backup>, CloudError> {
    let mut all = Vec::new();
    for question in query::by("volume-id", [volume.0.clone()]) {
        all.extend(read(clients, question).await?);
    }
    let backup = |one: &Described| Backup {
        id: CloudId(one.id().to_owned()),
        complete: one.state() == Some(&SnapshotState::Completed),
        at: one.since(),
    };
    Ok(all.iter().map(backup).collect())
}

async fn read(clients: &Clients, question: query::Question) -> Result<Vec<Described>, CloudError> {
    let request = clients.ec2.describe_snapshots().owner_ids("self").set_filters(Some(question));
    request.into_paginator().items().send().try_collect().await.named("ec2:DescribeSnapshots")
}

fn found(snapshot: &Described, target: &Target<Props>) -> Seen<Facts> {
    let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let labels = snapshot.labels();
    let facts = Facts {
        source: own(snapshot.volume_id()).unwrap_or_default(),
        description: own(snapshot.description()),
        tags: labels.user(),
        size: snapshot.volume_size(),
        state: own(snapshot.state().map(SnapshotState::as_str)).unwrap_or_default(),
        progress: own(snapshot.progress()),
    };
    let id = CloudId(snapshot.id().to_owned());
    Seen::Found(Found { id, owner: labels.owner(&target.stack), facts })
}

#[async_trait]
impl Ops for Snapshot {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let questions = query::by_id_or_stack("snapshot-id", targets);
        match query::gather(questions, |question| read(clients, question)).await {
            Ok(all) => {
                let look = |target| query::find(&all, target).map_or(Seen::Absent, |one| found(one, target));
                targets.iter().map(look).collect()
            }
            Err(error) => unreadable(&error, targets.len()),
        }
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "ec2:CreateSnapshot";
        let request = clients
            .ec2_once
            .create_snapshot()
            .volume_id(known(&props.source, operation, "source")?)
            .set_description(props.description.clone())
            .tag_specifications(tags::specification(ResourceType::Snapshot, op, &props.tags));
        let made = request.send().await.named(operation)?;
        Ok(CloudId(made.snapshot_id.unwrap_or_default()))
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        _want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        tags::retag(clients, &id.0, diffs).await
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.ec2.delete_snapshot().snapshot_id(&id.0);
        unless_gone(request.send().await.named("ec2:DeleteSnapshot"))
    }
}
