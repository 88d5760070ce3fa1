//! The last words of an apply: what was done, what failed and where, what is offered now.

use lh::{Applied, CloudError, Sources, Step, StepId};

use crate::{
    commands::output,
    render::{diagnostic, style},
};

/// Prints the outcome: failures to standard error, results to standard output.
pub(crate) fn show(applied: &Applied, verb: &str, sources: &Sources) {
    let outcome = &applied.outcome;
    let is_removal = verb == "Destroy" || verb == "Release";
    for (id, error) in &outcome.failed {
        let finding = failure(id, error, applied.plan.step(id));
        crate::say::errln!("{}", diagnostic::render(&[finding], sources));
    }
    let notes = if is_removal { &applied.plan.notes } else { &applied.notices };
    for note in notes {
        let address = note.address.as_ref().map(|a| format!("{a}: ")).unwrap_or_default();
        crate::say::outln!("  {} {address}{}", style::keep("="), note.text);
    }
    crate::say::outln!("{}", line(applied, verb));
    if outcome.is_complete() && !is_removal && !applied.outputs.is_empty() {
        crate::say::outln!(
            "\n{}\n\n{}",
            style::bold("Outputs:"),
            output::render(&applied.outputs).trim_end()
        );
    }
}

fn line(applied: &Applied, verb: &str) -> String {
    let outcome = &applied.outcome;
    let of = |word: lh::Act| outcome.done.iter().filter(|id| id.act == word).count();
    let counts = format!(
        "Resources: {} added, {} changed, {} destroyed.",
        of(lh::Act::Create),
        of(lh::Act::Update),
        of(lh::Act::Delete)
    );
    if verb == "Recover" {
        return style::good(&format!("Recover complete! Resources: {} taken over.", of(lh::Act::Adopt)));
    }
    match (outcome.is_complete(), outcome.interrupted) {
        (true, _) if verb == "Refresh" => style::good(&format!(
            "Refresh complete! Resources: {} recorded anew, {} forgotten. AWS was not changed.",
            of(lh::Act::Refresh),
            of(lh::Act::Forget)
        )),
        (true, _) => style::good(&format!("{verb} complete! {counts}")),
        (false, true) => style::change(&format!(
            "{verb} interrupted. {counts} {} left; run the command again to go on.",
            outcome.skipped.len()
        )),
        (false, false) => style::error(&format!(
            "{verb} failed. {counts} {} failed, {} not begun; mend the cause and run the command again to go on.",
            outcome.failed.len(),
            outcome.skipped.len()
        )),
    }
}

fn failure(id: &StepId, error: &CloudError, step: Option<&Step>) -> lh::Diagnostic {
    let finding = lh::Diagnostic::error("E0700", format!("{id} failed: {error}"))
        .at(step.and_then(|step| step.origin.clone()));
    match error.advice() {
        Some(advice) => finding.fix(advice),
        None => finding,
    }
}
