//! Plans as one page that needs nothing else: no script, no font, no network. The four lines come
//! first, then drift, then changes with reason and spec line, then what may be called.

use lh::{Act, Drift, Effect, FieldDiff, Headline, Plan, Step};

use crate::render::plan::{partial, reason, shown, sum, value, verb};

const STYLE: &str = include_str!("page.css");

/// The page of these plans.
pub(crate) fn page(plans: &[&Plan]) -> String {
    let names: Vec<&str> = plans.iter().map(|plan| plan.stack.0.as_str()).collect();
    let sections: String = plans.iter().map(|plan| section(plan)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Plan of {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{sections}\
         <footer>Made by lhctl {}. Nothing was changed.</footer>\n</main>\n</body>\n</html>\n",
        escaped(&names.join(", ")),
        lh::VERSION
    )
}

fn section(plan: &Plan) -> String {
    let Headline { data_at_risk, downtime, money, blast_radius } = Headline::of(plan, &lh::holds_data);
    let account = plan.account.as_ref().map(|account| format!(", account {account}")).unwrap_or_default();
    let mut text = format!(
        "<section>\n<h1>{}</h1>\n<p class=\"where\">{}{}, after state serial {}</p>\n<dl class=\"four\">\n",
        escaped(&plan.stack.0),
        escaped(&plan.region),
        escaped(&account),
        plan.parent.serial
    );
    let risk = if data_at_risk == "none" { "" } else { " class=\"risk\"" };
    for (class, name, line) in [
        (risk, "Data at risk", &data_at_risk),
        ("", "Downtime", &downtime),
        ("", "Money", &money),
        ("", "Blast radius", &blast_radius),
    ] {
        text += &format!("<div{class}><dt>{name}</dt><dd>{}</dd></div>\n", escaped(line));
    }
    text += "</dl>\n";
    if let Some(partial) = partial(plan) {
        text += &format!("<p class=\"partial\"><strong>Partial.</strong> {}</p>\n", escaped(&partial));
    }
    text += &format!("<p class=\"sum\">{}</p>\n", escaped(&sum(plan)));
    text += &refusals(plan);
    text += &drift(&plan.drift);
    let changes: String = shown(plan).into_iter().map(|(step, replaced)| change(step, replaced)).collect();
    text += &titled("Changes", &changes);
    text += &notes(plan);
    text += &calls(plan);
    text + "</section>\n"
}

fn titled(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("<h2>{title}</h2>\n{content}") }
}

fn refusals(plan: &Plan) -> String {
    let one = |finding: &lh::Diagnostic| {
        let parts = [Some(&finding.message), finding.reason.as_ref(), finding.fix.as_ref()];
        let text: Vec<String> = parts.into_iter().flatten().map(|part| escaped(part)).collect();
        format!("<div class=\"note\"><code>{}</code> {}</div>\n", escaped(&finding.code), text.join(". "))
    };
    titled("Refused", &plan.refusals.iter().map(one).collect::<String>())
}

fn drift(drift: &[Drift]) -> String {
    let row = |one: &Drift| {
        format!(
            "<tr><td>{}.{}</td><td>{}</td><td class=\"old\">{}</td><td class=\"new\">{}</td></tr>\n",
            escaped(&one.address.to_string()),
            escaped(&one.field),
            escaped(&value(&one.recorded)),
            escaped(&value(&one.actual)),
            escaped(&value(&one.wanted))
        )
    };
    let rows: String = drift.iter().map(row).collect();
    if rows.is_empty() {
        return rows;
    }
    let head = "<tr><th>property</th><th>recorded</th><th>actual</th><th>wanted</th></tr>";
    titled("Drift", &format!("<table>\n{head}\n{rows}</table>\n"))
}

fn look(step: &Step, replaced: bool) -> (&'static str, &'static str) {
    match (step.id.act, step.effect) {
        (Act::Create, _) if replaced => ("change", "-/+"),
        (Act::Create, _) => ("add", "+"),
        (Act::Update, Effect::StopStart) => ("change", "~!"),
        (Act::Update, _) => ("change", "~"),
        (Act::Delete, _) => ("drop", "-"),
        (Act::Retain | Act::Adopt | Act::Use, _) => ("keep", "="),
        (Act::Await | Act::Forget | Act::Refresh, _) => ("", "·"),
    }
}

fn change(step: &Step, replaced: bool) -> String {
    let (class, sign) = look(step, replaced);
    let id = step.cloud_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let place = step.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    let is_new = step.id.act == Act::Create && !replaced;
    let open = if is_new { "" } else { " open" };
    let mut text = format!(
        "<details class=\"step {class}\"{open}><summary><span class=\"sign\">{sign}</span><strong>{}</strong>{} {}\
         <span class=\"place\">{}</span></summary>\n<p>{}</p>\n",
        escaped(&step.id.address.to_string()),
        escaped(&id),
        verb(step.id.act, replaced),
        escaped(&place),
        escaped(&reason(step))
    );
    let rows: String = step.changes.iter().map(|diff| field(diff, is_new)).collect();
    if !rows.is_empty() {
        text += &format!("<table>\n{rows}</table>\n");
    }
    text + "</details>\n"
}

fn field(diff: &FieldDiff, is_new: bool) -> String {
    let (name, old, new) = (escaped(&diff.field), escaped(&value(&diff.old)), escaped(&value(&diff.new)));
    if is_new {
        return format!("<tr><td class=\"name\">{name}</td><td>{new}</td></tr>\n");
    }
    let forces = if diff.effect == Some(Effect::Replace) { " <em>forces the replacement</em>" } else { "" };
    format!(
        "<tr><td class=\"name\">{name}</td><td class=\"old\">{old}</td><td class=\"new\">{new}{forces}</td></tr>\n"
    )
}

fn notes(plan: &Plan) -> String {
    let one = |note: &lh::Note| {
        let address =
            note.address.as_ref().map(|a| format!("<strong>{}</strong>: ", escaped(&a.to_string())));
        format!("<div class=\"note\">{}{}</div>\n", address.unwrap_or_default(), escaped(&note.text))
    };
    titled("Left alone", &plan.notes.iter().map(one).collect::<String>())
}

fn calls(plan: &Plan) -> String {
    let calls: String =
        plan.calls().iter().map(|call| format!("<li><code>{}</code></li>\n", escaped(call))).collect();
    let count = plan.calls().len();
    format!(
        "<h2>AWS operations</h2>\n<details><summary>It may call these {count} and no other.</summary>\n\
         <ul class=\"calls\">\n{calls}</ul>\n</details>\n"
    )
}

/// Text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_becomes_markup() {
        assert_eq!(escaped("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = page(&[]);
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    }
}
