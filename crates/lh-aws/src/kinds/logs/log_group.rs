//! Log group with its retention. Logs are evidence of what a host did, kept for a set time: they go
//! with their stack, and are not what lhctl means by data.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types::LogGroup as Described;
use futures_util::future::{join, join_all};
use lh_kind::{
    Amount, Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Line, Op, Ops, Price,
    PriceBook, Rules, Seen, Share, Target, change::tag_changes,
};
use lh_model::{CloudId, Map};
use serde::{Deserialize, Serialize};

use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, labels::Labels, tagged, unreadable},
};

const DESCRIBE: &str = "logs:DescribeLogGroups";
const LIST_TAGS: &str = "logs:ListTagsForResource";
/// Names that one call takes (CloudWatch Logs API reference, DescribeLogGroups).
const MAX_NAMES: usize = 50;

/// The kind. Its id is the log group's name.
pub struct LogGroup;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region.
    pub name: String,
    /// Days that events are kept; for ever where it is null.
    #[serde(default)]
    pub retention_days: Option<i32>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What CloudWatch Logs shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// Days that events are kept; null for ever.
    pub retention_days: Option<i32>,
    /// The user's tags.
    pub tags: Tags,
    /// The ARN, without the `:*` that policies want at its end.
    pub arn: String,
}

impl Rules for LogGroup {
    const NAME: &'static str = "log_group";
    const DOC: &'static str = "A log group (CloudWatch Logs API reference: CreateLogGroup)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in account and region"),
        Field::online("retention_days", "days that events are kept"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[DESCRIBE, LIST_TAGS, tagged::GET_RESOURCES],
        // Creating with tags takes the permission to tag.
        create: &["logs:CreateLogGroup", "logs:TagResource", "logs:PutRetentionPolicy", DESCRIBE, LIST_TAGS],
        update: &[
            "logs:PutRetentionPolicy",
            "logs:DeleteRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
            DESCRIBE,
        ],
        delete: &["logs:DeleteLogGroup"],
    };
    type Props = Props;
    type Facts = Facts;

    /// What a server logs is not known beforehand: the guide counts two dollars.
    fn price(_props: &Map, book: &PriceBook) -> Price {
        let line = |dollars| Line {
            what: "CloudWatch logs, about".to_owned(),
            monthly: Amount::dollars(dollars),
            share: Share::Guide,
        };
        book.find(&["logs"]).map_or_else(|unknown| unknown, |dollars| Price::Known(vec![line(dollars)]))
    }
}

/// The log groups of these names. Those that do not exist are left out of the answer.
async fn read(clients: &Clients, names: Vec<String>) -> Result<Vec<Described>, CloudError> {
    let request = clients.logs.describe_log_groups().set_log_group_identifiers(Some(names));
    request.into_paginator().items().send().try_collect().await.named(DESCRIBE)
}

async fn read_one(clients: &Clients, name: &str) -> Result<Option<Described>, CloudError> {
    let found = read(clients, vec![name.to_owned()]).await?;
    Ok(found.into_iter().find(|one| one.log_group_name() == Some(name)))
}

/// The ARN that the tagging operations want.
fn arn(group: &Described) -> String {
    let arn = group.log_group_arn().or(group.arn()).unwrap_or_default();
    arn.strip_suffix(":*").unwrap_or(arn).to_owned()
}

async fn read_labels(clients: &Clients, arn: &str) -> Result<Labels, CloudError> {
    match clients.logs.list_tags_for_resource().resource_arn(arn).send().await.named(LIST_TAGS) {
        Ok(answer) => {
            let tags = answer.tags.unwrap_or_default();
            Ok(Labels::new(tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())))))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Labels::default()),
        Err(error) => Err(error),
    }
}

fn name_of(target: &Target<Props>) -> &String {
    target.id.as_ref().map_or(&target.props.name, |id| &id.0)
}

