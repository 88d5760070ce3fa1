//! Volumes: made, described, deleted. Attaching and modifying have files of their own.

use super::query::{Kind, Query, ids_or_pages, required};
use super::{tags, tokens};
use crate::clock::date;
use crate::filters::{maybe, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{AttachmentState, Shape, Token, Volume, VolumeState};
use aws_sdk_ec2::operation::create_volume::{CreateVolumeInput, CreateVolumeOutput};
use aws_sdk_ec2::operation::delete_volume::{DeleteVolumeInput, DeleteVolumeOutput};
use aws_sdk_ec2::operation::describe_volumes::{DescribeVolumesInput, DescribeVolumesOutput};
use aws_sdk_ec2::types::{
    Volume as Shown, VolumeAttachment, VolumeAttachmentState, VolumeState as ShownState, VolumeType,
};

/// Checks size and performance, and fills in what was not said. gp3's limits are those of late
/// 2025: <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>.
pub(crate) fn shape(
    kind: &str,
    size: i32,
    iops: Option<i32>,
    throughput: Option<i32>,
) -> Result<Shape, ApiError> {
    let sizes = match kind {
        "gp3" => 1..=65_536,
        "gp2" => 1..=16_384,
        "io1" => 4..=16_384,
        "io2" => 4..=65_536,
        "st1" | "sc1" => 125..=16_384,
        "standard" => 1..=1_024,
        other => return Err(ApiError::new("UnknownVolumeType", format!("Unknown volume type '{other}'"))),
    };
    if !sizes.contains(&size) {
        return Err(ApiError::invalid(format!(
            "Volume of {size}GiB is outside of the {} to {}GiB that {kind} allows",
            sizes.start(),
            sizes.end()
        )));
    }
    if kind != "gp3" && throughput.is_some() {
        return Err(combination(format!("The parameter throughput is not supported for {kind} volumes")));
    }
    let (iops, throughput) = match kind {
        "gp3" => gp3(size, iops, throughput)?,
        "io1" | "io2" => (Some(*required(&iops, "iops")?), None),
        _ if iops.is_some() => {
            return Err(combination(format!("The parameter iops is not supported for {kind} volumes")));
        }
        "gp2" => (Some((size.saturating_mul(3)).clamp(100, 16_000)), None),
        _ => (None, None),
    };
    Ok(Shape { size, kind: kind.to_owned(), iops, throughput })
}

fn gp3(
    size: i32,
    iops: Option<i32>,
    throughput: Option<i32>,
) -> Result<(Option<i32>, Option<i32>), ApiError> {
    let (iops, throughput) = (iops.unwrap_or(3_000), throughput.unwrap_or(125));
    if !(3_000..=80_000).contains(&iops) {
        return Err(ApiError::invalid(format!("Volume iops of {iops} is not in the range 3000 to 80000")));
    }
    if iops > 3_000 && iops > size.saturating_mul(500) {
        return Err(ApiError::invalid(format!(
            "Iops to volume size ratio of {} is too high; maximum is 500",
            iops / size.max(1)
        )));
    }
    if !(125..=2_000).contains(&throughput) {
        return Err(ApiError::invalid(format!("Throughput of {throughput} is not in the range 125 to 2000")));
    }
    if throughput.saturating_mul(4) > iops {
        return Err(ApiError::invalid(format!(
            "Throughput (MiBps) to iops ratio of {:.6} is too high; maximum is 0.250000 MiBps per iops.",
            f64::from(throughput) / f64::from(iops)
        )));
    }
    Ok((Some(iops), Some(throughput)))
}

fn combination(message: String) -> ApiError {
    ApiError::new("InvalidParameterCombination", message)
}

/// DescribeVolumes.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeVolumesInput,
) -> Result<DescribeVolumesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    ids_or_pages(i.volume_ids.as_deref(), i.max_results)?;
    let query = Query {
        kind: Kind::Volume,
        ids: i.volume_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &[
            "volume-id",
            "availability-zone",
            "status",
            "size",
            "volume-type",
            "encrypted",
            "snapshot-id",
            "attachment.instance-id",
            "attachment.device",
            "attachment.status",
            "attachment.delete-on-termination",
        ],
    };
    let all = s.here.volumes.clone();
    let found = query.run(s, &all, |volume| &volume.tags, look)?;
    let shown = found.iter().map(show).collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeVolumesOutput::builder().set_volumes(Some(page)).set_next_token(next).build())
}

fn look(volume: &Volume, name: &str) -> Vec<String> {
    let attachment = volume.attachment.as_ref();
    match name {
        "volume-id" => one(&volume.id),
        "availability-zone" => one(&volume.zone),
        "status" => one(volume.state.name()),
        "size" => one(volume.size),
        "volume-type" => one(&volume.kind),
        "encrypted" => one(volume.encrypted),
        "snapshot-id" => maybe(volume.snapshot_id.as_ref()),
        "attachment.instance-id" => maybe(attachment.map(|it| &it.instance_id)),
        "attachment.device" => maybe(attachment.map(|it| &it.device)),
        "attachment.status" => {
            attachment.map(|it| attachment_state(it.state).to_string()).into_iter().collect()
        }
        _ => attachment.map(|it| it.delete_on_termination.to_string()).into_iter().collect(),
    }
}

