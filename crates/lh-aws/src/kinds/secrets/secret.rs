//! A generated password in Secrets Manager. Its value is made inside the creation, handed to the
//! one call that stores it, and never read to plan.

use async_trait::async_trait;
use aws_sdk_secretsmanager::types::Tag;
use futures_util::future::join_all;
use lh_kind::{
    Amount, Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Line, Op, Ops, Owner, Price,
    PriceBook, Readiness, Rules, Seen, Share, Target, change::tag_changes,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::metadata::{self, DESCRIBE, LIST, Metadata};
use crate::{
    clients::Clients,
    error::Named,
    kinds::{Tags, known, password, text, unreadable},
};

const CREATE: &str = "secretsmanager:CreateSecret";
const UPDATE: &str = "secretsmanager:UpdateSecret";
const TAG: &str = "secretsmanager:TagResource";
const RESTORE: &str = "secretsmanager:RestoreSecret";
const DELETE: &str = "secretsmanager:DeleteSecret";
/// Up to so many are described one by one, which shows the newest; more are listed first.
const FEW: usize = 3;
/// Days in which a deleted secret can be restored: the most that Secrets Manager gives.
const RECOVERY_DAYS: i64 = 30;

/// The kind. Its id is the secret's name.
pub struct Secret;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region, `lighthouse/prod/db/password`.
    pub name: String,
    /// That the value is generated here.
    #[serde(default)]
    pub generate: Value,
    /// Shown in the console.
    #[serde(default)]
    pub description: Option<String>,
    /// The ARN of the KMS key, where it is not Secrets Manager's own.
    #[serde(default)]
    pub kms_key: Option<Late<String>>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What Secrets Manager shows without the value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// Shown in the console.
    pub description: Option<String>,
    /// The KMS key, where it is not Secrets Manager's own.
    pub kms_key: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// Its ARN, which has six more characters than its name.
    pub arn: String,
    /// The day its deletion was asked for, if it was.
    pub deleted: Option<String>,
}

impl Rules for Secret {
    const NAME: &'static str = "secret";
    const DOC: &'static str =
        "A generated secret in Secrets Manager (Secrets Manager API reference: CreateSecret)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const HOLDS_DATA: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in account and region"),
        Field::online("description", "description"),
        Field::online("kms_key", "KMS key"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[DESCRIBE, LIST],
        // A secret that a destroy of this stack has scheduled for deletion is restored.
        create: &[CREATE, DESCRIBE, RESTORE, TAG, UPDATE],
        update: &[UPDATE, TAG, "secretsmanager:UntagResource"],
        delete: &[DELETE, DESCRIBE],
    };
    type Props = Props;
    type Facts = Facts;

    fn ready(facts: &Facts) -> Readiness {
        match &facts.deleted {
            Some(day) => Readiness::Leaving(format!("scheduled for deletion since {day}")),
            None => Readiness::Ready,
        }
    }

    fn price(_props: &Map, book: &PriceBook) -> Price {
        match book.find(&["secret"]) {
            Ok(dollars) => {
                let (what, monthly) = ("secret in Secrets Manager".to_owned(), Amount::dollars(dollars));
                Price::Known(vec![Line { what, monthly, share: Share::Extra }])
            }
            Err(unknown) => unknown,
        }
    }
}

