//! Volumes, their modifications, snapshots and client tokens, as the world keeps them.

use super::{Millis, Tags};
use serde::{Deserialize, Serialize};

/// The states of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeState {
    /// Being made.
    Creating,
    /// Ready and not attached.
    Available,
    /// Attached, or about to be.
    InUse,
    /// Being deleted.
    Deleting,
}

impl VolumeState {
    /// AWS's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            VolumeState::Creating => "creating",
            VolumeState::Available => "available",
            VolumeState::InUse => "in-use",
            VolumeState::Deleting => "deleting",
        }
    }
}

/// A volume that is made together with an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disk {
    /// The device name.
    pub device: String,
    /// The size in GiB.
    pub size: i32,
    /// The volume type.
    pub kind: String,
    /// I/O operations a second.
    pub iops: Option<i32>,
    /// MiB a second.
    pub throughput: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether it goes with the instance.
    pub delete_on_termination: bool,
}

/// A volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Volume {
    /// The id, `vol-…`.
    pub id: String,
    /// The size in GiB.
    pub size: i32,
    /// The type, such as `gp3`.
    pub kind: String,
    /// I/O operations a second; none for the magnetic types.
    pub iops: Option<i32>,
    /// MiB a second; only gp3 has it.
    pub throughput: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The key it is encrypted with.
    pub kms_key_id: Option<String>,
    /// The snapshot it was made from.
    pub snapshot_id: Option<String>,
    /// The zone.
    pub zone: String,
    /// The state.
    pub state: VolumeState,
    /// When it entered the state.
    pub state_since: Millis,
    /// Where it is attached.
    pub attachment: Option<Attachment>,
    /// Its modifications, oldest first.
    pub modifications: Vec<Modification>,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Millis,
}

/// The states of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentState {
    /// On its way.
    Attaching,
    /// Attached.
    Attached,
    /// On its way out.
    Detaching,
}

/// The attachment of a volume to an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// The instance.
    pub instance_id: String,
    /// The device name.
    pub device: String,
    /// The state.
    pub state: AttachmentState,
    /// When it entered the state.
    pub since: Millis,
    /// Whether the volume goes with the instance.
    pub delete_on_termination: bool,
}

/// The states of a modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModificationState {
    /// The new values do not hold yet.
    Modifying,
    /// The new size holds, the performance is in between.
    Optimizing,
    /// Done.
    Completed,
    /// Given up.
    Failed,
}

/// A modification of a volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Modification {
    /// The state.
    pub state: ModificationState,
    /// Size, type, IOPS and throughput before.
    pub before: Shape,
    /// Size, type, IOPS and throughput after.
    pub after: Shape,
    /// When it was asked for.
    pub started_at: Millis,
    /// When it was done.
    pub ended_at: Option<Millis>,
}

/// The modifiable part of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The size in GiB.
    pub size: i32,
    /// The type.
    pub kind: String,
    /// I/O operations a second.
    pub iops: Option<i32>,
    /// MiB a second.
    pub throughput: Option<i32>,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// The id, `snap-…`.
    pub id: String,
    /// The volume it was taken of, which may be gone.
    pub volume_id: String,
    /// The size of the volume in GiB.
    pub size: i32,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The description.
    pub description: String,
    /// Whether it is complete; pending until then.
    pub completed: bool,
    /// Tags.
    pub tags: Tags,
    /// When it was started.
    pub started_at: Millis,
}

/// What a client token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// A digest of the parameters, to notice other parameters under the same token.
    pub fingerprint: String,
    /// The ids that were made.
    pub ids: Vec<String>,
    /// The volume as it was made, for an answer after it is gone.
    pub volume: Option<Volume>,
}
