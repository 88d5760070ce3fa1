//! What happens by itself as the virtual clock moves: transitions that were waiting for it.
//!
//! Each transition takes place at the time it was due, so one long advance and many short ones
//! end the same.

use super::{launch, spot};
use crate::clock::{HOUR, SECOND};
use crate::ids::Random;
use crate::world::{
    AttachmentState, InstanceState, Millis, Modification, ModificationState, Region, Tags, Volume,
    VolumeState,
};

const START: Millis = 10 * SECOND;
const STOP: Millis = 10 * SECOND;
const END: Millis = 10 * SECOND;
const REMEMBERED: Millis = HOUR;
const CREATE_VOLUME: Millis = 3 * SECOND;
const DELETE_VOLUME: Millis = 3 * SECOND;
const ATTACH: Millis = 2 * SECOND;
const DETACH: Millis = 3 * SECOND;
const MODIFY: Millis = 20 * SECOND;
const OPTIMIZE: Millis = 60 * SECOND;
const SNAPSHOT: Millis = 30 * SECOND;

/// More rounds than any chain of transitions has between two launches of a spot request.
const ROUNDS: usize = 64;

/// Whether something in the region is on its way from one state to the next, so that time alone
/// changes it.
pub(crate) fn is_moving(region: &Region) -> bool {
    use InstanceState::{Pending, ShuttingDown, Stopping};
    let instances =
        || region.instances.values().any(|it| matches!(it.state, Pending | Stopping | ShuttingDown));
    let volume = |it: &Volume| {
        let attachment = it.attachment.as_ref().is_some_and(|at| at.state != AttachmentState::Attached);
        let modified = it.modifications.last().is_some_and(|last| last.state != ModificationState::Completed);
        matches!(it.state, VolumeState::Creating | VolumeState::Deleting) || attachment || modified
    };
    instances()
        || region.volumes.values().any(volume)
        || region.snapshots.values().any(|snapshot| !snapshot.completed)
        || region.spot_requests.values().any(|request| request.relaunch_at.is_some())
}

/// Lets everything happen that was due by `now`.
pub(crate) fn settle(region: &mut Region, random: &mut Random, now: Millis) {
    for _ in 0..ROUNDS {
        let instances = settle_instances(region, now);
        let spot = settle_spot(region, random, now);
        if !instances && !spot {
            break;
        }
    }
    settle_volumes(region, now);
    for snapshot in region.snapshots.values_mut() {
        snapshot.completed |= now >= snapshot.started_at + SNAPSHOT;
    }
}

fn settle_instances(region: &mut Region, now: Millis) -> bool {
    let mut ended = Vec::new();
    let mut moved = false;
    for it in region.instances.values_mut() {
        let (next, after) = match it.state {
            InstanceState::Pending => (InstanceState::Running, START),
            InstanceState::Stopping => (InstanceState::Stopped, STOP),
            InstanceState::ShuttingDown => (InstanceState::Terminated, END),
            _ => continue,
        };
        if now >= it.state_since + after {
            it.state = next;
            it.state_since += after;
            moved = true;
            if next == InstanceState::Terminated {
                it.public_ip = None;
                ended.push((it.id.clone(), it.state_since));
            }
        }
    }
    for (id, at) in ended {
        release_volumes(region, &id, at);
    }
    let gone = |state, since| state == InstanceState::Terminated && now >= since + REMEMBERED;
    region.instances.retain(|_, it| !gone(it.state, it.state_since));
    moved
}

/// "By default, a volume that is attached at launch is deleted with the instance, one attached
/// later is preserved":
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html>.
fn release_volumes(region: &mut Region, instance: &str, at: Millis) {
    let on_it = |volume: &Volume| volume.attachment.as_ref().is_some_and(|it| it.instance_id == instance);
    region.volumes.retain(|_, volume| {
        !(on_it(volume) && volume.attachment.as_ref().is_some_and(|it| it.delete_on_termination))
    });
    for volume in region.volumes.values_mut().filter(|volume| on_it(volume)) {
        volume.attachment = None;
        volume.state = VolumeState::Available;
        volume.state_since = at;
    }
}

fn settle_spot(region: &mut Region, random: &mut Random, now: Millis) -> bool {
    let due: Vec<(String, Millis)> = region
        .spot_requests
        .values()
        .filter_map(|request| Some((request.id.clone(), request.relaunch_at?)))
        .filter(|(_, at)| now >= *at)
        .collect();
    for (id, at) in &due {
        relaunch(region, random, id, *at);
    }
    !due.is_empty()
}

/// A persistent request gets its stopped instance back, or a new one. The new one has no tags:
/// tags of a launch belong to the launch and not to the request.
fn relaunch(region: &mut Region, random: &mut Random, id: &str, at: Millis) {
    let Some(request) = region.spot_requests.get_mut(id) else { return };
    request.relaunch_at = None;
    let launch = request.launch.clone();
    let last = request.instance_id.clone();
    if let Some(it) = last.and_then(|last| region.instances.get_mut(&last))
        && matches!(it.state, InstanceState::Stopped | InstanceState::Stopping)
    {
        it.state = InstanceState::Pending;
        it.state_since = at;
        it.launched_at = at;
        it.state_reason = None;
        it.public_ip = launch.public_address.then(|| launch::public_ip(random));
        let instance = it.id.clone();
        spot::started(region, &instance);
        return;
    }
    let mut made = launch::instance(region, random, &launch, at);
    made.spot_request_id = Some(id.to_owned());
    launch::disks(region, random, &made, &Tags::new(), at);
    spot::fulfil(region, id, &made.id);
    region.instances.insert(made.id.clone(), made);
}

fn settle_volumes(region: &mut Region, now: Millis) {
    region
        .volumes
        .retain(|_, it| !(it.state == VolumeState::Deleting && now >= it.state_since + DELETE_VOLUME));
    for volume in region.volumes.values_mut() {
        if volume.state == VolumeState::Creating && now >= volume.state_since + CREATE_VOLUME {
            volume.state = VolumeState::Available;
            volume.state_since += CREATE_VOLUME;
        }
        settle_attachment(volume, now);
        settle_modification(volume, now);
    }
}

fn settle_attachment(volume: &mut Volume, now: Millis) {
    let Some(at) = volume.attachment.as_mut() else { return };
    match at.state {
        AttachmentState::Attaching if now >= at.since + ATTACH => {
            at.state = AttachmentState::Attached;
            at.since += ATTACH;
        }
        AttachmentState::Detaching if now >= at.since + DETACH => {
            volume.state_since = at.since + DETACH;
            volume.state = VolumeState::Available;
            volume.attachment = None;
        }
        _ => {}
    }
}

/// "The new size takes effect once the volume enters the optimizing state":
/// <https://docs.aws.amazon.com/ebs/latest/userguide/monitoring-volume-modifications.html>.
fn settle_modification(volume: &mut Volume, now: Millis) {
    let Some(last) = volume.modifications.last_mut() else { return };
    let Modification { state, started_at, ended_at, after, .. } = last;
    if *state == ModificationState::Modifying && now >= *started_at + MODIFY {
        *state = ModificationState::Optimizing;
        volume.size = after.size;
        volume.kind = after.kind.clone();
        volume.iops = after.iops;
        volume.throughput = after.throughput;
    }
    if *state == ModificationState::Optimizing && now >= *started_at + MODIFY + OPTIMIZE {
        *state = ModificationState::Completed;
        *ended_at = Some(*started_at + MODIFY + OPTIMIZE);
    }
}
