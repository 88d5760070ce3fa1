//! A policy written into a role.

use async_trait::async_trait;
use futures_util::future::join_all;
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price, PriceBook,
    Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::policy;
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::known,
};

/// The kind. Its id is `<role>:<name>`; neither can hold a colon.
pub struct IamRolePolicy;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The role's name.
    pub role: Late<String>,
    /// The policy's name, unique in the role.
    pub name: String,
    /// The policy as JSON.
    pub document: Late<String>,
}

/// What IAM shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The role's name.
    pub role: String,
    /// The policy's name.
    pub name: String,
    /// The policy as compact JSON with sorted keys; the wanted text where it says the same.
    pub document: String,
}

impl Rules for IamRolePolicy {
    const NAME: &'static str = "iam_role_policy";
    const DOC: &'static str = "A policy inside an IAM role (IAM API reference: PutRolePolicy)";
    const CREATE: Idempotency = Idempotency::Upsert;
    const FIELDS: &'static [Field] = &[
        Field::replace("role", "role"),
        Field::replace("name", "name, unique in the role"),
        Field::online("document", "policy document"),
    ];
    const CALLS: Calls = Calls {
        observe: &["iam:GetRolePolicy"],
        create: &["iam:PutRolePolicy"],
        update: &["iam:PutRolePolicy"],
        delete: &["iam:DeleteRolePolicy"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// Role and policy name: from the id, else from the properties.
fn names(target: &Target<Props>) -> Option<(String, String)> {
    let recorded = target.id.as_ref().and_then(|id| id.0.split_once(':'));
    let own = |(role, name): (&str, &str)| (role.to_owned(), name.to_owned());
    recorded.map(own).or_else(|| Some((target.props.role.known()?.clone(), target.props.name.clone())))
}

async fn look(clients: &Clients, target: &Target<Props>) -> Seen<Facts> {
    let Some((role, name)) = names(target) else { return Seen::Absent };
    let request = clients.iam.get_role_policy().role_name(&role).policy_name(&name);
    match request.send().await.named("iam:GetRolePolicy") {
        Ok(answer) => {
            let found = policy::normalised(&policy::decoded(answer.policy_document()));
            let wanted = target.props.document.known().filter(|text| policy::normalised(text) == found);
            let facts = Facts { role, name, document: wanted.cloned().unwrap_or(found) };
            let id = CloudId(format!("{}:{}", facts.role, facts.name));
            Seen::Found(Found { id, owner: Owner::Parent, facts })
        }
        Err(error) if error.kind == ErrorKind::NotFound => Seen::Absent,
        Err(error) => Seen::Unreadable(error),
    }
}

async fn put(clients: &Clients, props: &Props) -> Result<CloudId, CloudError> {
    let operation = "iam:PutRolePolicy";
    let role = known(&props.role, operation, "role")?;
    let document = policy::normalised(known(&props.document, operation, "document")?);
    let request =
        clients.iam.put_role_policy().role_name(role).policy_name(&props.name).policy_document(document);
    request.send().await.named(operation)?;
    Ok(CloudId(format!("{role}:{}", props.name)))
}

#[async_trait]
impl Ops for IamRolePolicy {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        join_all(targets.iter().map(|target| look(clients, target))).await
    }

    async fn create(clients: &Clients, _op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        put(clients, props).await
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        _id: &CloudId,
        want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        put(clients, want).await.map(drop)
    }

    async fn delete(clients: &Clients, _op: &Op, _id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        let request = clients.iam.delete_role_policy().role_name(&facts.role).policy_name(&facts.name);
        unless_gone(request.send().await.named("iam:DeleteRolePolicy"))
    }
}
