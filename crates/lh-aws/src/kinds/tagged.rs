//! Tags of things whose services describe them without: alarms, log groups, topics, buckets,
//! vaults. One call of the Resource Groups Tagging API answers for all of them at once; what it
//! does not list, because it was made a moment ago or belongs to nobody, is asked of its service.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures_util::{FutureExt, future::join_all};
use lh_kind::{CloudError, Target};

use super::labels::{Labels, STACK};
use crate::{clients::Clients, error::Named};

/// The operation, for [`lh_kind::Calls`].
pub(crate) const GET_RESOURCES: &str = "tag:GetResources";
/// The services that are asked about: always the same, so that all kinds share one question.
const SERVICES: [&str; 5] = ["backup", "cloudwatch", "logs", "s3", "sns"];
/// Values that one tag filter takes (Resource Groups Tagging API reference, TagFilter).
const MAX_VALUES: usize = 20;

/// Labels by ARN.
pub(crate) type ByArn = BTreeMap<String, Labels>;

/// Everything that carries the tag of a stack among `targets`.
///
/// # Errors
/// When the tagging API cannot be asked; [`complete`] makes up for that.
pub(crate) async fn read<P>(clients: &Clients, targets: &[Target<P>]) -> Result<ByArn, CloudError> {
    let stacks: BTreeSet<String> = targets.iter().map(|target| target.stack.0.clone()).collect();
    let values = (stacks.len() <= MAX_VALUES).then(|| stacks.into_iter().collect::<Vec<_>>());
    let text = clients.reads.text(&values);
    let request = clients
        .tagging
        .get_resources()
        .resources_per_page(100)
        .set_resource_type_filters(Some(SERVICES.map(str::to_owned).to_vec()))
        .tag_filters(TagFilter::builder().key(STACK).set_values(values).build());
    let ask = async move {
        let pages = request.into_paginator().items().send();
        let found: Result<Vec<_>, _> = pages.try_collect().await.named(GET_RESOURCES);
        found.map(Arc::new)
    };
    let found = clients.reads.tagged.join(text, ask.boxed()).await?;
    let labelled = found.iter().filter_map(|one| {
        let tags = one.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value())));
        Some((one.resource_arn()?.to_owned(), Labels::new(tags)))
    });
    Ok(labelled.collect())
}

/// The labels of each of `arns`: from the common answer, else as `ask` says of one of them.
/// Something that the service says is gone has no labels.
pub(crate) async fn complete<F>(
    common: &Result<ByArn, CloudError>,
    arns: impl IntoIterator<Item = String>,
    ask: impl Fn(String) -> F,
) -> BTreeMap<String, Result<Labels, CloudError>>
where
    F: Future<Output = Result<Labels, CloudError>>,
{
    let arns: BTreeSet<String> = arns.into_iter().collect();
    let answers = arns.into_iter().map(|arn| {
        let known = common.as_ref().ok().and_then(|common| common.get(&arn).cloned());
        let question = known.is_none().then(|| ask(arn.clone()));
        async move {
            let labels = match (known, question) {
                (Some(labels), _) => Ok(labels),
                (None, Some(question)) => question.await,
                (None, None) => Ok(Labels::default()),
            };
            (arn, labels)
        }
    });
    join_all(answers).await.into_iter().collect()
}
