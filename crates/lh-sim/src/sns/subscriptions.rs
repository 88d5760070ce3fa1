//! Subscriptions: who is to get a topic's messages, and whether they have agreed.

use super::{PAGES, invalid, not_found, required, see};
use crate::clock::HOUR;
use crate::outcome::ApiError;
use crate::paging::page;
use crate::scene::Scene;
use crate::world;
use aws_sdk_sns::operation::list_subscriptions_by_topic::{
    ListSubscriptionsByTopicInput, ListSubscriptionsByTopicOutput,
};
use aws_sdk_sns::operation::subscribe::{SubscribeInput, SubscribeOutput};
use aws_sdk_sns::operation::unsubscribe::{UnsubscribeInput, UnsubscribeOutput};
use aws_sdk_sns::types::Subscription;

/// What is not confirmed cannot be deleted, and goes by itself after 48 hours:
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html>.
const UNCONFIRMED_FOR: world::Millis = 48 * HOUR;

/// Subscribe: the same endpoint is subscribed once; one that has not confirmed is asked again:
/// <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>.
pub(super) fn subscribe(s: &mut Scene<'_>, i: &SubscribeInput) -> Result<SubscribeOutput, ApiError> {
    let arn = required(&i.topic_arn, "TopicArn")?;
    let protocol = required(&i.protocol, "Protocol")?;
    let endpoint = required(&i.endpoint, "Endpoint")?;
    if protocol != "email" {
        return Err(invalid(format!("Protocol Reason: {protocol} is not simulated")));
    }
    if !endpoint.contains('@') {
        return Err(invalid("Email address"));
    }
    let (now, id) = (s.now, s.random.request_id());
    let topic = s.here.sns.topics.get_mut(arn).ok_or_else(|| not_found("Topic"))?;
    topic.subscriptions.retain(|one| is_there(one, now));
    let same = |one: &&mut world::Subscription| one.protocol == *protocol && one.endpoint == *endpoint;
    let subscription = match topic.subscriptions.iter_mut().find(same) {
        Some(old) => {
            if !old.confirmed {
                (old.asked, old.asked_at) = (old.asked + 1, now);
            }
            old.clone()
        }
        None => {
            let made = world::Subscription {
                arn: format!("{arn}:{id}"),
                protocol: protocol.clone(),
                endpoint: endpoint.clone(),
                confirmed: false,
                asked: 1,
                asked_at: now,
            };
            topic.subscriptions.push(made.clone());
            s.born(&key(&made));
            made
        }
    };
    let told = match subscription.confirmed || i.return_subscription_arn == Some(true) {
        true => subscription.arn,
        false => "pending confirmation".to_owned(),
    };
    Ok(SubscribeOutput::builder().subscription_arn(told).build())
}

/// What lag knows a subscription by.
fn key(subscription: &world::Subscription) -> String {
    format!("subscription/{}", subscription.arn)
}

fn is_there(subscription: &world::Subscription, now: world::Millis) -> bool {
    subscription.confirmed || now < subscription.asked_at + UNCONFIRMED_FOR
}

/// ListSubscriptionsByTopic, 100 a page:
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>.
pub(super) fn list(
    s: &mut Scene<'_>,
    i: &ListSubscriptionsByTopicInput,
) -> Result<ListSubscriptionsByTopicOutput, ApiError> {
    let arn = required(&i.topic_arn, "TopicArn")?;
    let now = s.now;
    let topic = see(s, arn).ok_or_else(|| not_found("Topic"))?;
    let mut all: Vec<_> = topic.subscriptions.iter().filter(|one| is_there(one, now)).cloned().collect();
    all.retain(|one| s.visible(&key(one)));
    let (found, next) = page(all, None, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let owner = s.account;
    let show = |one: world::Subscription| {
        Subscription::builder()
            .subscription_arn(if one.confirmed { one.arn } else { "PendingConfirmation".to_owned() })
            .owner(owner)
            .protocol(one.protocol)
            .endpoint(one.endpoint)
            .topic_arn(arn)
            .build()
    };
    let shown = found.into_iter().map(show).collect();
    Ok(ListSubscriptionsByTopicOutput::builder().set_subscriptions(Some(shown)).set_next_token(next).build())
}

/// Unsubscribe, of what is confirmed:
/// <https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html>.
pub(super) fn unsubscribe(s: &mut Scene<'_>, i: &UnsubscribeInput) -> Result<UnsubscribeOutput, ApiError> {
    let arn = required(&i.subscription_arn, "SubscriptionArn")?;
    let Some(topic) = arn.starts_with("arn:").then(|| arn.rsplit_once(':')).flatten() else {
        return Err(invalid("SubscriptionArn Reason: An ARN must have at least 6 elements"));
    };
    let topic = s.here.sns.topics.get_mut(topic.0).ok_or_else(|| not_found("Subscription"))?;
    let found = topic.subscriptions.iter().position(|one| one.arn == *arn);
    let found = found.ok_or_else(|| not_found("Subscription"))?;
    if topic.subscriptions.get(found).is_some_and(|one| !one.confirmed) {
        return Err(invalid("This operation can not be performed on a pending subscription"));
    }
    topic.subscriptions.remove(found);
    Ok(UnsubscribeOutput::builder().build())
}
