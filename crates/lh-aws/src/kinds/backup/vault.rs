//! A vault: where AWS Backup keeps recovery points. One that existed before is used as it is.
//!
//! The list of all vaults tells more surely than a question about one: of a vault that is not
//! there AWS says that it may not be seen.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_backup::types::BackupVaultListMember;
use futures_util::future::join;
use lh_kind::{
    AtDestroy, Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price,
    PriceBook, Rules, Seen, Target,
};
use lh_model::{CloudId, Map};
use serde::{Deserialize, Serialize};

use super::tags;
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, labels::Labels, tagged, unreadable},
};

/// The operation that finds vaults.
pub(crate) const LIST: &str = "backup:ListBackupVaults";
const CREATE: &str = "backup:CreateBackupVault";

/// The kind. Its id is the vault's name.
pub struct BackupVault;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region.
    pub name: String,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What AWS Backup shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// The user's tags.
    pub tags: Tags,
    /// Its ARN.
    pub arn: String,
    /// How many recovery points are in it.
    #[serde(default)]
    pub recovery_points: i64,
}

impl Rules for BackupVault {
    const NAME: &'static str = "backup_vault";
    const DOC: &'static str = "A vault for recovery points (AWS Backup API reference: CreateBackupVault)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const HOLDS_DATA: bool = true;
    const AT_DESTROY: AtDestroy = AtDestroy::IfEmpty;
    const FIELDS: &'static [Field] =
        &[Field::replace("name", "name, unique in account and region"), Field::online("tags", "tags")];
    const CALLS: Calls = Calls {
        observe: &[LIST, tagged::GET_RESOURCES, tags::LIST],
        create: &[CREATE, LIST],
        update: &[LIST, "backup:TagResource", "backup:UntagResource"],
        delete: &["backup:DeleteBackupVault"],
    };
    type Props = Props;
    type Facts = Facts;

    fn contents(facts: &Facts) -> Option<String> {
        match facts.recovery_points {
            0 => None,
            1 => Some("1 recovery point".to_owned()),
            many => Some(format!("{many} recovery points")),
        }
    }

    /// The vault itself costs nothing; what is in it is a line of the volume's estimate.
    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// All vaults of account and region.
pub(crate) async fn read(clients: &Clients) -> Result<Vec<BackupVaultListMember>, CloudError> {
    let pages = clients.backup.list_backup_vaults().into_paginator().items().send();
    pages.try_collect().await.named(LIST)
}

fn name_of(target: &Target<Props>) -> &str {
    target.id.as_ref().map_or(&target.props.name, |id| &id.0)
}

fn found(vault: &BackupVaultListMember, target: &Target<Props>, labels: &Labels) -> Found<Facts> {
    let name = vault.backup_vault_name().unwrap_or_default().to_owned();
    let owner = if target.used { Owner::Other } else { labels.owner(&target.stack) };
    let facts = Facts {
        name: name.clone(),
        tags: labels.user(),
        arn: vault.backup_vault_arn().unwrap_or_default().to_owned(),
        recovery_points: vault.number_of_recovery_points(),
    };
    Found { id: CloudId(name), owner, facts }
}

#[async_trait]
impl Ops for BackupVault {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let common = async {
            match tags::are_asked(targets) {
                true => tagged::read(clients, targets).await,
                false => Ok(tagged::ByArn::new()),
            }
        };
        let (vaults, common) = join(read(clients), common).await;
        let vaults = match vaults {
            Ok(vaults) => vaults,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let of = |target: &Target<Props>| {
            vaults.iter().find(|vault| vault.backup_vault_name() == Some(name_of(target)))
        };
        let asked = targets.iter().filter(|target| !target.used).filter_map(of);
        let arns: Vec<String> = asked.filter_map(|vault| vault.backup_vault_arn.clone()).collect();
        let labels = tagged::complete(&common, arns, |arn| tags::of(clients, arn)).await;
        let none = Ok(Labels::default());
        let look = |target: &Target<Props>| {
            let Some(vault) = of(target) else { return Seen::Absent };
            match labels.get(vault.backup_vault_arn().unwrap_or_default()).unwrap_or(&none) {
                Ok(labels) => Seen::Found(found(vault, target, labels)),
                Err(error) => Seen::Unreadable(error.clone()),
            }
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let tags: HashMap<String, String> = op.all_tags(&props.tags).into_iter().collect();
        let request = clients
            .backup
            .create_backup_vault()
            .backup_vault_name(&props.name)
            .creator_request_id(op.token())
            .set_backup_vault_tags(Some(tags));
        match request.send().await.named(CREATE) {
            Ok(_) => Ok(CloudId(props.name.clone())),
            Err(error) if error.kind == ErrorKind::Exists => {
                let ours = |vault: &BackupVaultListMember| {
                    vault.backup_vault_name() == Some(&props.name)
                        && vault.creator_request_id() == Some(&op.token())
                };
                let is_ours = read(clients).await?.iter().any(ours);
                if is_ours { Ok(CloudId(props.name.clone())) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        _want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let found = read(clients).await?;
        let arn = found.iter().find(|vault| vault.backup_vault_name() == Some(&id.0));
        let gone = || CloudError::new(ErrorKind::NotFound, LIST, format!("there is no vault {id}"));
        let arn = arn.and_then(|vault| vault.backup_vault_arn.clone()).ok_or_else(gone)?;
        tags::retag(clients, &arn, diffs).await
    }

    /// AWS refuses to delete a vault with recovery points, and nothing here deletes those.
    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.backup.delete_backup_vault().backup_vault_name(&id.0);
        unless_gone(request.send().await.named("backup:DeleteBackupVault"))
    }
}