/// A volume as the SDK shows it.
pub(crate) fn show(volume: &Volume) -> Shown {
    let attachments = volume.attachment.iter().map(|it| {
        VolumeAttachment::builder()
            .volume_id(&volume.id)
            .instance_id(&it.instance_id)
            .device(&it.device)
            .state(attachment_state(it.state))
            .attach_time(date(it.since))
            .delete_on_termination(it.delete_on_termination)
            .build()
    });
    Shown::builder()
        .volume_id(&volume.id)
        .size(volume.size)
        .volume_type(VolumeType::from(volume.kind.as_str()))
        .set_iops(volume.iops)
        .set_throughput(volume.throughput)
        .encrypted(volume.encrypted)
        .set_kms_key_id(volume.kms_key_id.clone())
        .set_snapshot_id(volume.snapshot_id.clone())
        .availability_zone(&volume.zone)
        .state(ShownState::from(volume.state.name()))
        .create_time(date(volume.created_at))
        .multi_attach_enabled(false)
        .set_attachments(Some(attachments.collect()))
        .set_tags(Some(tags::show(&volume.tags)))
        .build()
}

/// The SDK's name of an attachment's state.
pub(crate) fn attachment_state(state: AttachmentState) -> VolumeAttachmentState {
    match state {
        AttachmentState::Attaching => VolumeAttachmentState::Attaching,
        AttachmentState::Attached => VolumeAttachmentState::Attached,
        AttachmentState::Detaching => VolumeAttachmentState::Detaching,
    }
}

/// CreateVolume, once for each client token:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>.
pub(crate) fn create(s: &mut Scene<'_>, i: &CreateVolumeInput) -> Result<CreateVolumeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let token = i.client_token.as_deref();
    let mut parameters = i.clone();
    parameters.client_token = None;
    let fingerprint = tokens::fingerprint(&[&format!("{parameters:?}")]);
    if let Some(token) = tokens::earlier(s.here, "CreateVolume", token, &fingerprint)? {
        // A retry gets the volume as it is now, or as it was made if it is gone.
        let id = token.ids.first().cloned().unwrap_or_default();
        let volume = s.here.volumes.get(&id).or(token.volume.as_ref());
        return volume.map(created).ok_or_else(|| Kind::Volume.missing(&id));
    }
    let volume = new_volume(s, i)?;
    s.born(&volume.id);
    let made = Token { fingerprint, ids: vec![volume.id.clone()], volume: Some(volume.clone()) };
    tokens::remember(s.here, "CreateVolume", token, made);
    let answer = created(&volume);
    s.here.volumes.insert(volume.id.clone(), volume);
    Ok(answer)
}

fn new_volume(s: &mut Scene<'_>, i: &CreateVolumeInput) -> Result<Volume, ApiError> {
    let zone = required(&i.availability_zone, "AvailabilityZone")?;
    if !s.here.zones.contains(zone) {
        return Err(ApiError::new("InvalidZone.NotFound", format!("The zone '{zone}' does not exist.")));
    }
    let least = match &i.snapshot_id {
        Some(id) => Some(s.here.snapshots.get(id).ok_or_else(|| Kind::Snapshot.missing(id))?.size),
        None => None,
    };
    let size = i.size.or(least).ok_or_else(|| ApiError::missing("size/snapshot"))?;
    if least.is_some_and(|least| size < least) {
        return Err(ApiError::invalid(format!("Volume size {size} is smaller than the snapshot")));
    }
    let kind = i.volume_type.as_ref().map_or("gp2", VolumeType::as_str);
    let shape = shape(kind, size, i.iops, i.throughput)?;
    Ok(Volume {
        id: s.random.id("vol"),
        size: shape.size,
        kind: shape.kind,
        iops: shape.iops,
        throughput: shape.throughput,
        encrypted: i.encrypted == Some(true),
        kms_key_id: i.kms_key_id.clone(),
        snapshot_id: i.snapshot_id.clone(),
        zone: zone.clone(),
        state: VolumeState::Creating,
        state_since: s.now,
        attachment: None,
        modifications: Vec::new(),
        tags: tags::at_creation(i.tag_specifications.as_deref(), "volume", &["volume"])?,
        created_at: s.now,
    })
}

fn created(volume: &Volume) -> CreateVolumeOutput {
    let shown = show(volume);
    CreateVolumeOutput::builder()
        .set_volume_id(shown.volume_id)
        .set_size(shown.size)
        .set_volume_type(shown.volume_type)
        .set_iops(shown.iops)
        .set_throughput(shown.throughput)
        .set_encrypted(shown.encrypted)
        .set_kms_key_id(shown.kms_key_id)
        .set_snapshot_id(shown.snapshot_id)
        .set_availability_zone(shown.availability_zone)
        .set_state(shown.state)
        .set_create_time(shown.create_time)
        .set_attachments(shown.attachments)
        .set_tags(shown.tags)
        .build()
}

/// DeleteVolume: only an available volume can go:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html>.
pub(crate) fn delete(s: &mut Scene<'_>, i: &DeleteVolumeInput) -> Result<DeleteVolumeOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.volume_id, "VolumeId")?;
    let volume = s.here.volumes.get_mut(id).ok_or_else(|| Kind::Volume.missing(id))?;
    match (&volume.attachment, volume.state) {
        (Some(at), _) => Err(ApiError::new(
            "VolumeInUse",
            format!("Volume {id} is currently attached to {}", at.instance_id),
        )),
        (None, VolumeState::Deleting) => Err(Kind::Volume.missing(id)),
        (None, VolumeState::Creating) => {
            Err(ApiError::new("IncorrectState", format!("Volume {id} is creating")))
        }
        (None, _) => {
            volume.state = VolumeState::Deleting;
            volume.state_since = s.now;
            Ok(DeleteVolumeOutput::builder().build())
        }
    }
}
