//! The world: everything the simulated AWS account holds, as plain data.
//!
//! It has no behaviour of its own beyond look-ups and the few events that a test may cause behind
//! the tool's back; the rules are in the operations. All times are milliseconds of the virtual
//! clock since the world's epoch, 2025-01-01T00:00:00Z.

mod account;
mod backup;
mod cloudwatch;
mod commands;
mod compute;
mod kms;
mod logs;
mod network;
mod objects;
mod route53;
mod secrets;
mod sns;
pub(crate) mod start;
mod storage;
mod tables;

pub use account::{Iam, Parameter, Profile, Role};
pub use backup::{Backup, BackupPlan, BackupRule, PlanVersion, RecoveryPoint, Selection, Vault};
pub use cloudwatch::{Alarm, AlarmEvent, CloudWatch, Dashboard};
pub use commands::{Agent, Command, CommandEnd};
pub use compute::{
    Image, Instance, InstanceState, Interruption, Launch, MetadataOptions, SpotKind, SpotRequest, SpotState,
};
pub use kms::{Key, Kms};
pub use logs::{LogGroup, Logs};
pub use network::{Address, Association, Group, KeyPair, Peer, Rule, Subnet, Vpc};
pub use objects::{Bucket, Encryption, LifecycleRule, ObjectVersion, PublicAccess, S3};
pub(crate) use route53::reversed;
pub use route53::{RecordSet, Route53, Zone};
pub use secrets::{Secret, Secrets};
pub use sns::{Sns, Subscription, Topic};
pub use storage::{
    Attachment, AttachmentState, Disk, Modification, ModificationState, Shape, Snapshot, Token, Volume,
    VolumeState,
};
pub use tables::{Attribute, Item, Table};

pub use crate::ids::Random;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Tags of one resource.
pub type Tags = BTreeMap<String, String>;

/// Milliseconds of the virtual clock.
pub type Millis = u64;

/// The account every world has.
pub const ACCOUNT: &str = "123456789012";

/// The Unix time of the world's epoch, in milliseconds: 2025-01-01T00:00:00Z.
pub const EPOCH_UNIX_MS: i64 = 1_735_689_600_000;

/// The format of the saved world; a file with another number is refused.
pub const FORMAT: u32 = 1;

/// Something with tags, as the tagging API shows it.
pub(crate) struct Tagged {
    /// The type in filters, such as `cloudwatch:alarm`.
    pub kind: &'static str,
    /// The ARN.
    pub arn: String,
    /// The tags.
    pub tags: Tags,
}

/// The whole account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    /// The format of the file, see [`FORMAT`].
    pub format: u32,
    /// Counts the saved changes; processes notice each other's changes by it.
    pub revision: u64,
    /// The account id.
    pub account: String,
    /// What the generator was seeded with.
    pub seed: u64,
    /// The virtual clock.
    pub now: Millis,
    /// The generator of ids.
    pub random: Random,
    /// New objects that are not visible yet, and to how many more reads.
    pub young: BTreeMap<String, u32>,
    /// Identity and Access Management, which is global.
    pub iam: Iam,
    /// Amazon S3, whose bucket names are global.
    #[serde(default)]
    pub s3: S3,
    /// Route 53, whose hosted zones are global.
    #[serde(default)]
    pub route53: Route53,
    /// The regions somebody asked for so far.
    pub regions: BTreeMap<String, Region>,
}

/// One region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Region {
    /// Availability zones by name.
    pub zones: Vec<String>,
    /// VPCs by id.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Subnets by id.
    pub subnets: BTreeMap<String, Subnet>,
    /// Security groups by id, with their rules.
    pub groups: BTreeMap<String, Group>,
    /// Key pairs by name.
    pub key_pairs: BTreeMap<String, KeyPair>,
    /// Images by id.
    pub images: BTreeMap<String, Image>,
    /// Instances by id; terminated ones stay for an hour.
    pub instances: BTreeMap<String, Instance>,
    /// Spot requests by id.
    pub spot_requests: BTreeMap<String, SpotRequest>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, Volume>,
    /// Snapshots by id.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// Elastic IP addresses by allocation id.
    pub addresses: BTreeMap<String, Address>,
    /// Instance types that no zone has room for at the moment.
    #[serde(default)]
    pub full: BTreeSet<String>,
    /// Client tokens of `RunInstances` and `CreateVolume`: `operation/token`.
    pub tokens: BTreeMap<String, Token>,
    /// Agents of Systems Manager, by instance.
    #[serde(default)]
    pub agents: BTreeMap<String, Agent>,
    /// Commands of Run Command by id.
    #[serde(default)]
    pub commands: BTreeMap<String, Command>,
    /// SSM parameters by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// DynamoDB tables by name.
    #[serde(default)]
    pub tables: BTreeMap<String, Table>,
    /// AWS Backup.
    #[serde(default)]
    pub backup: Backup,
    /// CloudWatch.
    #[serde(default)]
    pub cloudwatch: CloudWatch,
    /// Key Management Service.
    #[serde(default)]
    pub kms: Kms,
    /// CloudWatch Logs.
    #[serde(default)]
    pub logs: Logs,
    /// Secrets Manager.
    #[serde(default)]
    pub secrets: Secrets,
    /// Simple Notification Service.
    #[serde(default)]
    pub sns: Sns,
}

impl World {
    /// The region of this name, if anybody has asked for it yet.
    pub fn region(&self, name: &str) -> Option<&Region> {
        self.regions.get(name)
    }

    /// The region of this name, made on demand with its default network and images.
    pub fn region_mut(&mut self, name: &str) -> &mut Region {
        if !self.regions.contains_key(name) {
            let made = start::region(name, &mut self.random);
            self.regions.insert(name.to_owned(), made);
        }
        self.regions.entry(name.to_owned()).or_default()
    }

    /// EC2 takes a spot instance back. What happens to it is what its request asked for; the
    /// answer is false if there is no such running spot instance.
    pub fn interrupt_spot(&mut self, region: &str, instance: &str) -> bool {
        let now = self.now;
        crate::ec2::spot::interrupt(self.region_mut(region), instance, now)
    }
}

/// A value that the world keeps, but that `Debug` does not show: the content of a SecureString.
///
/// The simulated cloud is its own vault, so the value is in the world's file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl Hidden {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}