fn list(tags: impl IntoIterator<Item = (String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The name that a target goes by.
fn name_of(target: &Target<Props>) -> &String {
    target.id.as_ref().map_or(&target.props.name, |id| &id.0)
}

/// The key's id, which ends its ARN.
fn key_id(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

fn judged(found: Option<&Metadata>, target: &Target<Props>) -> Seen<Facts> {
    let Some(found) = found else { return Seen::Absent };
    let owner = found.labels.owner(&target.stack);
    if found.deleted.is_some() && matches!(owner, Owner::Stack(_)) {
        // Ours, and on its way out: as good as gone. Creating it again restores it.
        return Seen::Absent;
    }
    let wanted = target.props.kms_key.as_ref().map(text).filter(|wanted| !wanted.is_empty());
    let shown = found.kms_key.as_deref();
    let same = wanted.zip(shown).is_some_and(|(wanted, shown)| key_id(wanted) == key_id(shown));
    let facts = Facts {
        name: found.name.clone(),
        description: found.description.clone(),
        kms_key: if same { wanted } else { shown }.map(str::to_owned),
        tags: found.labels.user(),
        arn: found.arn.clone(),
        deleted: found.deleted.clone(),
    };
    Seen::Found(Found { id: CloudId(found.name.clone()), owner, facts })
}

async fn look(clients: &Clients, listed: &[Metadata], target: &Target<Props>) -> Seen<Facts> {
    let name = name_of(target);
    if let Some(found) = listed.iter().find(|one| one.name == *name) {
        return judged(Some(found), target);
    }
    match metadata::describe(clients, name).await {
        Ok(found) => judged(found.as_ref(), target),
        Err(error) => Seen::Unreadable(error),
    }
}

/// Brings back the secret that a destroy of this stack has scheduled for deletion: with its value,
/// which is the password of whatever database was kept.
async fn restore(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
    clients.secrets.restore_secret().secret_id(&props.name).send().await.named(RESTORE)?;
    let tags = list(op.all_tags(&props.tags));
    clients.secrets.tag_resource().secret_id(&props.name).set_tags(Some(tags)).send().await.named(TAG)?;
    describe_anew(clients, &props.name, props).await?;
    Ok(CloudId(props.name.clone()))
}

/// Writes description and key as wanted, without touching the value.
async fn describe_anew(clients: &Clients, name: &str, want: &Props) -> Result<(), CloudError> {
    let key = match &want.kms_key {
        Some(key) => known(key, UPDATE, "kms_key")?.clone(),
        // "If you set this to an empty string, Secrets Manager uses aws/secretsmanager."
        None => String::new(),
    };
    let description = want.description.clone().unwrap_or_default();
    let request = clients.secrets.update_secret().secret_id(name).description(description).kms_key_id(key);
    request.send().await.named(UPDATE).map(drop)
}

fn leaving(name: &str, day: &str) -> CloudError {
    let message = format!(
        "the secret {name} is scheduled for deletion since {day} and was not made by this stack, so it is \
         not touched. Restore it with `aws secretsmanager restore-secret --secret-id {name}` to have it \
         used, or name another secret"
    );
    CloudError::new(ErrorKind::Exists, CREATE, message)
}

#[async_trait]
impl Ops for Secret {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let mut listed = Vec::new();
        if targets.len() > FEW {
            let names: Vec<String> = targets.iter().map(|target| name_of(target).clone()).collect();
            listed = match metadata::list(clients, &names).await {
                Ok(listed) => listed,
                Err(error) => return unreadable(&error, targets.len()),
            };
        }
        join_all(targets.iter().map(|target| look(clients, &listed, target))).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let value = password::generate(CREATE)?;
        let key = props.kms_key.as_ref().map(|key| known(key, CREATE, "kms_key").cloned()).transpose()?;
        let request = clients
            .secrets
            .create_secret()
            .name(&props.name)
            .client_request_token(op.token())
            .secret_string(value.expose())
            .set_description(props.description.clone())
            .set_kms_key_id(key)
            .set_tags(Some(list(op.all_tags(&props.tags))));
        let refused = match request.send().await.named(CREATE) {
            Ok(_) => return Ok(CloudId(props.name.clone())),
            Err(error) if matches!(error.kind, ErrorKind::Exists | ErrorKind::Invalid) => error,
            Err(error) => return Err(error),
        };
        let Some(found) = metadata::describe(clients, &props.name).await? else { return Err(refused) };
        match &found.deleted {
            Some(_) if found.labels.is_at(&op.stack, &op.address) => restore(clients, op, props).await,
            Some(day) => Err(leaving(&props.name, day)),
            None if found.labels.is_of(&op.stack, &op.identity) => Ok(CloudId(props.name.clone())),
            None => Err(refused),
        }
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let (set, gone) = tag_changes(diffs);
        if !set.is_empty() {
            let request = clients.secrets.tag_resource().secret_id(&id.0).set_tags(Some(list(set)));
            request.send().await.named(TAG)?;
        }
        if !gone.is_empty() {
            let request = clients.secrets.untag_resource().secret_id(&id.0).set_tag_keys(Some(gone));
            request.send().await.named("secretsmanager:UntagResource")?;
        }
        if diffs.iter().any(|diff| ["description", "kms_key"].contains(&diff.field.as_str())) {
            describe_anew(clients, &id.0, want).await?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.secrets.delete_secret().secret_id(&id.0).recovery_window_in_days(RECOVERY_DAYS);
        match request.send().await.named(DELETE) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind == ErrorKind::Invalid => {
                let found = metadata::describe(clients, &id.0).await?;
                if found.is_none_or(|found| found.deleted.is_some()) { Ok(()) } else { Err(error) }
            }
            result => result.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_costs_what_the_guide_leaves_out() {
        let Price::Known(lines) = Secret::price(&Map::new(), &PriceBook::of("us-east-1")) else { panic!() };
        assert_eq!((lines[0].monthly.to_string().as_str(), lines[0].share), ("0.40", Share::Extra));
    }

    #[test]
    fn a_key_is_the_same_by_its_id_and_by_its_arn() {
        assert_eq!(key_id("arn:aws:kms:us-east-1:123456789012:key/1-2"), key_id("1-2"));
        assert_ne!(key_id("arn:aws:kms:us-east-1:123456789012:key/1-2"), key_id("alias/other"));
    }
}
