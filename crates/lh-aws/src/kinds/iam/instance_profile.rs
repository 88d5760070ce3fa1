//! Instance profile: what hands a role to an instance.

use async_trait::async_trait;
use aws_sdk_iam::types::InstanceProfile as Described;
use futures_util::future::join_all;
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Rules,
    Seen, Target, change::tag_changes,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::{labels, list};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known},
};

const ADD: &str = "iam:AddRoleToInstanceProfile";

/// The kind. Its id is the profile's name.
pub struct InstanceProfile;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in the account.
    pub name: String,
    /// Name of the role it hands out.
    pub role: Late<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What IAM shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in the account.
    pub name: String,
    /// Name of the role it hands out; null for a profile whose creation was cut off.
    pub role: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// The profile's ARN.
    pub arn: String,
}

impl Rules for InstanceProfile {
    const NAME: &'static str = "instance_profile";
    const DOC: &'static str = "An instance profile with its role (IAM API reference: CreateInstanceProfile)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in the account"),
        Field::online("role", "role it hands out"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["iam:GetInstanceProfile"],
        create: &["iam:CreateInstanceProfile", "iam:GetInstanceProfile", ADD],
        update: &[
            "iam:GetInstanceProfile",
            "iam:RemoveRoleFromInstanceProfile",
            ADD,
            "iam:TagInstanceProfile",
            "iam:UntagInstanceProfile",
        ],
        delete: &["iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// The profile; `None` where there is none of this name.
async fn read(clients: &Clients, name: &str) -> Result<Option<Described>, CloudError> {
    let request = clients.iam.get_instance_profile().instance_profile_name(name);
    match request.send().await.named("iam:GetInstanceProfile") {
        Ok(answer) => Ok(answer.instance_profile),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A profile holds one role at most.
fn role_of(profile: &Described) -> Option<&str> {
    profile.roles().first().map(|role| role.role_name())
}

async fn look(clients: &Clients, target: &Target<Props>) -> Seen<Facts> {
    let name = target.id.as_ref().map_or(&target.props.name, |id| &id.0);
    let profile = match read(clients, name).await {
        Ok(Some(profile)) => profile,
        Ok(None) => return Seen::Absent,
        Err(error) => return Seen::Unreadable(error),
    };
    let labels = labels(profile.tags());
    let facts = Facts {
        name: profile.instance_profile_name().to_owned(),
        role: role_of(&profile).map(str::to_owned),
        tags: labels.user(),
        arn: profile.arn().to_owned(),
    };
    Seen::Found(Found { id: CloudId(facts.name.clone()), owner: labels.owner(&target.stack), facts })
}

async fn add(clients: &Clients, profile: &str, role: &str) -> Result<(), CloudError> {
    let request = clients.iam.add_role_to_instance_profile().instance_profile_name(profile).role_name(role);
    match request.send().await.named(ADD) {
        // A profile holds one role: after a lost answer the repetition finds it taken, by this very role.
        Err(error) if error.kind == ErrorKind::Quota => {
            let there = read(clients, profile).await?;
            let same = there.as_ref().and_then(role_of) == Some(role);
            if same { Ok(()) } else { Err(error) }
        }
        result => result.map(drop),
    }
}

async fn remove(clients: &Clients, profile: &str, role: &str) -> Result<(), CloudError> {
    let request =
        clients.iam.remove_role_from_instance_profile().instance_profile_name(profile).role_name(role);
    unless_gone(request.send().await.named("iam:RemoveRoleFromInstanceProfile"))
}

/// Puts `role` into `profile` as IAM shows it now, whatever role it has.
async fn set_role(clients: &Clients, name: &str, role: &str) -> Result<(), CloudError> {
    let profile = read(clients, name).await?;
    match profile.as_ref().and_then(role_of) {
        Some(current) if current == role => return Ok(()),
        Some(other) => remove(clients, name, other).await?,
        None => {}
    }
    add(clients, name, role).await
}

#[async_trait]
impl Ops for InstanceProfile {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        join_all(targets.iter().map(|target| look(clients, target))).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "iam:CreateInstanceProfile";
        let role = known(&props.role, operation, "role")?;
        let request = clients
            .iam
            .create_instance_profile()
            .instance_profile_name(&props.name)
            .set_tags(Some(list(op.all_tags(&props.tags))?));
        match request.send().await.named(operation) {
            Ok(_) => add(clients, &props.name, role).await?,
            Err(error) if error.kind == ErrorKind::Exists => {
                let found = read(clients, &props.name).await?;
                if !found.is_some_and(|profile| labels(profile.tags()).is_of(&op.stack, &op.identity)) {
                    return Err(error);
                }
                set_role(clients, &props.name, role).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(CloudId(props.name.clone()))
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
            let tags = list(set.into_iter().collect())?;
            let request =
                clients.iam.tag_instance_profile().instance_profile_name(&id.0).set_tags(Some(tags));
            request.send().await.named("iam:TagInstanceProfile")?;
        }
        if !gone.is_empty() {
            let request =
                clients.iam.untag_instance_profile().instance_profile_name(&id.0).set_tag_keys(Some(gone));
            request.send().await.named("iam:UntagInstanceProfile")?;
        }
        if diffs.iter().any(|diff| diff.field == "role") {
            set_role(clients, &id.0, known(&want.role, ADD, "role")?).await?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        if let Some(role) = &facts.role {
            remove(clients, &id.0, role).await?;
        }
        let request = clients.iam.delete_instance_profile().instance_profile_name(&id.0);
        unless_gone(request.send().await.named("iam:DeleteInstanceProfile"))
    }
}
