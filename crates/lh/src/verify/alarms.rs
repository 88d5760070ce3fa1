//! The chapter of alarms: each is there and on guard; and, where it is asked for, one is tried.

use std::time::Duration;

use lh_aws::inspect::{AlarmEvent, AlarmSight};
use lh_db::{Problem, Verdict};

use super::{Scene, span, subscriptions, unanswered};

/// An alarm that had no data for so long watches nothing.
const SILENT: i64 = 3600;
/// What an alarm that is tried says of itself.
const TRIED: &str = "lhctl verify --test-alarm: this is a test, nothing is wrong";
/// How often, and how long apart, a tried alarm's history is looked at.
const LOOKS: u32 = 20;
const APART: Duration = Duration::from_secs(3);

impl Scene<'_> {
    /// The names of the stack's alarms, and those of them that CloudWatch shows.
    async fn seen(&self) -> Result<(Vec<String>, Vec<AlarmSight>), Problem> {
        let names: Vec<String> =
            self.records("alarm", "monitoring")?.into_iter().map(|record| record.id.0.clone()).collect();
        let seen = self.inspector.alarms(&names).await.map_err(|error| unanswered(&error))?;
        Ok((names, seen))
    }

    pub(super) async fn alarms(&self) -> Verdict {
        let (names, seen) = self.seen().await?;
        let evidence: Vec<String> = seen.iter().map(|alarm| line(alarm, self.now)).collect();
        let failed =
            |reason: String, fix: &str| Err(Problem::Failed(reason, fix.to_owned(), evidence.clone()));
        if let Some(gone) = names.iter().find(|name| !seen.iter().any(|alarm| alarm.name == **name)) {
            return failed(
                format!("There is no alarm {gone} any more"),
                "`lhctl apply STACK` makes it again.",
            );
        }
        if let Some(mute) = seen.iter().find(|alarm| !alarm.actions_enabled) {
            let reason = format!("The actions of {} are switched off: nobody is told", mute.name);
            return failed(reason, "`lhctl apply STACK` switches them on again.");
        }
        if let Some(alarm) = seen.iter().find(|alarm| alarm.state == "ALARM") {
            let reason = format!("{} is in ALARM: {}", alarm.name, alarm.reason.trim_end_matches('.'));
            return failed(reason, "Look at what it watches: `lhctl status STACK`, and the dashboard.");
        }
        let silent =
            |alarm: &&AlarmSight| alarm.state == "INSUFFICIENT_DATA" && self.now - alarm.since > SILENT;
        if let Some(alarm) = seen.iter().find(silent) {
            let since = span(self.now - alarm.since);
            let reason = format!("{} has had no data for {since}: it watches nothing", alarm.name);
            return failed(
                reason,
                "Does the instance run, and on it the CloudWatch agent, with its role? `lhctl status STACK` says.",
            );
        }
        Ok(evidence)
    }

    /// Puts one alarm into ALARM and back. CloudWatch's own history tells what it did: the state
    /// alone may be overruled before it is read.
    pub(super) async fn alarm_test(&self) -> Verdict {
        let (_, seen) = self.seen().await?;
        let mut telling =
            seen.iter().filter(|alarm| alarm.actions_enabled && !alarm.alarm_actions.is_empty());
        let Some(alarm) = telling.find(|alarm| alarm.state != "ALARM") else {
            let fix = "Name a topic or e-mail addresses in `monitoring`, and mend what is in ALARM now.";
            return Err(Problem::failed(
                "There is no alarm to try: each tells nobody, or is in ALARM already",
                fix,
            ));
        };
        let name = &alarm.name;
        let day = self.now - 86_400;
        let before = self.inspector.alarm_history(name, day).await.map_err(|error| unanswered(&error))?;
        let last = before.iter().map(|event| event.at).max().unwrap_or_default();
        self.inspector.set_alarm(name, "ALARM", TRIED).await.map_err(|error| unanswered(&error))?;
        let told = self.told(alarm, day, last).await;
        // CloudWatch puts it right by itself within a minute or so; this is sooner.
        let back = self.inspector.set_alarm(name, &alarm.state, TRIED).await;
        let events = told?;
        back.map_err(|error| unanswered(&error))?;
        let lines: Vec<String> = events.iter().map(|event| format!("{name}: {}", event.summary)).collect();
        let actions: Vec<&AlarmEvent> = events.iter().filter(|event| event.kind == "Action").collect();
        let done = |event: &&&AlarmEvent| event.summary.starts_with("Successfully executed");
        if actions.len() < alarm.alarm_actions.len() || actions.iter().filter(done).count() < actions.len() {
            let reason =
                format!("{name} went into ALARM, and did not tell {}", alarm.alarm_actions.join(", "));
            let fix = "Is the topic there, and does its policy let cloudwatch.amazonaws.com publish? `lhctl plan STACK` shows what differs.";
            return Err(Problem::Failed(reason, fix.to_owned(), lines));
        }
        let mut evidence = lines;
        evidence.push(format!("{name} was put back to {}", alarm.state));
        // The topic took it. Whether anybody heard is what the test is for.
        let mut deaf = Vec::new();
        for topic in &alarm.alarm_actions {
            let subscribers = self.inspector.subscribers(topic).await.map_err(|error| unanswered(&error))?;
            let reached: Vec<String> =
                subscribers.into_iter().filter(|one| one.confirmed).map(|one| one.endpoint).collect();
            match reached.as_slice() {
                [] => deaf.push(topic.rsplit(':').next().unwrap_or_default()),
                some => evidence.push(format!("told: {}", some.join(", "))),
            }
        }
        if deaf.is_empty() {
            return Ok(evidence);
        }
        let reason = format!(
            "{name} told its topic, and nobody was told: no subscription to {} is confirmed",
            deaf.join(" and ")
        );
        Err(Problem::Failed(reason, subscriptions::FIX.to_owned(), evidence))
    }

    /// What became of an alarm that was put into ALARM, after the events that were there before.
    async fn told(&self, alarm: &AlarmSight, from: i64, last: i64) -> Result<Vec<AlarmEvent>, Problem> {
        let pace = self.deployment.cloud.pace();
        let mut events = Vec::new();
        for look in 0..LOOKS {
            if look > 0 {
                pace.pause(APART).await;
            }
            let all =
                self.inspector.alarm_history(&alarm.name, from).await.map_err(|error| unanswered(&error))?;
            events = all.into_iter().filter(|event| event.at > last).collect();
            events.reverse();
            if events.iter().filter(|event| event.kind == "Action").count() >= alarm.alarm_actions.len() {
                break;
            }
        }
        Ok(events)
    }
}

fn line(alarm: &AlarmSight, now: i64) -> String {
    let whom = if alarm.alarm_actions.is_empty() { ", tells nobody" } else { "" };
    format!("{}: {} for {}{whom}", alarm.name, alarm.state, span(now - alarm.since))
}
