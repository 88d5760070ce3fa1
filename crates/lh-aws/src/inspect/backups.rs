//! Recovery points in a vault, and dumps in a bucket.

use aws_sdk_backup::types::RecoveryPointByBackupVault;
use aws_sdk_s3::types::Object;
use aws_smithy_types::DateTime;
use lh_kind::{CloudError, ErrorKind};

use super::Inspector;
use crate::error::Named;

/// How a dump's object ends, and with this its description.
const DUMP: &str = ".sql.gz";
const DESCRIPTION: &str = ".json";
/// A description is a line; what is longer is none.
const LONGEST_DESCRIPTION: i64 = 65_536;

/// One backup by AWS Backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// Its ARN.
    pub arn: String,
    /// `COMPLETED`, `PARTIAL`, `EXPIRED`, ….
    pub status: String,
    /// When it was begun, in seconds since 1970.
    pub at: i64,
    /// Its size in bytes, where it is known.
    pub bytes: Option<i64>,
}

/// A dump in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: i64,
    /// When it was written, in seconds since 1970.
    pub at: i64,
    /// What is said of it in the object beside it, if there is one.
    pub description: Option<String>,
}

impl Inspector {
    /// The recovery points of `resource` (an ARN) in a vault, the newest first.
    ///
    /// # Errors
    /// When AWS Backup cannot be asked, or shows no such vault.
    pub async fn recovery_points(
        &self,
        vault: &str,
        resource: &str,
    ) -> Result<Vec<RecoveryPoint>, CloudError> {
        let request = self.clients.backup.list_recovery_points_by_backup_vault();
        let pages = request.backup_vault_name(vault).by_resource_arn(resource).into_paginator().items();
        let found: Vec<_> =
            pages.send().try_collect().await.named("backup:ListRecoveryPointsByBackupVault")?;
        let point = |found: &RecoveryPointByBackupVault| RecoveryPoint {
            arn: found.recovery_point_arn().unwrap_or_default().to_owned(),
            status: found.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            at: found.creation_date().map_or(0, DateTime::secs),
            bytes: found.backup_size_in_bytes(),
        };
        let mut points: Vec<RecoveryPoint> = found.iter().map(point).collect();
        points.sort_by_key(|point| std::cmp::Reverse(point.at));
        Ok(points)
    }

    /// When a backup plan was made, in seconds since 1970.
    ///
    /// # Errors
    /// When AWS Backup cannot be asked, or shows no such plan.
    pub async fn backup_plan_since(&self, id: &str) -> Result<i64, CloudError> {
        let request = self.clients.backup.get_backup_plan().backup_plan_id(id);
        let plan = request.send().await.named("backup:GetBackupPlan")?;
        Ok(plan.creation_date().map_or(0, DateTime::secs))
    }

    /// The newest dump below a prefix of a bucket. The description is written last: a dump without
    /// one is not there whole, and counts only where no other is.
    ///
    /// # Errors
    /// When S3 cannot be asked, or there is no such bucket.
    pub async fn newest_dump(&self, bucket: &str, prefix: &str) -> Result<Option<Dump>, CloudError> {
        let request = self.clients.s3.list_objects_v2().bucket(bucket).prefix(prefix);
        let pages: Vec<_> = request.into_paginator().send().try_collect().await.named("s3:ListBucket")?;
        let objects: Vec<Object> =
            pages.into_iter().flat_map(|page| page.contents.unwrap_or_default()).collect();
        let key = |object: &Object| object.key().unwrap_or_default().to_owned();
        let described = |dump: &Object| objects.iter().find(|one| key(one) == key(dump) + DESCRIPTION);
        let at = |object: &Object| object.last_modified().map_or(0, DateTime::secs);
        let dumps = objects.iter().filter(|object| key(object).ends_with(DUMP));
        let Some(newest) = dumps.max_by_key(|dump| (described(dump).is_some(), at(dump), key(dump))) else {
            return Ok(None);
        };
        let description = match described(newest).filter(|it| it.size().unwrap_or(0) <= LONGEST_DESCRIPTION) {
            Some(description) => self.text(bucket, &key(description)).await?,
            None => None,
        };
        Ok(Some(Dump { key: key(newest), bytes: newest.size().unwrap_or(0), at: at(newest), description }))
    }

    /// A small object as text; none if it went away meanwhile.
    async fn text(&self, bucket: &str, key: &str) -> Result<Option<String>, CloudError> {
        let operation = "s3:GetObject";
        let answer = match self.clients.s3.get_object().bucket(bucket).key(key).send().await.named(operation)
        {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let body = answer.body.collect().await;
        let body = body.map_err(|e| CloudError::new(ErrorKind::Unreachable, operation, e.to_string()))?;
        Ok(Some(String::from_utf8_lossy(&body.into_bytes()).into_owned()))
    }
}
