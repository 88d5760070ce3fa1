//! A plan as people read it: four lines first, then drift, then changes only.

use std::collections::BTreeSet;

use lh::{Act, Address, Drift, Effect, Estimate, FieldDiff, Headline, Mode, Plan, Step};
use serde_json::Value;

use crate::render::style;

/// The longest value shown whole.
const LONGEST: usize = 72;

/// The whole plan.
pub(crate) fn render(plan: &Plan) -> String {
    let mut text = head(plan);
    for section in [drift(&plan.drift), changes(plan), notes(plan)] {
        if !section.is_empty() {
            text.push('\n');
            text.push_str(&section);
        }
    }
    text.push('\n');
    text.push_str(&tail(plan));
    text
}

fn head(plan: &Plan) -> String {
    let Headline { data_at_risk, downtime, money, blast_radius } = Headline::of(plan, &lh::holds_data);
    let account = plan.account.as_ref().map(|account| format!(", account {account}")).unwrap_or_default();
    let title = style::bold(&format!("{} in {}{account}", plan.stack, plan.region));
    let data = if data_at_risk == "none" { data_at_risk } else { style::change(&data_at_risk) };
    format!(
        "{title}\n\n  Data at risk   {data}\n  Downtime       {downtime}\n  Money          {money}\n  Blast radius   {blast_radius}\n"
    )
}

fn drift(drift: &[Drift]) -> String {
    if drift.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", style::bold("Drift (recorded / actual / wanted)"));
    for Drift { address, field, recorded, actual, wanted } in drift {
        let values = format!("{} / {} / {}", value(recorded), value(actual), value(wanted));
        text.push_str(&format!("  {address}.{field}: {values}\n"));
    }
    text
}

fn changes(plan: &Plan) -> String {
    let of = |act: Act| -> BTreeSet<&Address> {
        plan.steps.iter().filter(|s| s.id.act == act).map(|s| &s.id.address).collect()
    };
    let (created, deleted) = (of(Act::Create), of(Act::Delete));
    let mut text = String::new();
    for step in &plan.steps {
        let address = &step.id.address;
        let replaced = created.contains(address) && deleted.contains(address);
        if replaced && step.id.act == Act::Delete {
            continue;
        }
        text.push_str(&change(step, replaced));
    }
    text
}

fn change(step: &Step, replaced: bool) -> String {
    let symbol = match (step.id.act, step.effect) {
        (Act::Create, _) if replaced => style::change("-/+"),
        (Act::Create, _) => style::good("  +"),
        (Act::Update, Effect::StopStart) => style::change(" ~!"),
        (Act::Update, _) => style::change("  ~"),
        (Act::Delete, _) => style::error("  -"),
        (Act::Retain | Act::Adopt | Act::Use, _) => style::keep("  ="),
        (Act::Await | Act::Forget, _) => style::dim("  ·"),
    };
    let id = step.cloud_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let place = step.origin.as_ref().map(|origin| style::dim(&format!("  {origin}"))).unwrap_or_default();
    let verb = match step.id.act {
        Act::Create if replaced => "is replaced",
        Act::Create => "is created",
        Act::Update => "is changed",
        Act::Delete => "is deleted",
        Act::Await => "is waited for",
        Act::Adopt => "is taken over",
        Act::Use => "is used",
        Act::Retain => "is retained",
        Act::Forget => "is forgotten",
    };
    let title = style::bold(&step.id.address.to_string());
    let mut text = format!("{symbol} {title}{id} {verb}{place}\n");
    let downtime = match step.downtime_seconds {
        0 => String::new(),
        seconds => format!(" The database is away for about {}.", minutes(seconds)),
    };
    text.push_str(&format!("      {}\n", style::dim(&format!("{}{downtime}", step.reason))));
    let width = step.changes.iter().map(|diff| diff.field.len()).max().unwrap_or(0);
    for diff in &step.changes {
        text.push_str(&field(diff, width, step.id.act == Act::Create && !replaced));
    }
    text
}

fn field(diff: &FieldDiff, width: usize, new_only: bool) -> String {
    let FieldDiff { field, old, new, effect } = diff;
    if new_only {
        return format!("      {field:width$} = {}\n", value(new));
    }
    let forces = if *effect == Some(Effect::Replace) {
        style::change("  forces the replacement")
    } else {
        String::new()
    };
    format!("      {field:width$}   {} → {}{forces}\n", value(old), value(new))
}

fn minutes(seconds: u32) -> String {
    if seconds < 90 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) }
}

/// A value on one line: references as what they will be, long texts by their size.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Object(object) => match (object.get("$ref"), object.get("$join")) {
            (Some(reference), _) => {
                format!("(known after apply: {})", reference.as_str().unwrap_or_default())
            }
            (_, Some(_)) => "(text, completed during apply)".to_owned(),
            _ => shorten(value.to_string()),
        },
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::String(text) if text.lines().count() > 1 => format!("(text, {} bytes)", text.len()),
        other => shorten(other.to_string()),
    }
}

fn shorten(text: String) -> String {
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn notes(plan: &Plan) -> String {
    let mut text = String::new();
    for note in &plan.notes {
        let address = note.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        text.push_str(&format!("  {} {address}{}\n", style::keep("="), note.text));
    }
    text
}

fn tail(plan: &Plan) -> String {
    if plan.is_empty() {
        let text = match plan.mode {
            Mode::Apply => "No changes. AWS is as the stack file says.",
            Mode::Destroy { .. } => "Nothing is left to destroy.",
        };
        return format!("{}\n", style::good(text));
    }
    let (added, changed, destroyed) = plan.counts();
    let calls = plan.calls().len();
    let Estimate { lines, .. } = &plan.cost_after;
    let priced = if lines.is_empty() {
        String::new()
    } else {
        " `lhctl cost` shows the money line by line.".to_owned()
    };
    format!(
        "{}\n{}\n",
        style::bold(&format!("Plan: {added} to add, {changed} to change, {destroyed} to destroy.")),
        style::dim(&format!(
            "It may call {calls} AWS operations and no other; `lhctl plan --json` lists them.{priced}"
        ))
    )
}