async fn read_all(
    clients: &Clients,
    targets: &[Target<Props>],
) -> Result<BTreeMap<String, Described>, CloudError> {
    let names: BTreeSet<&String> = targets.iter().map(name_of).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let answers = join_all(names.chunks(MAX_NAMES).map(|chunk| read(clients, chunk.to_vec()))).await;
    let mut all = BTreeMap::new();
    for answer in answers {
        let named = |one: Described| (one.log_group_name().unwrap_or_default().to_owned(), one);
        all.extend(answer?.into_iter().map(named));
    }
    Ok(all)
}

async fn set_retention(clients: &Clients, name: &str, days: Option<i32>) -> Result<(), CloudError> {
    match days {
        Some(days) => {
            let request = clients.logs.put_retention_policy().log_group_name(name).retention_in_days(days);
            request.send().await.named("logs:PutRetentionPolicy").map(drop)
        }
        None => {
            let request = clients.logs.delete_retention_policy().log_group_name(name);
            unless_gone(request.send().await.named("logs:DeleteRetentionPolicy"))
        }
    }
}

#[async_trait]
impl Ops for LogGroup {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let (groups, common) = join(read_all(clients, targets), tagged::read(clients, targets)).await;
        let groups = match groups {
            Ok(groups) => groups,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let found = |target: &Target<Props>| groups.get(name_of(target));
        let expected = targets
            .iter()
            .filter_map(|target| Some((arn(found(target)?), tagged::of_target(target, &target.props.tags))));
        let common = tagged::as_expected(common, expected);
        let arns = targets.iter().filter_map(|target| found(target).map(arn));
        let labels =
            tagged::complete(&common, arns, async |arn: String| read_labels(clients, &arn).await).await;
        let look = |target: &Target<Props>| {
            let Some(group) = found(target) else { return Seen::Absent };
            let arn = arn(group);
            let labels = match labels.get(&arn) {
                Some(Err(error)) => return Seen::Unreadable(error.clone()),
                Some(Ok(labels)) => labels.clone(),
                None => Labels::default(),
            };
            let facts = Facts {
                name: name_of(target).clone(),
                retention_days: group.retention_in_days(),
                tags: labels.user(),
                arn,
            };
            Seen::Found(Found { id: CloudId(facts.name.clone()), owner: labels.owner(&target.stack), facts })
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let tags = op.all_tags(&props.tags).into_iter().collect();
        let request = clients.logs.create_log_group().log_group_name(&props.name).set_tags(Some(tags));
        match request.send().await.named("logs:CreateLogGroup") {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::Exists => {
                let Some(group) = read_one(clients, &props.name).await? else { return Err(error) };
                if !read_labels(clients, &arn(&group)).await?.is_of(&op.stack, &op.identity) {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        if props.retention_days.is_some() {
            set_retention(clients, &props.name, props.retention_days).await?;
        }
        Ok(CloudId(props.name.clone()))
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        if diffs.iter().any(|diff| diff.field == "retention_days") {
            set_retention(clients, &id.0, want.retention_days).await?;
        }
        let (set, gone) = tag_changes(diffs);
        if set.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let missing = || CloudError::new(ErrorKind::NotFound, DESCRIBE, format!("{id} does not exist"));
        let arn = arn(&read_one(clients, &id.0).await?.ok_or_else(missing)?);
        if !set.is_empty() {
            // All of them: the agent makes a lost log group anew, without any tag.
            let tags = op.all_tags(&want.tags).into_iter().collect();
            let request = clients.logs.tag_resource().resource_arn(&arn).set_tags(Some(tags));
            request.send().await.named("logs:TagResource")?;
        }
        if !gone.is_empty() {
            let request = clients.logs.untag_resource().resource_arn(&arn).set_tag_keys(Some(gone));
            request.send().await.named("logs:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.logs.delete_log_group().log_group_name(&id.0);
        unless_gone(request.send().await.named("logs:DeleteLogGroup"))
    }
}
