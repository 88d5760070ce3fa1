//! The stack as its file describes it: every section typed, every value with its place.
//! What the file leaves out has its default here, placed at the section that leaves it out.

use std::collections::BTreeMap;

use lh_model::{Origin, SecretRef, StackId};

use crate::{instance_types::InstanceType, path};

/// A value and the place it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands; for a default, the section that leaves it out.
    pub origin: Origin,
}

impl<T> Placed<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { value: change(self.value), origin: self.origin }
    }
}

/// One environment: everything a valid stack file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The file, as the user named it.
    pub file: String,
    /// The file's first line, the place of what stands in no section.
    pub origin: Origin,
    /// The stack's name, such as `lighthouse`.
    pub name: Placed<String>,
    /// The environment, such as `dev`.
    pub environment: Placed<String>,
    /// The AWS region.
    pub region: Placed<String>,
    /// The AWS account that the file pins.
    pub account: Option<Placed<String>>,
    /// Where the state is kept.
    pub state: StateConfig,
    /// Network and sources.
    pub network: Network,
    /// The server.
    pub instance: Instance,
    /// The data volume.
    pub volume: Volume,
    /// The database and its password.
    pub database: Database,
    /// Backups, where asked for.
    pub backup: Option<Backup>,
    /// Monitoring, where asked for.
    pub monitoring: Option<Monitoring>,
    /// The DNS record, where asked for.
    pub dns: Option<Dns>,
    /// Shell access.
    pub ssh: Ssh,
    /// Whether destroying, and replacing what holds data, is refused.
    pub protect: Placed<bool>,
    /// The user's tags.
    pub tags: BTreeMap<String, Placed<String>>,
}

impl Stack {
    /// `<name>-<environment>`.
    pub fn id(&self) -> StackId {
        StackId::new(&self.name.value, &self.environment.value)
    }

    /// The directory of the stack file: empty for a bare file name. Relative paths are relative to it.
    pub fn directory(&self) -> &str {
        path::directory(&self.file)
    }

    /// `<name>-<environment>-timescaledb`, how every AWS name begins.
    pub fn prefix(&self) -> String {
        format!("{}-timescaledb", self.id())
    }
}

/// Where the state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateConfig {
    /// A local file.
    Local {
        /// Its path, joined to the stack file's directory.
        path: String,
    },
    /// An S3 object, locked by a DynamoDB table.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
        /// The lock table, with the hash key `LockID`.
        lock_table: String,
        /// Where both are, if not in the stack's region.
        region: Option<String>,
    },
}

/// The section `network`.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// `default`, a `Name` tag, or a `vpc-…` id.
    pub vpc: Placed<String>,
    /// A `Name` tag or a `subnet-…` id.
    pub subnet: Option<Placed<String>>,
    /// The availability zone.
    pub zone: Option<Placed<String>>,
    /// Whether the server gets an Elastic IP.
    pub public_ip: Placed<bool>,
    /// Whether its subnet must lead to the internet.
    pub check_egress: bool,
    /// Who may reach PostgreSQL.
    pub allow_postgres_from: Vec<Placed<Source>>,
    /// Further security groups of the instance, by name or `sg-…` id.
    pub security_groups: Vec<Placed<String>>,
}

/// Who may reach a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An IPv4 network.
    Cidr(String),
    /// The members of a security group, by name or `sg-…` id.
    SecurityGroup(String),
}

/// The section `instance`.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The section's place.
    pub origin: Origin,
    /// A Graviton type.
    pub r#type: Placed<InstanceType>,
    /// Spot or on-demand.
    pub purchase: Placed<Purchase>,
    /// An `ami-…` id or the path of an SSM parameter; for a default, the newest Ubuntu's.
    pub image: Placed<String>,
    /// Whether EC2 refuses to terminate it.
    pub disable_api_termination: Placed<bool>,
    /// The root volume.
    pub root_volume: RootVolume,
}

/// How the instance is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purchase {
    /// At the full price, uninterrupted.
    OnDemand,
    /// At the spot price, with this done on interruption.
    Spot(Interruption),
}

/// What AWS does with a spot instance it takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// Stop it, and start it when there is capacity again.
    Stop,
    /// Terminate it.
    Terminate,
}

