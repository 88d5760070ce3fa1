//! ModifyVolume and its slow progress.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html>

use super::query::{Kind, Query, required};
use super::volumes;
use crate::clock::{HOUR, date};
use crate::filters::{NO_TAGS, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{Modification, ModificationState, Shape, Volume, VolumeState};
use aws_sdk_ec2::operation::describe_volumes_modifications::{
    DescribeVolumesModificationsInput, DescribeVolumesModificationsOutput,
};
use aws_sdk_ec2::operation::modify_volume::{ModifyVolumeInput, ModifyVolumeOutput};
use aws_sdk_ec2::types::{VolumeModification, VolumeModificationState, VolumeType};

/// "Up to four modifications in a rolling 24-hour period."
const MOST_IN_A_DAY: usize = 4;

/// ModifyVolume: grows only, one at a time, four a day.
pub(crate) fn modify(s: &mut Scene<'_>, i: &ModifyVolumeInput) -> Result<ModifyVolumeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.volume_id, "VolumeId")?;
    let now = s.now;
    let volume = s.here.volumes.get_mut(id).ok_or_else(|| Kind::Volume.missing(id))?;
    admit(volume, now)?;
    let before = Shape {
        size: volume.size,
        kind: volume.kind.clone(),
        iops: volume.iops,
        throughput: volume.throughput,
    };
    let size = i.size.unwrap_or(before.size);
    if size < before.size {
        return Err(ApiError::invalid(format!(
            "New size cannot be smaller than existing size: {size} is less than {}",
            before.size
        )));
    }
    let kind = i.volume_type.as_ref().map_or(before.kind.as_str(), VolumeType::as_str);
    // Performance that was bought is kept unless the type changes; gp2's follows from its size.
    let stays = kind == before.kind && kind != "gp2";
    let after = volumes::shape(
        kind,
        size,
        i.iops.or(before.iops.filter(|_| stays)),
        i.throughput.or(before.throughput.filter(|_| stays)),
    )?;
    let modification =
        Modification { state: ModificationState::Modifying, before, after, started_at: now, ended_at: None };
    let shown = show(id, &modification);
    volume.modifications.push(modification);
    Ok(ModifyVolumeOutput::builder().volume_modification(shown).build())
}

fn admit(volume: &Volume, now: u64) -> Result<(), ApiError> {
    let id = &volume.id;
    if !matches!(volume.state, VolumeState::Available | VolumeState::InUse) {
        return Err(ApiError::new(
            "IncorrectState",
            format!("Volume {id} is in the '{}' state", volume.state.name()),
        ));
    }
    let busy =
        |it: &Modification| matches!(it.state, ModificationState::Modifying | ModificationState::Optimizing);
    if volume.modifications.last().is_some_and(busy) {
        return Err(ApiError::new(
            "IncorrectModificationState",
            format!("Volume {id} has a modification under way; wait until it is completed"),
        ));
    }
    let recent = volume.modifications.iter().filter(|it| now < it.started_at + 24 * HOUR).count();
    if recent >= MOST_IN_A_DAY {
        return Err(ApiError::new(
            "VolumeModificationRateExceeded",
            format!("You've reached the maximum modification rate per volume limit for {id}: 4 in 24 hours"),
        ));
    }
    Ok(())
}

/// DescribeVolumesModifications: the most recent modification of each volume.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeVolumesModificationsInput,
) -> Result<DescribeVolumesModificationsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let all = s.here.volumes.clone();
    for id in i.volume_ids.as_deref().unwrap_or_default() {
        if all.get(id).is_some_and(|volume| volume.modifications.is_empty()) {
            return Err(ApiError::new(
                "InvalidVolumeModification.NotFound",
                format!("Modification for volume '{id}' does not exist."),
            ));
        }
    }
    let query = Query {
        kind: Kind::Volume,
        ids: i.volume_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &["volume-id", "modification-state"],
    };
    let modified = all.into_iter().filter(|(_, volume)| !volume.modifications.is_empty()).collect();
    let found = query.run(
        s,
        &modified,
        |_| &NO_TAGS,
        |volume: &Volume, name| match (name, volume.modifications.last()) {
            ("modification-state", Some(last)) => one(state(last.state)),
            _ => one(&volume.id),
        },
    )?;
    let shown = found
        .iter()
        .filter_map(|volume| volume.modifications.last().map(|last| show(&volume.id, last)))
        .collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeVolumesModificationsOutput::builder()
        .set_volumes_modifications(Some(page))
        .set_next_token(next)
        .build())
}

fn state(state: ModificationState) -> VolumeModificationState {
    match state {
        ModificationState::Modifying => VolumeModificationState::Modifying,
        ModificationState::Optimizing => VolumeModificationState::Optimizing,
        ModificationState::Completed => VolumeModificationState::Completed,
        ModificationState::Failed => VolumeModificationState::Failed,
    }
}

fn show(id: &str, it: &Modification) -> VolumeModification {
    let progress = match it.state {
        ModificationState::Modifying => 0,
        ModificationState::Optimizing => 50,
        ModificationState::Completed | ModificationState::Failed => 100,
    };
    VolumeModification::builder()
        .volume_id(id)
        .modification_state(state(it.state))
        .progress(progress)
        .original_size(it.before.size)
        .original_volume_type(VolumeType::from(it.before.kind.as_str()))
        .set_original_iops(it.before.iops)
        .set_original_throughput(it.before.throughput)
        .target_size(it.after.size)
        .target_volume_type(VolumeType::from(it.after.kind.as_str()))
        .set_target_iops(it.after.iops)
        .set_target_throughput(it.after.throughput)
        .start_time(date(it.started_at))
        .set_end_time(it.ended_at.map(date))
        .build()
}
