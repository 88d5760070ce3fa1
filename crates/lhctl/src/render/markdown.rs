//! A plan as Markdown, for a pull request: the four lines first, then drift, then changes.

use lh::{Act, Drift, Headline, Plan, Step};

use crate::render::plan::{partial, reason, shown, sum, value, verb};

/// The whole plan. Values may hold anything: each stands in a code span that it cannot end.
pub(crate) fn render(plan: &Plan) -> String {
    let Headline { data_at_risk, downtime, money, blast_radius } = Headline::of(plan, &lh::holds_data);
    let mut text = format!("## {} in {}\n\n", escaped(&plan.stack.0), escaped(&plan.region));
    text += "| | |\n|---|---|\n";
    for (name, line) in [
        ("Data at risk", data_at_risk),
        ("Downtime", downtime),
        ("Money", money),
        ("Blast radius", blast_radius),
    ] {
        text += &format!("| **{name}** | {} |\n", escaped(&line));
    }
    if let Some(partial) = partial(plan) {
        text += &format!("\n> **Partial.** {}\n", escaped(&partial));
    }
    text += &drift(&plan.drift);
    text += &changes(plan);
    if !plan.notes.is_empty() {
        text += "\n### Left alone\n\n";
    }
    for note in &plan.notes {
        let address = note.address.as_ref().map(|address| format!("{}: ", code(&address.to_string())));
        text += &format!("- {}{}\n", address.unwrap_or_default(), escaped(&note.text));
    }
    let calls: Vec<String> = plan.calls().iter().map(|call| code(call)).collect();
    text += &format!("\n**{}**\n", escaped(&sum(plan)));
    text += &format!(
        "\n<details><summary>{} AWS operations, and no other</summary>\n\n{}\n\n</details>\n",
        calls.len(),
        calls.join(", ")
    );
    text
}

fn drift(drift: &[Drift]) -> String {
    if drift.is_empty() {
        return String::new();
    }
    let mut text = "\n### Drift\n\n| property | recorded | actual | wanted |\n|---|---|---|---|\n".to_owned();
    for Drift { address, field, recorded, actual, wanted } in drift {
        let values = [recorded, actual, wanted].map(|one| cell(&value(one)));
        text += &format!("| {} | {} |\n", cell(&format!("{address}.{field}")), values.join(" | "));
    }
    text
}

fn changes(plan: &Plan) -> String {
    let steps = shown(plan);
    if steps.is_empty() {
        return String::new();
    }
    let mut text = "\n### Changes\n".to_owned();
    for (step, replaced) in steps {
        text += &change(step, replaced);
    }
    text
}

fn change(step: &Step, replaced: bool) -> String {
    let place = step.origin.as_ref().map(|origin| format!(" ({})", code(&origin.to_string())));
    let mut text = format!(
        "\n**{}** {}{}. {}\n",
        code(&step.id.address.to_string()),
        verb(step.id.act, replaced),
        place.unwrap_or_default(),
        escaped(&reason(step))
    );
    if step.changes.is_empty() {
        return text;
    }
    let is_new = step.id.act == Act::Create && !replaced;
    text += if is_new {
        "\n| property | value |\n|---|---|\n"
    } else {
        "\n| property | from | to |\n|---|---|---|\n"
    };
    for diff in &step.changes {
        let (old, new) = (cell(&value(&diff.old)), cell(&value(&diff.new)));
        text += &match is_new {
            true => format!("| {} | {new} |\n", cell(&diff.field)),
            false => format!("| {} | {old} | {new} |\n", cell(&diff.field)),
        };
    }
    text
}

/// A code span around any text: with one backtick more than the text has in a row.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('\n', " "))
}

/// A code span in a table, where `|` ends a cell even inside of one.
fn cell(text: &str) -> String {
    code(&text.replace('|', "\\|"))
}

/// Plain text, in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]<>#|~".contains(c) {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_code_span_or_its_cell() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a `b` ``c"), "``` a `b` ``c ```");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(escaped("<b>|x_y"), "\\<b\\>\\|x\\_y");
    }
}
