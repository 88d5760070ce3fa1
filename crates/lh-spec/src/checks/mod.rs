//! Rules about single values, as AWS, PostgreSQL and Docker document them. Each takes a text
//! and answers with a finding that has no place yet; the reader knows the place.

use lh_model::Diagnostic;

use crate::reader::Checked;

pub(crate) mod calendar;
pub(crate) mod cidr;
pub(crate) mod cron;
pub(crate) mod dns;
pub(crate) mod gp3;
pub(crate) mod image;
pub(crate) mod names;
pub(crate) mod region;
pub(crate) mod tags;

/// A finding: what is wrong, the rule, the way out.
pub(crate) fn flaw(
    code: &str,
    message: impl Into<String>,
    reason: impl Into<String>,
    fix: impl Into<String>,
) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, message).because(reason).fix(fix))
}

/// The answer of a rule that does not hold.
pub(crate) fn wrong<T>(
    code: &str,
    message: impl Into<String>,
    reason: impl Into<String>,
    fix: impl Into<String>,
) -> Checked<T> {
    Err(flaw(code, message, reason, fix))
}