/// The section `instance.root_volume`.
#[derive(Clone, Debug, PartialEq)]
pub struct RootVolume {
    /// GiB.
    pub size: Placed<u32>,
    /// Whether it is encrypted.
    pub encrypted: Placed<bool>,
}

/// The section `volume`: the data volume, gp3.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// The section's place.
    pub origin: Origin,
    /// GiB.
    pub size: Placed<u32>,
    /// Operations a second.
    pub iops: Placed<u32>,
    /// MiB a second.
    pub throughput: Placed<u32>,
    /// Whether it is encrypted.
    pub encrypted: Placed<bool>,
    /// The KMS key, where it is not the account's default.
    pub kms_key: Option<Placed<String>>,
}

/// The section `database`.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// The section's place.
    pub origin: Origin,
    /// The database's name.
    pub name: Placed<String>,
    /// The container image.
    pub image: Placed<String>,
    /// Where the password is kept.
    pub password: Password,
}

/// The section `database.password`.
#[derive(Clone, Debug, PartialEq)]
pub struct Password {
    /// The parameter or secret.
    pub store: Placed<SecretRef>,
    /// Whether a password is generated where there is none.
    pub generate: bool,
    /// Whether the parameter or secret is created where it is missing.
    pub manage: bool,
    /// The KMS key it is encrypted with, where it is not the service's own.
    pub kms_key: Option<Placed<String>>,
}

/// The section `backup`.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    /// The section's place.
    pub origin: Origin,
    /// The AWS Backup vault.
    pub vault: Placed<String>,
    /// `cron(…)` or `rate(…)`, in UTC; without one, no plan is made.
    pub schedule: Option<Placed<String>>,
    /// Days until a recovery point is deleted.
    pub retain_days: Placed<u32>,
    /// Days until it moves to cold storage.
    pub cold_after_days: Option<Placed<u32>>,
    /// The bucket for logical dumps.
    pub bucket: Option<Placed<String>>,
    /// When dumps are made: `hourly`, `daily`, `weekly`, or `cron(…)`.
    pub dump_schedule: Placed<String>,
    /// Whether vault and bucket are created where they are missing.
    pub manage: bool,
}

/// The section `monitoring`.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitoring {
    /// The section's place.
    pub origin: Origin,
    /// Thresholds of the alarms, in percent.
    pub alarms: Alarms,
    /// The SNS topic, by name or ARN.
    pub topic: Option<Placed<String>>,
    /// Who is subscribed to it.
    pub emails: Vec<Placed<String>>,
    /// Whether there is a CloudWatch dashboard.
    pub dashboard: Placed<bool>,
    /// How long logs are kept.
    pub log_retention_days: Placed<u32>,
    /// Whether the topic is created where it is missing.
    pub manage: bool,
}

/// Thresholds in percent; an alarm that is not named is not made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarms {
    /// CPU use.
    pub cpu_percent: Option<Placed<u32>>,
    /// Use of the data volume.
    pub disk_percent: Option<Placed<u32>>,
    /// Use of memory.
    pub memory_percent: Option<Placed<u32>>,
}

impl Alarms {
    pub(crate) fn any(&self) -> bool {
        self.cpu_percent.is_some() || self.disk_percent.is_some() || self.memory_percent.is_some()
    }
}

/// The section `dns`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dns {
    /// The section's place.
    pub origin: Origin,
    /// The hosted zone, by name or id.
    pub zone: Placed<String>,
    /// The record's full name.
    pub record: Placed<String>,
    /// Seconds.
    pub ttl: Placed<u32>,
}

/// The section `ssh`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ssh {
    /// The section's place.
    pub origin: Origin,
    /// The key pair.
    pub key_name: Option<Placed<String>>,
    /// The public key to import under that name.
    pub public_key: Option<Placed<PublicKey>>,
    /// That key: its type and itself, without a comment.
    pub key_text: Option<String>,
    /// Who may reach port 22.
    pub allow_from: Vec<Placed<Source>>,
    /// `host`, `user@host` or `user@host:port` to go through.
    pub bastion: Option<Placed<String>>,
}

/// A public key, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// The key itself.
    Text(String),
    /// Its file, joined to the stack file's directory.
    File(String),
}
