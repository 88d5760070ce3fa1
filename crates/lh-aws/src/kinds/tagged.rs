//! Tags of things whose services describe them without: alarms, log groups, topics, buckets,
//! vaults. One call of the Resource Groups Tagging API answers for all of them at once; what it
//! does not list, because it was made a moment ago or belongs to nobody, is asked of its service.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures_util::{FutureExt, future::join_all};
use lh_kind::{CloudError, Op, Target};

use super::{
    Tags,
    labels::{Labels, STACK},
};
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

/// What of `common` can be relied on: the tagging API may be behind, so what it does not show with
/// all the tags that are expected of it is asked of its service.
pub(crate) fn as_expected(
    common: Result<ByArn, CloudError>,
    expected: impl IntoIterator<Item = (String, Tags)>,
) -> Result<ByArn, CloudError> {
    let expected: BTreeMap<String, Tags> = expected.into_iter().collect();
    let mut common = common?;
    common.retain(|arn, labels| expected.get(arn).is_some_and(|tags| labels.include(tags)));
    Ok(common)
}

/// The tags that a target has when nobody touched it: the wanted ones and those of its ownership.
pub(crate) fn of_target<P>(target: &Target<P>, user: &Tags) -> Tags {
    Op::new(&target.stack, &target.address, &target.identity).all_tags(user)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_otherwise_than_expected_is_not_relied_on() {
        let labels = |pairs: &[(&'static str, &'static str)]| {
            Labels::new(pairs.iter().map(|(key, value)| (Some(*key), Some(*value))))
        };
        let common = ByArn::from([
            ("behind".to_owned(), labels(&[("Owner", "old")])),
            ("unasked".to_owned(), labels(&[("Owner", "ops")])),
            ("right".to_owned(), labels(&[("Owner", "ops"), ("Theirs", "x")])),
        ]);
        let tags = Tags::from([("Owner".to_owned(), "ops".to_owned())]);
        let expected = ["behind", "right"].map(|arn| (arn.to_owned(), tags.clone()));
        let relied_on = as_expected(Ok(common), expected).unwrap();
        assert_eq!(relied_on.keys().collect::<Vec<_>>(), ["right"]);
    }
}
