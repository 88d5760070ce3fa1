//! Who gets the messages of a topic.

use aws_sdk_sns::types::Subscription;
use lh_kind::CloudError;

use super::Inspector;
use crate::error::Named;

/// Somebody, or something, that is subscribed to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// `email`, `https`, ….
    pub protocol: String,
    /// The address.
    pub endpoint: String,
    /// Whether its owner has agreed.
    pub confirmed: bool,
}

impl Inspector {
    /// Who is subscribed to a topic, or was asked to be.
    ///
    /// # Errors
    /// When SNS cannot be asked, or there is no such topic.
    pub async fn subscribers(&self, topic: &str) -> Result<Vec<Subscriber>, CloudError> {
        let request = self.clients.sns.list_subscriptions_by_topic().topic_arn(topic);
        let found: Vec<_> = request
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .named("sns:ListSubscriptionsByTopic")?;
        let subscriber = |one: &Subscription| Subscriber {
            protocol: one.protocol().unwrap_or_default().to_owned(),
            endpoint: one.endpoint().unwrap_or_default().to_owned(),
            // Before it is confirmed it has no ARN, but `PendingConfirmation`; ended, `Deleted`.
            confirmed: one.subscription_arn().is_some_and(|arn| arn.starts_with("arn:")),
        };
        let is_there = |one: &&Subscription| one.subscription_arn() != Some("Deleted");
        Ok(found.iter().filter(is_there).map(subscriber).collect())
    }
}
