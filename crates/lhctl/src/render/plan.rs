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
    if let Some(partial) = partial(plan) {
        text.push_str(&format!("\n{} {partial}\n", style::change("partial:")));
    }
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

/// What a plan of a part says of itself.
pub(crate) fn partial(plan: &Plan) -> Option<String> {
    let names: Vec<String> = plan.targets.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| {
        format!(
            "This plan is for {} and what that needs, not for the whole stack. Plan again without --target to see the rest.",
            names.join(", ")
        )
    })
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
    shown(plan).into_iter().map(|(step, replaced)| change(step, replaced)).collect()
}

/// The steps to show, each with whether it replaces: a replacement is one, not two.
pub(crate) fn shown(plan: &Plan) -> Vec<(&Step, bool)> {
    let of = |act: Act| -> BTreeSet<&Address> {
        plan.steps.iter().filter(|s| s.id.act == act).map(|s| &s.id.address).collect()
    };
    let (created, deleted) = (of(Act::Create), of(Act::Delete));
    let replaced = |step: &Step| created.contains(&step.id.address) && deleted.contains(&step.id.address);
    let steps = plan.steps.iter().map(|step| (step, replaced(step)));
    steps.filter(|(step, replaced)| !(*replaced && step.id.act == Act::Delete)).collect()
}

/// What becomes of a resource, in words.
pub(crate) fn verb(act: Act, replaced: bool) -> &'static str {
    match act {
        Act::Create if replaced => "is replaced",
        Act::Create => "is created",
        Act::Update => "is changed",
        Act::Delete => "is deleted",
        Act::Await => "is waited for",
        Act::Adopt => "is taken over",
        Act::Use => "is used",
        Act::Retain => "is retained",
        Act::Forget => "is forgotten",
        Act::Refresh => "is recorded anew",
    }
}

fn change(step: &Step, replaced: bool) -> String {
    let symbol = match (step.id.act, step.effect) {
        (Act::Create, _) if replaced => style::change("-/+"),
        (Act::Create, _) => style::good("  +"),
        (Act::Update, Effect::StopStart) => style::change(" ~!"),
        (Act::Update, _) => style::change("  ~"),
        (Act::Delete, _) => style::error("  -"),
        (Act::Retain | Act::Adopt | Act::Use, _) => style::keep("  ="),
        (Act::Await | Act::Forget | Act::Refresh, _) => style::dim("  ·"),
    };
    let id = step.cloud_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let place = step.origin.as_ref().map(|origin| style::dim(&format!("  {origin}"))).unwrap_or_default();
    let verb = verb(step.id.act, replaced);
    let title = style::bold(&step.id.address.to_string());
    let mut text = format!("{symbol} {title}{id} {verb}{place}\n");
    text.push_str(&format!("      {}\n", style::dim(&reason(step))));
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

/// Why, and for how long the database is away.
pub(crate) fn reason(step: &Step) -> String {
    match step.downtime_seconds {
        0 => step.reason.clone(),
        seconds => format!("{} The database is away for about {}.", step.reason, minutes(seconds)),
    }
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

/// What the plan comes to, one sentence.
pub(crate) fn sum(plan: &Plan) -> String {
    let (added, changed, destroyed) = plan.counts();
    match plan.mode {
        _ if plan.is_empty() && !plan.refusals.is_empty() => {
            "Nothing is to be changed in what could be read.".to_owned()
        }
        Mode::Apply if plan.is_empty() && plan.targets.is_empty() => {
            "No changes. AWS is as the stack file says.".to_owned()
        }
        Mode::Apply if plan.is_empty() => {
            "No changes in this part. AWS is there as the stack file says.".to_owned()
        }
        Mode::Destroy { .. } if plan.is_empty() => "Nothing is left to destroy.".to_owned(),
        Mode::Release { .. } if plan.is_empty() => "Nothing is left to release.".to_owned(),
        Mode::Refresh if plan.is_empty() => "The state is as AWS shows it.".to_owned(),
        Mode::Refresh => format!(
            "Refresh: {} to record as AWS shows, {} to forget. AWS is not changed.",
            count(plan, Act::Refresh),
            count(plan, Act::Forget)
        ),
        _ => format!("Plan: {added} to add, {changed} to change, {destroyed} to destroy."),
    }
}

fn count(plan: &Plan, act: Act) -> usize {
    plan.steps.iter().filter(|step| step.id.act == act).count()
}

fn tail(plan: &Plan) -> String {
    if plan.is_empty() {
        return format!("{}\n", style::good(&sum(plan)));
    }
    if plan.mode == Mode::Refresh {
        return format!("{}\n", style::bold(&sum(plan)));
    }
    let calls = plan.calls().len();
    let Estimate { lines, .. } = &plan.cost_after;
    let priced = if lines.is_empty() {
        String::new()
    } else {
        " `lhctl cost` shows the money line by line.".to_owned()
    };
    format!(
        "{}\n{}\n",
        style::bold(&sum(plan)),
        style::dim(&format!(
            "It may call {calls} AWS operations and no other; `lhctl plan --json` lists them.{priced}"
        ))
    )
}
