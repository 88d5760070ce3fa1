//! Snapshots: pending for a while, then completed.

use super::query::{Kind, Query, ids_or_pages, required};
use super::tags;
use crate::clock::date;
use crate::filters::one;
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{Snapshot, VolumeState};
use aws_sdk_ec2::operation::create_snapshot::{CreateSnapshotInput, CreateSnapshotOutput};
use aws_sdk_ec2::operation::delete_snapshot::{DeleteSnapshotInput, DeleteSnapshotOutput};
use aws_sdk_ec2::operation::describe_snapshots::{DescribeSnapshotsInput, DescribeSnapshotsOutput};
use aws_sdk_ec2::types::{Snapshot as Shown, SnapshotState};

/// CreateSnapshot, which has no client token:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html>.
pub(crate) fn create(s: &mut Scene<'_>, i: &CreateSnapshotInput) -> Result<CreateSnapshotOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.volume_id, "VolumeId")?;
    let volume = s.here.volumes.get(id).ok_or_else(|| Kind::Volume.missing(id))?;
    if matches!(volume.state, VolumeState::Creating | VolumeState::Deleting) {
        return Err(ApiError::new(
            "IncorrectState",
            format!("Volume {id} is in the '{}' state", volume.state.name()),
        ));
    }
    let snapshot = Snapshot {
        id: s.random.id("snap"),
        volume_id: id.clone(),
        size: volume.size,
        encrypted: volume.encrypted,
        description: i.description.clone().unwrap_or_default(),
        completed: false,
        tags: tags::at_creation(i.tag_specifications.as_deref(), "snapshot", &["snapshot"])?,
        started_at: s.now,
    };
    s.born(&snapshot.id);
    let shown = show(s.account, &snapshot);
    s.here.snapshots.insert(snapshot.id.clone(), snapshot);
    Ok(CreateSnapshotOutput::builder()
        .set_snapshot_id(shown.snapshot_id)
        .set_volume_id(shown.volume_id)
        .set_volume_size(shown.volume_size)
        .set_state(shown.state)
        .set_progress(shown.progress)
        .set_start_time(shown.start_time)
        .set_description(shown.description)
        .set_encrypted(shown.encrypted)
        .set_owner_id(shown.owner_id)
        .set_tags(shown.tags)
        .build())
}

/// DeleteSnapshot: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html>.
pub(crate) fn delete(s: &mut Scene<'_>, i: &DeleteSnapshotInput) -> Result<DeleteSnapshotOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.snapshot_id, "SnapshotId")?;
    s.here.snapshots.remove(id).ok_or_else(|| Kind::Snapshot.missing(id))?;
    Ok(DeleteSnapshotOutput::builder().build())
}

/// DescribeSnapshots. All snapshots are the account's own.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeSnapshotsInput,
) -> Result<DescribeSnapshotsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    ids_or_pages(i.snapshot_ids.as_deref(), i.max_results)?;
    let query = Query {
        kind: Kind::Snapshot,
        ids: i.snapshot_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &["snapshot-id", "volume-id", "volume-size", "status", "description", "owner-id"],
    };
    let all = s.here.snapshots.clone();
    let account = s.account.to_owned();
    let found = query.run(
        s,
        &all,
        |snapshot| &snapshot.tags,
        |snapshot, name| match name {
            "snapshot-id" => one(&snapshot.id),
            "volume-id" => one(&snapshot.volume_id),
            "volume-size" => one(snapshot.size),
            "status" => one(if snapshot.completed { "completed" } else { "pending" }),
            "owner-id" => one(&account),
            _ => one(&snapshot.description),
        },
    )?;
    let shown = found.iter().map(|snapshot| show(s.account, snapshot)).collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeSnapshotsOutput::builder().set_snapshots(Some(page)).set_next_token(next).build())
}

fn show(account: &str, snapshot: &Snapshot) -> Shown {
    let (state, progress) =
        if snapshot.completed { (SnapshotState::Completed, "100%") } else { (SnapshotState::Pending, "0%") };
    Shown::builder()
        .snapshot_id(&snapshot.id)
        .volume_id(&snapshot.volume_id)
        .volume_size(snapshot.size)
        .state(state)
        .progress(progress)
        .start_time(date(snapshot.started_at))
        .description(&snapshot.description)
        .encrypted(snapshot.encrypted)
        .owner_id(account)
        .set_tags(Some(tags::show(&snapshot.tags)))
        .build()
}
