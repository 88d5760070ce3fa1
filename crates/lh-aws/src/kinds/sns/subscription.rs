//! E-mail subscription to an SNS topic. AWS asks the owner of the address; until they agree it is
//! pending, which is told and waited for by nobody.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use aws_sdk_sns::types::Subscription as Described;
use futures_util::{FutureExt, future::join_all};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price, PriceBook,
    Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{known, text},
};

pub(crate) const LIST: &str = "sns:ListSubscriptionsByTopic";

/// The kind. Its id is made of the topic's ARN, the protocol and the address: the subscription's
/// own ARN is not shown before it is confirmed.
pub struct Subscription;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The topic.
    pub topic_arn: Late<String>,
    /// `email`.
    pub protocol: String,
    /// The address.
    pub endpoint: String,
}

/// What SNS shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The topic.
    pub topic_arn: String,
    /// `email`.
    pub protocol: String,
    /// The address.
    pub endpoint: String,
    /// Its own ARN, once it is confirmed.
    pub arn: Option<String>,
    /// Whether the owner of the address has agreed.
    pub confirmed: bool,
}

impl Rules for Subscription {
    const NAME: &'static str = "subscription";
    const DOC: &'static str = "An e-mail subscription to a topic (SNS API reference: Subscribe)";
    // The same address is subscribed once; asking again sends one more mail at most.
    const CREATE: Idempotency = Idempotency::Upsert;
    const FIELDS: &'static [Field] = &[
        Field::replace("topic_arn", "topic"),
        Field::replace("protocol", "protocol"),
        Field::replace("endpoint", "address"),
    ];
    const CALLS: Calls =
        Calls { observe: &[LIST], create: &["sns:Subscribe"], update: &[], delete: &["sns:Unsubscribe"] };
    type Props = Props;
    type Facts = Facts;

    fn notice(facts: &Facts) -> Option<String> {
        let topic = facts.topic_arn.rsplit(':').next().unwrap_or_default();
        (!facts.confirmed).then(|| {
            format!(
                "{} has not confirmed the subscription to {topic} yet: nothing of it arrives there before the link in AWS's mail is followed, within 48 hours.",
                facts.endpoint
            )
        })
    }

    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html>
    fn expires(facts: &Facts) -> Option<String> {
        let why =
            "It was never confirmed: AWS cannot delete it, and drops it with its topic or after 48 hours.";
        (!facts.confirmed).then(|| why.to_owned())
    }

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// All subscriptions to a topic; `None` where there is no such topic. Shared with the topic, which
/// is there if this is answered.
pub(crate) async fn read(clients: &Clients, topic: &str) -> Result<Option<Vec<Described>>, CloudError> {
    let request = clients.sns.list_subscriptions_by_topic().topic_arn(topic);
    let ask = async move {
        let found: Result<Vec<_>, _> =
            request.into_paginator().items().send().try_collect().await.named(LIST);
        found.map(Arc::new)
    };
    match clients.reads.subscriptions.join(clients.reads.text(&topic), ask.boxed()).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        answer => answer.map(|found| Some(found.as_ref().clone())),
    }
}

fn id(topic: &str, props: &Props) -> CloudId {
    CloudId(format!("{topic}/{}/{}", props.protocol, props.endpoint))
}

/// The subscription of the target. One that its owner has ended is shown as `Deleted` for a while.
fn find<'a>(all: &'a [Described], props: &Props) -> Option<&'a Described> {
    all.iter().find(|one| {
        one.protocol() == Some(&props.protocol)
            && one.endpoint() == Some(&props.endpoint)
            && one.subscription_arn() != Some("Deleted")
    })
}

fn facts(found: &Described, topic: &str, props: &Props) -> Facts {
    let arn = found.subscription_arn().filter(|arn| arn.starts_with("arn:")).map(str::to_owned);
    Facts {
        topic_arn: topic.to_owned(),
        protocol: props.protocol.clone(),
        endpoint: props.endpoint.clone(),
        confirmed: arn.is_some(),
        arn,
    }
}

#[async_trait]
impl Ops for Subscription {
    type Client = Clients;

    /// One question a topic, whatever the number of its subscriptions.
    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let topics: BTreeSet<&str> = targets
            .iter()
            .map(|target| text(&target.props.topic_arn))
            .filter(|arn| !arn.is_empty())
            .collect();
        let answers = topics.into_iter().map(|topic| async move { (topic, read(clients, topic).await) });
        let answers: BTreeMap<&str, _> = join_all(answers).await.into_iter().collect();
        let look = |target: &Target<Props>| {
            let (topic, props) = (text(&target.props.topic_arn), &target.props);
            // State knows it under another topic or address than is asked for here.
            let same = target.id.as_ref().is_none_or(|known| *known == id(topic, props));
            match answers.get(topic).filter(|_| same) {
                Some(Err(error)) => Seen::Unreadable(error.clone()),
                Some(Ok(Some(all))) => find(all, props).map_or(Seen::Absent, |found| {
                    let (id, facts) = (id(topic, props), facts(found, topic, props));
                    Seen::Found(Found { id, owner: Owner::Parent, facts })
                }),
                Some(Ok(None)) | None => Seen::Absent,
            }
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, _op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "sns:Subscribe";
        let topic = known(&props.topic_arn, operation, "topic_arn")?;
        let request =
            clients.sns.subscribe().topic_arn(topic).protocol(&props.protocol).endpoint(&props.endpoint);
        request.send().await.named(operation)?;
        Ok(id(topic, props))
    }

    /// Nothing of a subscription is changed in place.
    async fn update(
        _clients: &Clients,
        _op: &Op,
        _id: &CloudId,
        _want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        Ok(())
    }

    /// One that is pending cannot be deleted: it goes with its topic, or by itself.
    async fn delete(clients: &Clients, _op: &Op, _id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        let Some(arn) = &facts.arn else { return Ok(()) };
        unless_gone(clients.sns.unsubscribe().subscription_arn(arn).send().await.named("sns:Unsubscribe"))
    }
}
