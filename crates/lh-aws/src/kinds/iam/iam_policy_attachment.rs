//! A managed policy attached to a role.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::future::join_all;
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price, PriceBook,
    Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::known,
};

/// The kind. Its id is `<role>:<ARN of the policy>`; a role's name cannot hold a colon.
pub struct IamPolicyAttachment;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The role's name.
    pub role: Late<String>,
    /// The policy's ARN.
    pub policy_arn: Late<String>,
}

/// What IAM shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The role's name.
    pub role: String,
    /// The policy's ARN.
    pub policy_arn: String,
}

impl Rules for IamPolicyAttachment {
    const NAME: &'static str = "iam_policy_attachment";
    const DOC: &'static str = "A managed policy attached to a role (IAM API reference: AttachRolePolicy)";
    const CREATE: Idempotency = Idempotency::Upsert;
    const FIELDS: &'static [Field] =
        &[Field::replace("role", "role"), Field::replace("policy_arn", "managed policy")];
    const CALLS: Calls = Calls {
        observe: &["iam:ListAttachedRolePolicies"],
        create: &["iam:AttachRolePolicy"],
        update: &[],
        delete: &["iam:DetachRolePolicy"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// Role and policy: from the id, else from the properties.
fn names(target: &Target<Props>) -> Option<(String, String)> {
    let recorded = target.id.as_ref().and_then(|id| id.0.split_once(':'));
    let own = |(role, arn): (&str, &str)| (role.to_owned(), arn.to_owned());
    let props = &target.props;
    recorded.map(own).or_else(|| Some((props.role.known()?.clone(), props.policy_arn.known()?.clone())))
}

/// The ARNs attached to a role; none for a role that is not there.
async fn read(clients: &Clients, role: String) -> (String, Result<BTreeSet<String>, CloudError>) {
    let pages = clients.iam.list_attached_role_policies().role_name(&role).into_paginator().items().send();
    let found: Result<Vec<_>, _> = pages.try_collect().await.named("iam:ListAttachedRolePolicies");
    let answer = match found {
        Ok(policies) => Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    };
    (role, answer)
}

#[async_trait]
impl Ops for IamPolicyAttachment {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let roles: BTreeSet<String> = targets.iter().filter_map(names).map(|(role, _)| role).collect();
        let asked = roles.into_iter().map(|role| read(clients, role));
        let attached: BTreeMap<_, _> = join_all(asked).await.into_iter().collect();
        let look = |target: &Target<Props>| {
            let Some((role, policy_arn)) = names(target) else { return Seen::Absent };
            match attached.get(&role) {
                Some(Ok(arns)) if arns.contains(&policy_arn) => {
                    let id = CloudId(format!("{role}:{policy_arn}"));
                    Seen::Found(Found { id, owner: Owner::Parent, facts: Facts { role, policy_arn } })
                }
                Some(Err(error)) => Seen::Unreadable(error.clone()),
                _ => Seen::Absent,
            }
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, _op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "iam:AttachRolePolicy";
        let role = known(&props.role, operation, "role")?;
        let arn = known(&props.policy_arn, operation, "policy_arn")?;
        clients.iam.attach_role_policy().role_name(role).policy_arn(arn).send().await.named(operation)?;
        Ok(CloudId(format!("{role}:{arn}")))
    }

    async fn update(
        _clients: &Clients,
        _op: &Op,
        _id: &CloudId,
        _want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, _id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        let request = clients.iam.detach_role_policy().role_name(&facts.role).policy_arn(&facts.policy_arn);
        unless_gone(request.send().await.named("iam:DetachRolePolicy"))
    }
}
