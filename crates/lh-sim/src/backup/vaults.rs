//! Vaults and what is in them.

use super::{PAGES, check_creator, check_name, missing, required, tags};
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::page;
use crate::scene::Scene;
use crate::world::{Tags, Vault};
use aws_sdk_backup::operation::{
    create_backup_vault::{CreateBackupVaultInput, CreateBackupVaultOutput},
    delete_backup_vault::{DeleteBackupVaultInput, DeleteBackupVaultOutput},
    describe_backup_vault::{DescribeBackupVaultInput, DescribeBackupVaultOutput},
    list_backup_vaults::{ListBackupVaultsInput, ListBackupVaultsOutput},
    list_recovery_points_by_backup_vault::{
        ListRecoveryPointsByBackupVaultInput, ListRecoveryPointsByBackupVaultOutput,
    },
};
use aws_sdk_backup::types::{BackupVaultListMember, RecoveryPointByBackupVault};
use std::collections::BTreeMap;

fn key(name: &str) -> String {
    format!("backup-vault/{name}")
}

/// CreateBackupVault: the same request again is answered as the first time; another one meets
/// what is there. <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html>
pub(super) fn create(
    s: &mut Scene<'_>,
    i: &CreateBackupVaultInput,
) -> Result<CreateBackupVaultOutput, ApiError> {
    let name = required(&i.backup_vault_name, "BackupVaultName")?;
    check_name(name, "BackupVaultName", "-_")?;
    if name.len() < 2 {
        return Err(super::invalid("A vault's name has 2 to 50 characters."));
    }
    check_creator(&i.creator_request_id)?;
    if let Some(old) = s.here.backup.vaults.get(name) {
        if i.creator_request_id.is_some() && old.creator == i.creator_request_id {
            return Ok(shown(name, old));
        }
        let message = format!("Backup vault with the same name already exists: {name}");
        return Err(ApiError::new("AlreadyExistsException", message));
    }
    let mut given = Tags::new();
    tags::put(&mut given, i.backup_vault_tags.as_ref())?;
    let own_key = s.arn("kms", "key/00000000-0000-4000-8000-0000000000ba");
    let vault = Vault {
        arn: s.arn("backup", &format!("backup-vault:{name}")),
        creator: i.creator_request_id.clone(),
        key: i.encryption_key_arn.clone().unwrap_or(own_key),
        created_at: s.now,
        tags: given,
        points: BTreeMap::new(),
    };
    s.born(&key(name));
    s.born(&format!("tags/{}", vault.arn));
    let answer = shown(name, &vault);
    s.here.backup.vaults.insert(name.to_owned(), vault);
    Ok(answer)
}

fn shown(name: &str, vault: &Vault) -> CreateBackupVaultOutput {
    CreateBackupVaultOutput::builder()
        .backup_vault_name(name)
        .backup_vault_arn(&vault.arn)
        .creation_date(date(vault.created_at))
        .build()
}

/// DescribeBackupVault. For a vault that is not there AWS answers as to somebody who may not see
/// it, so that nothing is told of the vaults of others.
pub(super) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeBackupVaultInput,
) -> Result<DescribeBackupVaultOutput, ApiError> {
    let name = required(&i.backup_vault_name, "BackupVaultName")?;
    let hidden = || {
        ApiError::with_status(403, "AccessDeniedException", "Insufficient privileges to perform this action.")
    };
    let vault = s.here.backup.vaults.get(name).cloned().ok_or_else(hidden)?;
    if !s.visible(&key(name)) {
        return Err(hidden());
    }
    Ok(DescribeBackupVaultOutput::builder()
        .backup_vault_name(name)
        .backup_vault_arn(&vault.arn)
        .encryption_key_arn(&vault.key)
        .creation_date(date(vault.created_at))
        .set_creator_request_id(vault.creator)
        .number_of_recovery_points(count(vault.points.len()))
        .locked(false)
        .build())
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// ListBackupVaults: <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupVaults.html>.
pub(super) fn list(s: &mut Scene<'_>, i: &ListBackupVaultsInput) -> Result<ListBackupVaultsOutput, ApiError> {
    let names: Vec<String> = s.here.backup.vaults.keys().cloned().collect();
    let names: Vec<String> = names.into_iter().filter(|name| s.visible(&key(name))).collect();
    let (names, next) = page(names, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let member = |(name, vault): (&String, &Vault)| {
        BackupVaultListMember::builder()
            .backup_vault_name(name)
            .backup_vault_arn(&vault.arn)
            .encryption_key_arn(&vault.key)
            .creation_date(date(vault.created_at))
            .set_creator_request_id(vault.creator.clone())
            .number_of_recovery_points(count(vault.points.len()))
            .locked(false)
            .build()
    };
    let vaults = &s.here.backup.vaults;
    let members = names.iter().filter_map(|name| Some(member((name, vaults.get(name)?)))).collect();
    Ok(ListBackupVaultsOutput::builder().set_backup_vault_list(Some(members)).set_next_token(next).build())
}

/// ListRecoveryPointsByBackupVault, by resource where one is named:
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html>.
pub(super) fn points(
    s: &mut Scene<'_>,
    i: &ListRecoveryPointsByBackupVaultInput,
) -> Result<ListRecoveryPointsByBackupVaultOutput, ApiError> {
    let name = required(&i.backup_vault_name, "BackupVaultName")?;
    let vault = s.here.backup.vaults.get(name).ok_or_else(|| missing("Backup vault", name))?;
    let asked = |resource: &String| i.by_resource_arn.as_ref().is_none_or(|arn| arn == resource);
    let found: Vec<RecoveryPointByBackupVault> = vault
        .points
        .iter()
        .filter(|(_, point)| asked(&point.resource))
        .map(|(arn, point)| {
            RecoveryPointByBackupVault::builder()
                .recovery_point_arn(arn)
                .backup_vault_name(name)
                .backup_vault_arn(&vault.arn)
                .resource_arn(&point.resource)
                .resource_type("EBS")
                .status(point.status.as_str().into())
                .creation_date(date(point.created_at))
                .completion_date(date(point.created_at))
                .backup_size_in_bytes(point.bytes)
                .is_encrypted(true)
                .build()
        })
        .collect();
    let (found, next) = page(found, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let answer = ListRecoveryPointsByBackupVaultOutput::builder().set_recovery_points(Some(found));
    Ok(answer.set_next_token(next).build())
}

/// DeleteBackupVault: "A vault can be deleted only if it is empty":
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupVault.html>.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteBackupVaultInput,
) -> Result<DeleteBackupVaultOutput, ApiError> {
    let name = required(&i.backup_vault_name, "BackupVaultName")?;
    let vault = s.here.backup.vaults.get(name).ok_or_else(|| missing("Backup vault", name))?;
    if !vault.points.is_empty() {
        let message = "Backup vault cannot be deleted because it contains recovery points.";
        return Err(ApiError::new("InvalidRequestException", message));
    }
    s.here.backup.vaults.remove(name);
    Ok(DeleteBackupVaultOutput::builder().build())
}
