//! A verification as a staged table, and the same for programs.

use lh::db::{Outcome, Report};
use serde_json::{Value, json};

use crate::render::style;

/// Chapter by chapter, a check each with its evidence.
pub(crate) fn table(report: &Report, title: &str) -> String {
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = style::bold(title) + "\n";
    let mut chapter = "";
    for check in &report.checks {
        if check.chapter != chapter {
            chapter = &check.chapter;
            text += &format!("\n{chapter}\n");
        }
        let indent = " ".repeat(width + 6);
        let mut lines = Vec::new();
        let sign = match &check.outcome {
            Outcome::Passed => style::good("✓"),
            Outcome::Failed { reason, .. } => {
                lines.push(style::error(&format!("{reason}.")));
                lines.extend(check.origin.as_ref().map(|origin| style::dim(&format!("at {origin}"))));
                style::error("✗")
            }
            Outcome::Skipped { reason } => {
                lines.push(style::dim(&format!("skipped: {reason}")));
                style::dim("-")
            }
        };
        lines.extend(check.evidence.iter().cloned());
        if let Outcome::Failed { fix, .. } = &check.outcome {
            lines.push(format!("{} {fix}", style::good("fix:")));
        }
        text += &format!("  {sign} {:width$}  {}\n", check.name, lines.join(&format!("\n{indent}")));
    }
    let (passed, failed, skipped) = report.counts();
    let last = format!("{passed} passed, {failed} failed, {skipped} skipped.");
    text + "\n" + &if report.holds() { style::good(&last) } else { style::error(&last) }
}

/// What a verification's table is headed with.
pub(crate) fn title(stack: Option<&str>, place: &str) -> String {
    let subject = stack.map(|stack| format!("{stack}, ")).unwrap_or_default();
    format!("Verification of {subject}{place}")
}

/// The layout is in `docs/json.md`.
pub(crate) fn json(report: &Report, stack: Option<&str>, place: &str) -> Value {
    json!({ "stack": stack, "database": place, "holds": report.holds(), "checks": report.checks })
}
