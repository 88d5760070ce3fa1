//! The linter: what TimescaleDB, PostgreSQL or the runner would refuse in a migration, found
//! before anything runs, without a server. The single rules are in `rules.rs`.

use std::{collections::BTreeSet, ops::Range};

use lh_model::{Diagnostic, Origin};

use super::{
    forms::is_repeatable,
    lex::{Statement, statements},
    rules::{self, Context},
};
use crate::Migration;

/// Findings in all of `migrations`, in their order. They are read together, because what one
/// file makes a hypertable another may index.
pub fn lint(migrations: &[Migration]) -> Vec<Diagnostic> {
    let hypertables = migrations.iter().flat_map(|migration| rules::hypertables(&migration.sql)).collect();
    migrations.iter().flat_map(|migration| lint_one(migration, &hypertables)).collect()
}

fn lint_one(migration: &Migration, hypertables: &BTreeSet<String>) -> Vec<Diagnostic> {
    let text = migration.sql.as_str();
    let (found, flaw) = statements(text);
    let mut findings = Vec::new();
    if let Some(flaw) = flaw {
        findings.push(
            Diagnostic::error("E0861", format!("A {} begins here and does not end", flaw.what))
                .at(migration.origin(flaw.at..flaw.at + 1))
                .fix("Close it."),
        );
    }
    if found.is_empty() && flaw.is_none() {
        findings.push(empty(migration));
    }
    findings.extend(mark(migration, &found));
    let context = Context { transaction: !migration.no_transaction, hypertables };
    for statement in &found {
        findings.extend(
            rules::check(statement, &context).map(|f| f.at(migration.origin(first_line(text, statement)))),
        );
    }
    if migration.no_transaction {
        findings.extend(alone(migration, &found));
    }
    findings
}

/// Run as it is, it would be noted as done, and what is written into it later would not be run.
fn empty(migration: &Migration) -> Diagnostic {
    let first = migration.sql.find('\n').unwrap_or(migration.sql.len());
    Diagnostic::error("E0867", "This file has no statement")
        .at(migration.origin(0..first))
        .because("It would be noted as done, and SQL that is written into it afterwards would never be run")
        .fix("Write its SQL before it is run, or remove the file.")
}

/// `-- no-transaction` counts as the file's first bytes only.
fn mark(migration: &Migration, found: &[Statement]) -> Option<Diagnostic> {
    const MARK: &str = "-- no-transaction";
    let is_code = |at: usize| found.iter().any(|statement| statement.span.contains(&at));
    let is_mark = |at: &usize| {
        let (before, rest) = (&migration.sql[..*at], &migration.sql[*at..]);
        let line = rest.lines().next().unwrap_or_default();
        *at > 0 && before.ends_with(['\n', '\r', '\u{feff}']) && line.trim_end() == MARK && !is_code(*at)
    };
    let at = migration.sql.match_indices(MARK).map(|(at, _)| at).find(is_mark);
    at.map(|at| {
        Diagnostic::error("E0862", "`-- no-transaction` does not stand at the very beginning of the file")
            .at(migration.origin(at..at + "-- no-transaction".len()))
            .because("Only a file that begins with these bytes is run outside a transaction; here they are a comment like any other")
            .fix("Make it the first line, with nothing before it.")
    })
}

/// A file outside a transaction has one statement, and one that can be run again.
fn alone(migration: &Migration, found: &[Statement]) -> Option<Diagnostic> {
    if let Some(second) = found.get(1) {
        return Some(
            Diagnostic::error("E0863", format!("A file that is run without a transaction has {} statements", found.len()))
                .at(migration.origin(first_line(&migration.sql, second)))
                .because("PostgreSQL runs statements that are sent together in a transaction after all, and after a crash nobody could say which of them were done")
                .fix("Give each of them a migration of its own."),
        );
    }
    let only = found.first().filter(|statement| !is_repeatable(statement))?;
    Some(
        Diagnostic::warning("W0864", "This statement cannot simply be run again after a crash")
            .at(migration.origin(first_line(&migration.sql, only)))
            .because(
                "Outside a transaction, a crash can fall between the statement and the note that it was done",
            )
            .fix("Write it with IF NOT EXISTS or IF EXISTS where there is such a form."),
    )
}

/// The bytes of the statement on its first line.
fn first_line(text: &str, statement: &Statement) -> Range<usize> {
    let written = &text[statement.span.clone()];
    let length = written.find('\n').unwrap_or(written.len());
    statement.span.start..statement.span.start + written[..length].trim_end().len()
}

/// The place of `span` in `text`.
pub(crate) fn origin(file: &str, text: &str, span: Range<usize>) -> Origin {
    let before = &text[..span.start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let length = text[span].lines().next().unwrap_or_default().chars().count().max(1);
    Origin { file: file.to_owned(), line, column, length }
}
