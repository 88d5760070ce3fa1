//! The four lines a plan begins with: data at risk, downtime, money, blast radius.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Act, Mode, Plan};

/// What a reader wants to know first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// What happens to data.
    pub data_at_risk: String,
    /// Whether and for how long the database is away.
    pub downtime: String,
    /// Monthly cost before and after.
    pub money: String,
    /// How much is touched.
    pub blast_radius: String,
}

impl Headline {
    /// The headline of `plan`. `holds_data` tells which kinds hold data.
    pub fn of(plan: &Plan, holds_data: &dyn Fn(&str) -> bool) -> Self {
        Self {
            data_at_risk: data_at_risk(plan, holds_data),
            downtime: downtime(plan),
            money: money(plan),
            blast_radius: blast_radius(plan),
        }
    }
}

fn data_at_risk(plan: &Plan, holds_data: &dyn Fn(&str) -> bool) -> String {
    let of = |act: Act| -> Vec<String> {
        let steps = plan.steps.iter().filter(|s| s.id.act == act && holds_data(s.id.address.kind()));
        steps.map(|s| s.id.address.to_string()).collect()
    };
    let (deleted, retained) = (of(Act::Delete), of(Act::Retain));
    let lost: Vec<String> = plan
        .drift
        .iter()
        .filter(|d| d.field == "id" && d.actual.is_null() && holds_data(d.address.kind()))
        .map(|d| d.address.to_string())
        .collect();
    let mut parts = Vec::new();
    if !deleted.is_empty() {
        let copied = plan.steps.iter().any(|s| {
            matches!(s.id.act, Act::Create | Act::Await) && s.id.address.name().starts_with("final-")
        });
        let how = match (plan.mode, copied) {
            (Mode::Release { .. }, _) => "deleted for good",
            (_, true) => "deleted, the volume after a final snapshot",
            (_, false) => "deleted",
        };
        parts.push(format!("{} {how}", deleted.join(", ")));
    }
    if !lost.is_empty() {
        parts.push(format!("{} already gone from AWS", lost.join(", ")));
    }
    if !retained.is_empty() {
        parts.push(format!("none lost; {} retained", retained.join(", ")));
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
}

fn downtime(plan: &Plan) -> String {
    if matches!(plan.mode, Mode::Destroy { .. }) && plan.changes_aws() {
        return "the database goes away for good".to_owned();
    }
    match plan.steps.iter().map(|step| step.downtime_seconds).sum::<u32>() {
        0 => "none".to_owned(),
        seconds @ 1..90 => format!("about {seconds} seconds"),
        seconds => format!("about {} minutes", seconds.div_ceil(60)),
    }
}

fn money(plan: &Plan) -> String {
    let (before, after) = (plan.cost_before.dollars(), plan.cost_after.dollars());
    let delta = plan.cost_after.total().0 - plan.cost_before.total().0;
    let delta = lh_kind::Amount(delta);
    let sign = if delta.0 >= 0 { "+" } else { "" };
    let mut text = if before == after {
        format!("{after} a month, unchanged")
    } else {
        format!("{before} → {after} a month ({sign}{delta})")
    };
    let unknown: BTreeSet<&str> = plan.cost_after.unknown.iter().map(|(_, why)| why.as_str()).collect();
    if !unknown.is_empty() {
        text.push_str(&format!("; unknown: {}", unknown.into_iter().collect::<Vec<_>>().join(", ")));
    }
    text
}

fn blast_radius(plan: &Plan) -> String {
    let touched: BTreeSet<_> =
        plan.steps.iter().filter(|s| s.id.act.is_mutating()).map(|s| &s.id.address).collect();
    if touched.is_empty() {
        return "nothing in AWS changes".to_owned();
    }
    let part = if plan.targets.is_empty() { "" } else { " (a part of it)" };
    let kinds: BTreeSet<&str> = touched.iter().map(|a| a.kind()).collect();
    let account = plan.account.as_deref().unwrap_or("unknown");
    format!(
        "{} of {} in account {account}, {}, only stack {}{part}",
        count(touched.len(), "resource"),
        count(kinds.len(), "kind"),
        plan.region,
        plan.stack
    )
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
