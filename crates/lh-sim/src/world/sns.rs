//! Simple Notification Service: topics and subscriptions: what the world keeps of it.

use super::{Millis, Tagged, Tags, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sns {
    /// Topics by ARN.
    pub topics: BTreeMap<String, Topic>,
}

/// A topic.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Topic {
    /// Unique in account and region.
    pub name: String,
    /// The tags.
    pub tags: Tags,
    /// Who is subscribed, or was asked to be.
    pub subscriptions: Vec<Subscription>,
}

/// A subscription, confirmed or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// The ARN that it has, or will have once it is confirmed.
    pub arn: String,
    /// `email`, `https`, ….
    pub protocol: String,
    /// The address.
    pub endpoint: String,
    /// Whether its owner has followed the link in the mail.
    pub confirmed: bool,
    /// How often a confirmation was asked for.
    pub asked: u32,
    /// When it was asked for last.
    pub asked_at: Millis,
}

impl Sns {
    /// What the tagging API shows of it.
    pub(crate) fn tagged(&self) -> Vec<Tagged> {
        let show = |(arn, topic): (&String, &Topic)| Tagged {
            kind: "sns",
            arn: arn.clone(),
            tags: topic.tags.clone(),
        };
        self.topics.iter().map(show).collect()
    }
}

impl World {
    /// The owner of `endpoint` follows the link in the mail; false if nobody asked for it.
    pub fn confirm_subscription(&mut self, region: &str, topic: &str, endpoint: &str) -> bool {
        let mut found = false;
        for topic in self.region_mut(region).sns.topics.values_mut().filter(|one| one.name == topic) {
            for subscription in topic.subscriptions.iter_mut().filter(|one| one.endpoint == endpoint) {
                subscription.confirmed = true;
                found = true;
            }
        }
        found
    }
}
