//! Rows made of what a plan knows: lookups, refusals, and the state.

use lh_db::{Check, Problem};
use lh_model::{Diagnostic, Lookup, Map, value::text_of};

use super::{Planned, problem};
use crate::Error;

/// Codes about names that are taken, and resources that the state does not know.
const NAMES: [&str; 3] = ["E0602", "E0603", "E0615"];
/// Codes about the account and region.
const ACCOUNT: [&str; 2] = ["E0608", "E0609"];

/// The state that cannot be read.
pub(super) fn state(error: &Error) -> Check {
    let fix = "`lhctl bootstrap STACK` makes and mends the bucket and the lock table; `lhctl state history STACK` lists what versions there are.";
    Check::of("state", "account", Err(Problem::failed(error.to_string().trim_end_matches('.'), fix)))
}

/// The row and the chapter of a lookup.
fn place(lookup: &str) -> (String, &'static str) {
    let (sort, name) = lookup.split_once('/').unwrap_or((lookup, ""));
    let (row, chapter) = match sort {
        "caller" => ("account", "account"),
        "image" => ("image", "instance"),
        "key_pair" => ("key-pair", "instance"),
        "kms_key" => ("kms-key", "instance"),
        "parameter" | "secret" => ("password", "database"),
        "backup_vault" => ("vault", "backups"),
        "bucket" => ("bucket", "backups"),
        "topic" => ("topic", "monitoring"),
        "hosted_zone" => ("hosted-zone", "dns"),
        "security_group" => ("security-group", "network"),
        other => (other, "network"),
    };
    (if name.is_empty() { row.to_owned() } else { format!("{row}/{name}") }, chapter)
}

/// What a lookup found.
pub(super) fn lookup(lookup: &Lookup, answer: &Result<Map, Diagnostic>) -> Check {
    let (row, chapter) = place(&lookup.name);
    let verdict = match answer {
        Ok(found) => {
            let told =
                found.iter().map(|(key, value)| (key, text_of(value))).filter(|(_, text)| !text.is_empty());
            Ok(told.map(|(key, text)| format!("{}: {text}", key.replace('_', " "))).collect())
        }
        Err(finding) => Err(problem(finding)),
    };
    let origin = answer.as_ref().err().and_then(|finding| finding.origin.clone());
    Check::of(&row, chapter, verdict).at(origin.or_else(|| lookup.origin.clone()))
}

/// What a plan says, as far as the lookups have not said it.
pub(super) fn planned(rows: &mut Vec<Check>, plan: &Planned) {
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            let fix = "Run `lhctl plan STACK`, which says more.";
            let problem = Problem::failed(format!("No plan can be made: {error}"), fix);
            return rows
                .extend(["names", "changes"].map(|name| Check::of(name, "plan", Err(problem.clone()))));
        }
    };
    // Lookups have rows of their own, with the same findings.
    let others: Vec<&Diagnostic> =
        plan.refusals.iter().filter(|finding| !finding.code.starts_with("E05")).collect();
    let (account, others): (Vec<&Diagnostic>, Vec<_>) =
        others.into_iter().partition(|finding| ACCOUNT.contains(&finding.code.as_str()));
    if let Some((row, finding)) = rows.iter_mut().find(|row| row.name == "account").zip(account.first()) {
        *row = told("account", "account", finding);
    }
    let (names, others): (Vec<&Diagnostic>, Vec<_>) =
        others.into_iter().partition(|finding| NAMES.contains(&finding.code.as_str()));
    let mut add = |name: &str, findings: Vec<&Diagnostic>, fine: String| match findings.is_empty() {
        true => rows.push(Check::of(name, "plan", Ok(vec![fine]))),
        false => rows.extend(findings.into_iter().map(|finding| told(name, "plan", finding))),
    };
    add("names", names, "no name that the stack needs is taken".to_owned());
    add("changes", others, format!("{} steps to what the stack file says", plan.steps.len()));
}

fn told(name: &str, chapter: &str, finding: &Diagnostic) -> Check {
    Check::of(name, chapter, Err(problem(finding))).at(finding.origin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lookup_has_a_row_in_a_chapter() {
        assert_eq!(place("caller"), ("account".to_owned(), "account"));
        assert_eq!(place("security_group/backend"), ("security-group/backend".to_owned(), "network"));
        assert_eq!(place("secret"), ("password".to_owned(), "database"));
    }
}
