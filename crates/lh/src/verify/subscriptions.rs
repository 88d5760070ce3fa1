//! Who is told of alarms: each address that the stack file names has agreed, and somebody has.

use std::collections::BTreeSet;

use lh_db::{Problem, Verdict};

use super::{Scene, text, unanswered};

pub(super) const FIX: &str =
    "Follow the link in AWS's mail, within 48 hours of it; `lhctl apply STACK` sends another after that.";

impl Scene<'_> {
    pub(super) async fn subscriptions(&self) -> Verdict {
        let alarms = self.records("alarm", "monitoring")?;
        let told = alarms.iter().filter_map(|alarm| alarm.inputs.get("alarm_actions")?.as_array());
        let topics: BTreeSet<&str> = told.flatten().filter_map(|arn| arn.as_str()).collect();
        if topics.is_empty() {
            let reason = "The stack file names neither a topic nor e-mail addresses: alarms tell nobody";
            return Err(Problem::Skipped(reason.to_owned()));
        }
        let wanted = self.records("subscription", "monitoring.emails").unwrap_or_default();
        let wanted: Vec<&str> = wanted.into_iter().map(|record| text(&record.inputs, "endpoint")).collect();
        let mut evidence = Vec::new();
        let mut pending = Vec::new();
        for topic in topics {
            let name = topic.rsplit(':').next().unwrap_or_default();
            let subscribers = self.inspector.subscribers(topic).await.map_err(|error| unanswered(&error))?;
            let stands = |address: &str| subscribers.iter().find(|one| one.endpoint == address);
            for one in &subscribers {
                let state = if one.confirmed { "confirmed" } else { "pending" };
                evidence.push(format!("{name}: {} {} is {state}", one.protocol, one.endpoint));
            }
            let missing = wanted.iter().filter(|address| stands(address).is_none_or(|one| !one.confirmed));
            pending.extend(missing.map(|address| (*address).to_owned()));
            if wanted.is_empty() && !subscribers.iter().any(|one| one.confirmed) {
                let reason = format!("Nobody is subscribed to {name}: alarms reach nobody");
                let fix = "Name addresses in `monitoring.emails`, or subscribe somebody to the topic.";
                return Err(Problem::Failed(reason, fix.to_owned(), evidence));
            }
        }
        if pending.is_empty() {
            return Ok(evidence);
        }
        let who = pending.join(", ");
        let (has, addresses) = if pending.len() == 1 { ("has", "it") } else { ("have", "them") };
        let reason = format!("{who} {has} not confirmed the subscription: no alarm reaches {addresses}");
        Err(Problem::Failed(reason, FIX.to_owned(), evidence))
    }
}
