//! A copy of a volume, taken before something that may need a way back. The copy that `destroy`
//! takes is a resource of its own and planned (`kinds/ec2/snapshot.rs`); this one is not: it
//! belongs to nobody but the person who asked for the change.

use aws_sdk_ec2::types::{ResourceType, Snapshot, SnapshotState, Tag, TagSpecification};
use lh_kind::CloudError;
use lh_model::CloudId;

use crate::{
    Clients,
    error::Named,
    kinds::{
        ec2::query::{by, filter},
        labels::STACK,
    },
};

/// Says what a copy was taken before.
const BEFORE: &str = "lhctl:before";

/// What the copy is taken for, which makes it the same copy when it is asked for again.
#[derive(Clone, Debug)]
pub struct Before {
    /// The stack, as in its tag.
    pub stack: String,
    /// What is about to be done: `upgrade to timescale/timescaledb:2.18.0-pg16`.
    pub what: String,
    /// A copy for the same that was begun at or after this counts: seconds since 1970.
    pub since: i64,
}

/// A snapshot of the volume, begun now unless there is one for the same already: CreateSnapshot
/// has no client token, so a run that died after it is recognised by the copy's tags.
///
/// It holds what was written before this call, and may be on its way for long after:
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-snapshot.html>.
///
/// # Errors
/// When EC2 cannot be asked, or does not take it.
pub async fn copy_volume(
    clients: &Clients,
    volume: &CloudId,
    before: &Before,
) -> Result<CloudId, CloudError> {
    match existing(clients, volume, before).await? {
        Some(id) => Ok(id),
        None => create(clients, volume, before).await,
    }
}

async fn existing(
    clients: &Clients,
    volume: &CloudId,
    before: &Before,
) -> Result<Option<CloudId>, CloudError> {
    for mut question in by("volume-id", [volume.0.clone()]) {
        question.push(filter(&format!("tag:{BEFORE}"), [before.what.clone()]));
        let request = clients.ec2.describe_snapshots().owner_ids("self").set_filters(Some(question));
        let pages = request.into_paginator().items().send().try_collect().await;
        let counts = |one: &Snapshot| {
            let is_young = one.start_time().is_some_and(|time| time.secs() >= before.since);
            is_young && one.state() != Some(&SnapshotState::Error)
        };
        let found: Vec<Snapshot> = pages.named("ec2:DescribeSnapshots")?;
        if let Some(id) = found.iter().find(|one| counts(one)).and_then(Snapshot::snapshot_id) {
            return Ok(Some(CloudId(id.to_owned())));
        }
    }
    Ok(None)
}

async fn create(clients: &Clients, volume: &CloudId, before: &Before) -> Result<CloudId, CloudError> {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let tags = TagSpecification::builder()
        .resource_type(ResourceType::Snapshot)
        .tags(tag("Name", &format!("{}-timescaledb-data", before.stack)))
        .tags(tag(STACK, &before.stack))
        .tags(tag(BEFORE, &before.what))
        .build();
    let request = clients
        .ec2_once
        .create_snapshot()
        .volume_id(&volume.0)
        .description(format!("{}: before the {}", before.stack, before.what))
        .tag_specifications(tags);
    let made = request.send().await.named("ec2:CreateSnapshot")?;
    Ok(CloudId(made.snapshot_id.unwrap_or_default()))
}
