//! Simple Notification Service: topics, their tags, and who is subscribed to them.

mod subscriptions;
mod tags;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::paging::{Limits, page};
use crate::scene::Scene;
use crate::world::{self, Tags};
use aws_sdk_sns::operation::create_topic::{CreateTopicInput, CreateTopicOutput};
use aws_sdk_sns::operation::delete_topic::{DeleteTopicInput, DeleteTopicOutput};
use aws_sdk_sns::operation::get_topic_attributes::{GetTopicAttributesInput, GetTopicAttributesOutput};
use aws_sdk_sns::operation::list_topics::{ListTopicsInput, ListTopicsOutput};
use aws_sdk_sns::types::Topic;

/// ListTopics and ListSubscriptionsByTopic give up to 100 in a page.
const PAGES: Limits = Limits { least: 1, most: 100, usual: 100 };

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateTopic", create),
        reads("GetTopicAttributes", attributes),
        reads("ListTopics", list),
        writes("DeleteTopic", delete),
        writes("Subscribe", subscriptions::subscribe),
        reads("ListSubscriptionsByTopic", subscriptions::list),
        writes("Unsubscribe", subscriptions::unsubscribe),
        writes("TagResource", tags::tag),
        writes("UntagResource", tags::untag),
        reads("ListTagsForResource", tags::list),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameter", format!("Invalid parameter: {}", message.into()))
}

fn not_found(what: &str) -> ApiError {
    ApiError::with_status(404, "NotFound", format!("{what} does not exist"))
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i String, ApiError> {
    value.as_ref().filter(|text| !text.is_empty()).ok_or_else(|| invalid(name))
}

/// What lag knows a topic by.
fn key(arn: &str) -> String {
    format!("topic/{arn}")
}

/// The topic of this ARN, for an operation that reads: it may be too young to be seen.
fn see<'s>(s: &'s mut Scene<'_>, arn: &str) -> Option<&'s mut world::Topic> {
    let seen = !s.here.sns.topics.contains_key(arn) || s.visible(&key(arn));
    s.here.sns.topics.get_mut(arn).filter(|_| seen)
}

/// CreateTopic: a topic of the same name is answered with, if its tags are the same:
/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>.
fn create(s: &mut Scene<'_>, i: &CreateTopicInput) -> Result<CreateTopicOutput, ApiError> {
    let name = required(&i.name, "Topic Name")?;
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > 256 || !name.chars().all(fine) {
        return Err(invalid("Topic Name"));
    }
    if i.attributes.as_ref().is_some_and(|attributes| !attributes.is_empty()) {
        return Err(invalid("Attributes Reason: topics with attributes are not simulated"));
    }
    let mut tags = Tags::new();
    tags::put(&mut tags, i.tags.as_deref().unwrap_or_default())?;
    let arn = s.arn("sns", name);
    match s.here.sns.topics.get(&arn) {
        Some(old) if old.tags != tags => {
            return Err(invalid("Tags Reason: Topic already exists with different tags"));
        }
        Some(_) => {}
        None => {
            s.born(&key(&arn));
            s.born(&format!("tags/{arn}"));
            let made = world::Topic { name: name.clone(), tags, subscriptions: Vec::new() };
            s.here.sns.topics.insert(arn.clone(), made);
        }
    }
    Ok(CreateTopicOutput::builder().topic_arn(arn).build())
}

/// GetTopicAttributes: <https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html>.
fn attributes(s: &mut Scene<'_>, i: &GetTopicAttributesInput) -> Result<GetTopicAttributesOutput, ApiError> {
    let arn = required(&i.topic_arn, "TopicArn")?;
    let owner = s.account.to_owned();
    let topic = see(s, arn).ok_or_else(|| not_found("Topic"))?;
    let of = |confirmed| topic.subscriptions.iter().filter(|one| one.confirmed == confirmed).count();
    let (confirmed, pending) = (of(true), of(false));
    Ok(GetTopicAttributesOutput::builder()
        .attributes("TopicArn", arn)
        .attributes("Owner", owner)
        .attributes("SubscriptionsConfirmed", confirmed.to_string())
        .attributes("SubscriptionsPending", pending.to_string())
        .build())
}

/// ListTopics: <https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html>.
fn list(s: &mut Scene<'_>, i: &ListTopicsInput) -> Result<ListTopicsOutput, ApiError> {
    let mut all: Vec<String> = s.here.sns.topics.keys().cloned().collect();
    all.retain(|arn| s.visible(&key(arn)));
    let (found, next) = page(all, None, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let shown = found.into_iter().map(|arn| Topic::builder().topic_arn(arn).build()).collect();
    Ok(ListTopicsOutput::builder().set_topics(Some(shown)).set_next_token(next).build())
}

/// DeleteTopic: no error where there is none, and its subscriptions go with it:
/// <https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html>.
fn delete(s: &mut Scene<'_>, i: &DeleteTopicInput) -> Result<DeleteTopicOutput, ApiError> {
    s.here.sns.topics.remove(required(&i.topic_arn, "TopicArn")?);
    Ok(DeleteTopicOutput::builder().build())
}
