//! `topic {topic}` → `{arn, name}`: an SNS topic by name or ARN, which must exist.

use lh_kind::{CloudError, ErrorKind, Probe};
use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, nearest, pinned, texts};
use crate::{clients::Clients, error::Named};

/// What it may call.
pub(super) const CALLS: &[&str] = &["sns:GetTopicAttributes", "sns:ListTopics"];

/// Answers it. A topic of which the ARN is known, by the stack file or by an earlier answer, is
/// asked for alone; one that is named, in the list of all.
pub(super) async fn answer(clients: &Clients, probe: &Probe) -> Result<Map, Diagnostic> {
    let lookup = &probe.lookup;
    let topic = asked(lookup, "topic").unwrap_or_default();
    let known = if topic.starts_with("arn:") { Some(topic) } else { pinned(probe, "arn") };
    if let Some(arn) = known
        && exists(clients, arn).await.map_err(|error| failed(lookup, &error))?
    {
        return Ok(told(arn));
    }
    let all = read_all(clients).await.map_err(|error| failed(lookup, &error))?;
    let named = all.iter().find(|arn| name_of(arn) == topic);
    named.map(|arn| told(arn)).ok_or_else(|| missing(lookup, topic, &all))
}

fn told(arn: &str) -> Map {
    texts([("arn", arn), ("name", name_of(arn))])
}

fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

async fn exists(clients: &Clients, arn: &str) -> Result<bool, CloudError> {
    match clients.sns.get_topic_attributes().topic_arn(arn).send().await.named(CALLS[0]) {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

async fn read_all(clients: &Clients) -> Result<Vec<String>, CloudError> {
    let pages = clients.sns.list_topics().into_paginator().items().send();
    let topics: Vec<_> = pages.try_collect().await.named(CALLS[1])?;
    Ok(topics.into_iter().filter_map(|topic| topic.topic_arn).collect())
}

fn missing(lookup: &Lookup, topic: &str, all: &[String]) -> Diagnostic {
    let reason = match nearest(name_of(topic), all.iter().map(|arn| name_of(arn).to_owned())) {
        Some(names) => format!("this account has the topics {names} in this region"),
        None => "this account has no topic in this region".to_owned(),
    };
    Diagnostic::error("E0569", format!("there is no SNS topic `{topic}`"))
        .at(lookup.origin.clone())
        .because(reason)
        .fix("Name a topic that exists, or name one without `manage: false` to have it created.")
}
