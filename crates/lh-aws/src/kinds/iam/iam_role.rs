//! IAM role that one AWS service may take.

use async_trait::async_trait;
use aws_sdk_iam::types::Role;
use futures_util::future::join_all;
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Rules,
    Seen, Target, change::tag_changes,
};
use lh_model::{CloudId, Map};
use serde::{Deserialize, Serialize};

use super::{labels, list, policy};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::Tags,
};

/// The kind. Its id is the role's name.
pub struct IamRole;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in the account.
    pub name: String,
    /// The service that may take it, `ec2.amazonaws.com`.
    pub service: String,
    /// Shown in the console.
    #[serde(default)]
    pub description: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What IAM shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in the account.
    pub name: String,
    /// The service that may take it; the whole trust policy where it says anything else.
    pub service: String,
    /// Shown in the console.
    pub description: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// The role's ARN.
    pub arn: String,
}

impl Rules for IamRole {
    const NAME: &'static str = "iam_role";
    const DOC: &'static str = "An IAM role for one AWS service (IAM API reference: CreateRole)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in the account"),
        Field::online("service", "service that may take the role"),
        Field::online("description", "description"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["iam:GetRole"],
        create: &["iam:CreateRole", "iam:GetRole"],
        update: &["iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:TagRole", "iam:UntagRole"],
        delete: &["iam:DeleteRole"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// The role; `None` where there is none of this name.
async fn read(clients: &Clients, name: &str) -> Result<Option<Role>, CloudError> {
    match clients.iam.get_role().role_name(name).send().await.named("iam:GetRole") {
        Ok(answer) => Ok(answer.role),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn look(clients: &Clients, target: &Target<Props>) -> Seen<Facts> {
    let name = target.id.as_ref().map_or(&target.props.name, |id| &id.0);
    let role = match read(clients, name).await {
        Ok(Some(role)) => role,
        Ok(None) => return Seen::Absent,
        Err(error) => return Seen::Unreadable(error),
    };
    let labels = labels(role.tags());
    let document = role.assume_role_policy_document().unwrap_or_default();
    let facts = Facts {
        name: role.role_name().to_owned(),
        service: policy::trusted(document, &target.props.service),
        description: role.description().filter(|text| !text.is_empty()).map(str::to_owned),
        tags: labels.user(),
        arn: role.arn().to_owned(),
    };
    Seen::Found(Found { id: CloudId(facts.name.clone()), owner: labels.owner(&target.stack), facts })
}

#[async_trait]
impl Ops for IamRole {
    type Client = Clients;

    /// IAM has no call that describes several roles; all are asked for at the same time.
    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        join_all(targets.iter().map(|target| look(clients, target))).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let request = clients
            .iam
            .create_role()
            .role_name(&props.name)
            .assume_role_policy_document(policy::trust(&props.service))
            .set_description(props.description.clone())
            .set_tags(Some(list(op.all_tags(&props.tags))?));
        match request.send().await.named("iam:CreateRole") {
            Ok(_) => Ok(CloudId(props.name.clone())),
            Err(error) if error.kind == ErrorKind::Exists => {
                let role = read(clients, &props.name).await?;
                let ours = role.is_some_and(|role| labels(role.tags()).is_of(&op.stack, &op.identity));
                if ours { Ok(CloudId(props.name.clone())) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let differs = |name: &str| diffs.iter().any(|diff| diff.field == name);
        let (set, gone) = tag_changes(diffs);
        if !set.is_empty() {
            let tags = list(set.into_iter().collect())?;
            clients.iam.tag_role().role_name(&id.0).set_tags(Some(tags)).send().await.named("iam:TagRole")?;
        }
        if !gone.is_empty() {
            let request = clients.iam.untag_role().role_name(&id.0).set_tag_keys(Some(gone));
            request.send().await.named("iam:UntagRole")?;
        }
        if differs("service") {
            let request = clients
                .iam
                .update_assume_role_policy()
                .role_name(&id.0)
                .policy_document(policy::trust(&want.service));
            request.send().await.named("iam:UpdateAssumeRolePolicy")?;
        }
        if differs("description") {
            let text = want.description.clone().unwrap_or_default();
            let request = clients.iam.update_role().role_name(&id.0).description(text);
            request.send().await.named("iam:UpdateRole")?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        unless_gone(clients.iam.delete_role().role_name(&id.0).send().await.named("iam:DeleteRole"))
    }
}
