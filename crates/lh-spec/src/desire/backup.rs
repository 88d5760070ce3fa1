//! Backups: recovery points of the data volume in a vault, by a plan; and the bucket for dumps.
//!
//! Vault and bucket stand under their own names: with another name in the stack file the old one is
//! retained with what it holds, and the new one is made.

use std::collections::BTreeMap;

use lh_model::{Address, Existing, Lookup, Origin, Resource, value::join};
use serde_json::{Value, json};

use super::{iam, lookup, lookups::found, reference, resource, tags};
use crate::{
    checks::calendar,
    stack::{Backup, Placed, Stack},
};

/// Days that a version of a dump is kept after it was deleted or written over.
const NONCURRENT_DAYS: u32 = 30;
/// Days until the parts of an upload that was never completed are deleted.
const ABORT_DAYS: u32 = 7;
/// AWS's managed policies for the role that AWS Backup takes.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html>
const POLICIES: [(&str, &str); 2] =
    [("backup", "AWSBackupServiceRolePolicyForBackup"), ("restore", "AWSBackupServiceRolePolicyForRestores")];

/// The resources of the section `backup`.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let Some(backup) = &stack.backup else { return Vec::new() };
    let mut resources = Vec::new();
    if backup.manage {
        resources.push(vault(stack, backup));
        resources.extend(bucket(stack, backup));
    }
    if let Some(schedule) = &backup.schedule {
        resources.extend(role(stack, backup));
        resources.push(plan(stack, backup, schedule));
        resources.push(selection(stack, backup));
    }
    resources
}

/// What must exist where the stack may not make it.
pub(super) fn lookups(stack: &Stack) -> Vec<Lookup> {
    let Some(backup) = stack.backup.as_ref().filter(|backup| !backup.manage) else { return Vec::new() };
    let mut lookups =
        vec![lookup("backup_vault", &backup.vault.origin, json!({ "name": backup.vault.value }))];
    if let Some(bucket) = &backup.bucket {
        lookups.push(lookup("bucket", &bucket.origin, json!({ "name": bucket.value })));
    }
    lookups
}

fn role(stack: &Stack, backup: &Backup) -> Vec<Resource> {
    let name = role_name(stack);
    let role = resource(
        "iam_role",
        "backup",
        &backup.origin,
        json!({
            "name": name,
            "service": "backup.amazonaws.com",
            "description": format!("AWS Backup for the stack {}", stack.id()),
            "tags": tags(stack, &name),
        }),
    );
    let attachment = |(place, policy): (&str, &str)| {
        let arn = iam::fill(&format!("arn:{}:iam::aws:policy/service-role/{policy}", iam::PARTITION));
        let props = json!({ "role": name, "policy_arn": arn });
        let mut attachment = resource("iam_policy_attachment", place, &backup.origin, props);
        attachment.after = [Address::new("iam_role", "backup")].into();
        attachment
    };
    POLICIES.into_iter().map(attachment).chain([role]).collect()
}

fn role_name(stack: &Stack) -> String {
    format!("{}-backup", stack.prefix())
}

fn vault(stack: &Stack, backup: &Backup) -> Resource {
    let name = &backup.vault.value;
    let props = json!({ "name": name, "tags": tags(stack, name) });
    Resource { existing: Existing::Use, ..resource("backup_vault", name, &backup.vault.origin, props) }
}

fn bucket(stack: &Stack, backup: &Backup) -> Option<Resource> {
    let name = backup.bucket.as_ref()?;
    let props = json!({
        "name": name.value,
        "account": found("caller", "account"),
        "versioning": true,
        "encryption": "AES256",
        "private": true,
        "tls_only": true,
        "prefix": format!("{}/", stack.id()),
        "expire_days": backup.retain_days.value,
        "noncurrent_days": NONCURRENT_DAYS,
        "abort_uploads_days": ABORT_DAYS,
        "tags": tags(stack, &name.value),
    });
    let mut bucket = resource("bucket", &name.value, &name.origin, props);
    bucket.existing = Existing::Use;
    bucket.origins = origins([("expire_days", &backup.retain_days.origin)]);
    Some(bucket)
}

