//! Security group: the firewall of the instance. Its rules are kinds of their own; the rule that
//! lets all traffic out, which EC2 makes with every group, is left as it is.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup as Described};
use futures_util::{FutureExt, future::try_join};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Rules,
    Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::{
    query::{self, Object},
    tags,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, text, unreadable},
};

/// The kind.
pub struct SecurityGroup;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in its VPC.
    pub name: String,
    /// Shown in the console.
    pub description: String,
    /// The VPC it is in.
    pub vpc_id: Late<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in its VPC.
    pub name: String,
    /// Shown in the console.
    pub description: String,
    /// The VPC it is in.
    pub vpc_id: String,
    /// The user's tags.
    pub tags: Tags,
}

impl Rules for SecurityGroup {
    const NAME: &'static str = "security_group";
    const DOC: &'static str = "A security group (EC2 API reference: CreateSecurityGroup)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in its VPC"),
        Field::replace("description", "description"),
        Field::replace("vpc_id", "VPC"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeSecurityGroups"],
        create: &["ec2:CreateSecurityGroup", "ec2:DescribeSecurityGroups"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteSecurityGroup"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

impl Object for Described {
    fn id(&self) -> &str {
        self.group_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }
}

async fn read(clients: &Clients, question: query::Question) -> Result<Vec<Described>, CloudError> {
    let request = clients.ec2.describe_security_groups().set_filters(Some(question));
    let pages = request.into_paginator().items().send();
    pages.try_collect().await.named("ec2:DescribeSecurityGroups")
}

/// The groups of these ids, as far as they exist; asked together with the groups that the stack
/// names and does not manage.
pub(crate) async fn read_ids(
    clients: &Clients,
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<Described>, CloudError> {
    let own = clients.clone();
    let ask = move |ids| {
        let found = async move { query::gather(query::by("group-id", ids), |q| read(&own, q)).await };
        found.map(|found| found.map(Arc::new)).boxed()
    };
    Ok(clients.reads.groups_by_id.join(ids, ask).await?.as_ref().clone())
}

fn is_named(group: &Described, props: &Props) -> bool {
    group.group_name() == Some(&props.name) && group.vpc_id() == Some(text(&props.vpc_id))
}

fn found(group: &Described, target: &Target<Props>) -> Seen<Facts> {
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let labels = group.labels();
    let facts = Facts {
        name: own(group.group_name()),
        description: own(group.description()),
        vpc_id: own(group.vpc_id()),
        tags: labels.user(),
    };
    Seen::Found(Found { id: CloudId(own(group.group_id())), owner: labels.owner(&target.stack), facts })
}

#[async_trait]
impl Ops for SecurityGroup {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let known = async {
            match query::ids(targets).next() {
                Some(_) => read_ids(clients, query::ids(targets)).await,
                None => Ok(Vec::new()),
            }
        };
        let names = query::by("group-name", query::nameless(targets).map(|t| t.props.name.clone()));
        let named = query::gather(names, |question| read(clients, question));
        let groups = match try_join(known, named).await {
            Ok((mut groups, named)) => {
                let further = named.into_iter().filter(|one| groups.iter().all(|g| g.id() != one.id()));
                let further: Vec<_> = further.collect();
                groups.extend(further);
                groups
            }
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target: &Target<Props>| {
            let ours = query::find(&groups, target);
            let named = || groups.iter().find(|g| target.id.is_none() && is_named(g, &target.props));
            ours.or_else(named).map_or(Seen::Absent, |group| found(group, target))
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "ec2:CreateSecurityGroup";
        let request = clients
            .ec2
            .create_security_group()
            .group_name(&props.name)
            .description(&props.description)
            .vpc_id(known(&props.vpc_id, operation, "vpc_id")?)
            .tag_specifications(tags::specification(ResourceType::SecurityGroup, op, &props.tags));
        match request.send().await.named(operation) {
            Ok(made) => Ok(CloudId(made.group_id.unwrap_or_default())),
            Err(error) if error.kind == ErrorKind::Exists => {
                let question = query::by("group-name", [props.name.clone()]).concat();
                let groups = read(clients, question).await?;
                let ours = |g: &&Described| is_named(g, props) && g.labels().is_of(&op.stack, &op.identity);
                groups.iter().find(ours).map(|g| CloudId(g.id().to_owned())).ok_or(error)
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
        tags::retag(clients, &id.0, diffs).await
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.ec2.delete_security_group().group_id(&id.0);
        unless_gone(request.send().await.named("ec2:DeleteSecurityGroup"))
    }
}
