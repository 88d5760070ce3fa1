//! The history of runs: who ran what, when, with which plan, what AWS was called for, and how it
//! ended. It is gathered from the journal before a snapshot makes that history, and kept apart
//! from it, so that it outlives both.

use std::collections::BTreeMap;

use lh_model::CallMade;
use serde::{Deserialize, Serialize};

use crate::{Entry, Event, Verb};

/// How many runs are kept of a stack.
pub const RUNS_KEPT: usize = 200;
/// How many calls are kept of a run; the number of the others is told.
pub const CALLS_KEPT: usize = 1_000;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// Everything planned was done.
    Ok,
    /// Something failed.
    Failed,
    /// It was stopped, or its process died before it could say how it ended.
    Interrupted,
}

/// A call, and the change it was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCall {
    /// `create volume.data`.
    pub step: String,
    /// The call.
    #[serde(flatten)]
    pub call: CallMade,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// A UUID.
    pub run: String,
    /// The command: `apply`, `state rm`.
    pub operation: String,
    /// Who: user and host.
    pub who: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// When it ended, RFC 3339; none for one that did not come to its end.
    pub ended: Option<String>,
    /// The plan's digest, or what the command was asked for where it has no plan.
    pub plan: String,
    /// The serial of the state that it began with.
    pub serial: u64,
    /// How it ended.
    pub result: RunResult,
    /// What was begun in AWS: `create volume.data`.
    pub changes: Vec<String>,
    /// The calls that changed something, or failed to, with their request ids.
    pub calls: Vec<RunCall>,
    /// How many calls more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub calls_left_out: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Run {
    /// The name under which it is kept: names sort as their runs began.
    pub fn name(&self) -> String {
        let plain = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).take(36).collect::<String>()
        };
        // Fractions of a second have no fixed number of digits.
        let (second, fraction) = self.began.split_once('.').unwrap_or((&self.began, ""));
        let (second, fraction) = (plain(second), plain(fraction));
        let (second, fraction) = (second.trim_end_matches('Z'), fraction.trim_end_matches('Z'));
        format!("{second}{fraction:0<9}-{}", plain(&self.run))
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Intended(intent) => self.changes.push(format!("{} {}", word(intent.verb), intent.address)),
            Event::Called { address, verb, calls } => {
                for call in calls {
                    if self.calls.len() < CALLS_KEPT {
                        let step = format!("{} {address}", word(*verb));
                        self.calls.push(RunCall { step, call: call.clone() });
                    } else {
                        self.calls_left_out += 1;
                    }
                }
            }
            Event::Ended { at, result } => {
                self.ended = Some(at.clone());
                self.result = match result.as_str() {
                    "complete" => RunResult::Ok,
                    "failed" => RunResult::Failed,
                    _ => RunResult::Interrupted,
                };
            }
            _ => {}
        }
    }
}

fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
    }
}

/// The runs that `entries` tell of, in the order in which they began.
pub fn runs(entries: &[Entry]) -> Vec<Run> {
    let mut order: Vec<&str> = Vec::new();
    let mut runs: BTreeMap<&str, Run> = BTreeMap::new();
    for entry in entries {
        if let Event::Began { operation, who, at, plan, .. } = &entry.event {
            order.push(&entry.run);
            let run = Run {
                run: entry.run.clone(),
                operation: operation.clone(),
                who: who.clone(),
                began: at.clone(),
                ended: None,
                plan: plan.clone(),
                serial: entry.after,
                result: RunResult::Interrupted,
                changes: Vec::new(),
                calls: Vec::new(),
                calls_left_out: 0,
            };
            runs.insert(&entry.run, run);
        } else if let Some(run) = runs.get_mut(entry.run.as_str()) {
            run.take(&entry.event);
        }
    }
    order.into_iter().filter_map(|run| runs.remove(run)).collect()
}

#[cfg(test)]
mod tests {
    use lh_model::Address;

    use super::*;

    fn entry(run: &str, number: u64, event: Event) -> Entry {
        Entry { after: 3, run: run.into(), number, event }
    }

    fn began(run: &str) -> Entry {
        let event = Event::Began {
            who: "ada@lighthouse".into(),
            at: "2026-01-02T03:04:05.678Z".into(),
            operation: "apply".into(),
            plan: "digest".into(),
            lineage: "l".into(),
        };
        entry(run, 0, event)
    }

    fn called(run: &str, number: u64, count: usize) -> Entry {
        let call = CallMade {
            operation: "ec2:CreateVolume".into(),
            request_id: Some("id".into()),
            status: Some(200),
        };
        let address = Address::new("volume", "data");
        entry(run, number, Event::Called { address, verb: Verb::Create, calls: vec![call; count] })
    }

    #[test]
    fn runs_are_told_apart_and_one_without_an_end_was_interrupted() {
        let ended = Event::Ended { at: "later".into(), result: "complete".into() };
        let story = [began("a"), called("a", 1, 1), began("b"), called("b", 1, 2), entry("b", 2, ended)];
        let runs = runs(&story);
        assert_eq!(
            runs.iter().map(|run| run.result).collect::<Vec<_>>(),
            [RunResult::Interrupted, RunResult::Ok]
        );
        assert_eq!(runs[1].calls[1].step, "create volume.data");
        assert_eq!((runs[0].calls.len(), runs[1].calls.len(), runs[1].serial), (1, 2, 3));
        assert_eq!(runs[0].name(), "20260102T030405678000000-a");
    }

    #[test]
    fn calls_beyond_the_limit_are_counted() {
        let runs = runs(&[began("a"), called("a", 1, CALLS_KEPT + 7)]);
        assert_eq!((runs[0].calls.len(), runs[0].calls_left_out), (CALLS_KEPT, 7));
    }
}