fn plan(stack: &Stack, backup: &Backup, schedule: &Placed<String>) -> Resource {
    let name = stack.prefix();
    let vault = match backup.manage {
        true => reference("backup_vault", &backup.vault.value, "id"),
        false => found("backup_vault", "name"),
    };
    // Schedules that AWS Backup cannot follow were refused where they were read.
    let cron = calendar::as_cron(&schedule.value).unwrap_or_else(|| schedule.value.clone());
    let props = json!({
        "name": name,
        "vault": vault,
        "schedule": cron,
        "retain_days": backup.retain_days.value,
        "cold_after_days": backup.cold_after_days.as_ref().map(|days| days.value),
        "other_rules": [],
        "tags": tags(stack, &name),
    });
    let mut plan = resource("backup_plan", "data", &backup.origin, props);
    let cold = backup.cold_after_days.as_ref().map_or(&backup.origin, |days| &days.origin);
    plan.origins = origins([
        ("vault", &backup.vault.origin),
        ("schedule", &schedule.origin),
        ("retain_days", &backup.retain_days.origin),
        ("cold_after_days", cold),
    ]);
    plan
}

/// The data volume, by its ARN and by its name. AWS's documents do not agree on whether the two
/// widen or narrow each other: here both say the same volume.
fn selection(stack: &Stack, backup: &Backup) -> Resource {
    let volume = reference("volume", "data", "id");
    let region = &stack.region.value;
    let arn = join(vec![
        json!("arn:"),
        found("caller", "partition"),
        json!(format!(":ec2:{region}:")),
        found("caller", "account"),
        json!(":volume/"),
        volume,
    ]);
    let props = json!({
        "name": stack.prefix(),
        "plan_id": reference("backup_plan", "data", "id"),
        "role_arn": reference("iam_role", "backup", "arn"),
        "resources": [arn],
        "tagged": { "Name": format!("{}-data", stack.prefix()) },
    });
    let mut selection = resource("backup_selection", "data", &backup.origin, props);
    // AWS Backup tries whether the role may do what it is for.
    selection.after = POLICIES.map(|(place, _)| Address::new("iam_policy_attachment", place)).into();
    selection
}

fn origins<const N: usize>(fields: [(&str, &Origin); N]) -> BTreeMap<String, Origin> {
    fields.into_iter().map(|(field, origin)| (field.to_owned(), origin.clone())).collect()
}

/// What the host's role may do for dumps: write below the stack's prefix of the one bucket, also
/// where the bucket encrypts with a KMS key of its own.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
pub(super) fn statements(stack: &Stack) -> Vec<Value> {
    let Some(backup) = &stack.backup else { return Vec::new() };
    let Some(bucket) = &backup.bucket else { return Vec::new() };
    let (partition, account, region) = (iam::PARTITION, iam::ACCOUNT, &stack.region.value);
    let bucket = format!("arn:{partition}:s3:::{}", bucket.value);
    let dumps = format!("{bucket}/{}/*", stack.id());
    let mut write = json!({
        "Effect": "Allow",
        // A dump is read again by a restore and by a drill, which may run on a new instance.
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
        "Resource": dumps,
    });
    if backup.manage {
        // Bucket names are shared by all accounts: dumps go into no other's.
        write["Condition"] = json!({ "StringEquals": { "aws:ResourceAccount": account } });
    }
    let list = json!({
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": bucket,
        "Condition": { "StringLike": { "s3:prefix": format!("{}/*", stack.id()) } },
    });
    let encrypt = json!({
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": format!("arn:{partition}:kms:{region}:{account}:key/*"),
        "Condition": {
            "StringEquals": { "kms:ViaService": format!("s3.{region}.amazonaws.com") },
            "StringLike": { "kms:EncryptionContext:aws:s3:arn": [bucket, dumps] },
        },
    });
    vec![write, list, encrypt]
}
