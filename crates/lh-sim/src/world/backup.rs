//! AWS Backup in the world: vaults with their recovery points, plans with their versions and
//! selections.

use super::{Millis, Tagged, Tags, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Backup {
    /// Vaults by name.
    pub vaults: BTreeMap<String, Vault>,
    /// Plans by id; deleted ones stay, as they do in AWS.
    pub plans: BTreeMap<String, BackupPlan>,
}

/// A vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vault {
    /// The ARN.
    pub arn: String,
    /// The id of the request that made it.
    pub creator: Option<String>,
    /// The ARN of the KMS key.
    pub key: String,
    /// When it was created.
    pub created_at: Millis,
    /// Tags.
    pub tags: Tags,
    /// Recovery points by ARN.
    pub points: BTreeMap<String, RecoveryPoint>,
}

/// One backup of one resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecoveryPoint {
    /// The ARN of what was backed up.
    pub resource: String,
    /// `COMPLETED`, `PARTIAL`, `EXPIRED`, ….
    pub status: String,
    /// When it was made.
    pub created_at: Millis,
    /// Its size in bytes.
    pub bytes: i64,
}

/// A plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupPlan {
    /// The ARN.
    pub arn: String,
    /// The id of the request that made it.
    pub creator: Option<String>,
    /// When it was created.
    pub created_at: Millis,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Millis>,
    /// Its versions, the newest last; there is always one.
    pub versions: Vec<PlanVersion>,
    /// Tags.
    pub tags: Tags,
    /// Selections by id.
    pub selections: BTreeMap<String, Selection>,
}

/// What a plan says in one version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PlanVersion {
    /// The version's id.
    pub id: String,
    /// The plan's name.
    pub name: String,
    /// Its rules.
    pub rules: Vec<BackupRule>,
}

/// When backups are made, where they go and how long they stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRule {
    /// The name.
    pub name: String,
    /// The vault that it writes to.
    pub vault: String,
    /// `cron(…)`.
    pub schedule: Option<String>,
    /// Days until a recovery point is deleted.
    pub delete_after_days: Option<i64>,
    /// Days until it moves to cold storage.
    pub cold_after_days: Option<i64>,
}

/// What a plan backs up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Selection {
    /// The name.
    pub name: String,
    /// The role that AWS Backup takes.
    pub role: String,
    /// ARNs of resources.
    pub resources: Vec<String>,
    /// Tags, of which a resource has at least one.
    pub tags: Vec<(String, String)>,
    /// The id of the request that made it.
    pub creator: Option<String>,
    /// When it was created.
    pub created_at: Millis,
}

impl BackupPlan {
    /// What it says now.
    pub fn current(&self) -> PlanVersion {
        self.versions.last().cloned().unwrap_or_default()
    }
}

impl Backup {
    /// What the tagging API shows of it.
    pub(crate) fn tagged(&self) -> Vec<Tagged> {
        let show = |kind: &'static str, arn: &str, tags: &Tags| Tagged {
            kind,
            arn: arn.to_owned(),
            tags: tags.clone(),
        };
        let vaults = self.vaults.values().map(|vault| ("backup:backup-vault", &vault.arn, &vault.tags));
        let plans = self.plans.values().filter(|plan| plan.deleted_at.is_none());
        let plans = plans.map(|plan| ("backup:backup-plan", &plan.arn, &plan.tags));
        let tagged = vaults.chain(plans).filter(|(.., tags)| !tags.is_empty());
        tagged.map(|(kind, arn, tags)| show(kind, arn, tags)).collect()
    }
}

impl World {
    /// A backup of `resource` (an ARN) is complete: a recovery point in a vault. The answer is its
    /// ARN; none if there is no such vault.
    pub fn add_recovery_point(&mut self, region: &str, vault: &str, resource: &str) -> Option<String> {
        let (id, now) = (self.random.id("snap"), self.now);
        let vault = self.region_mut(region).backup.vaults.get_mut(vault)?;
        let arn = format!("arn:aws:ec2:{region}::snapshot/{id}");
        let point = RecoveryPoint {
            resource: resource.to_owned(),
            status: "COMPLETED".to_owned(),
            created_at: now,
            bytes: 1 << 30,
        };
        vault.points.insert(arn.clone(), point);
        Some(arn)
    }
}
