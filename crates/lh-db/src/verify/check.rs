//! One check: what it found, as evidence or a problem.

use lh_model::Origin;
use serde::Serialize;

use crate::DbError;

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed {
        /// Why, a sentence without a full stop.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// It was not checked.
    Skipped {
        /// Why not.
        reason: String,
    },
}

/// One thing that was checked, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, as `--skip` takes it.
    pub name: String,
    /// The chapter it belongs to.
    pub chapter: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was seen, in the words of the server where there are any.
    pub evidence: Vec<String>,
    /// The place in the stack file that asks for it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Check {
    /// A check that was skipped.
    pub fn skipped(name: &str, chapter: &str, reason: impl Into<String>) -> Self {
        Self::of(name, chapter, Err(Problem::Skipped(reason.into())))
    }

    /// A check that ended with `verdict`.
    pub fn of(name: &str, chapter: &str, verdict: Verdict) -> Self {
        let (outcome, evidence) = match verdict {
            Ok(evidence) => (Outcome::Passed, evidence),
            Err(Problem::Failed(reason, fix, evidence)) => (Outcome::Failed { reason, fix }, evidence),
            Err(Problem::Skipped(reason)) => (Outcome::Skipped { reason }, Vec::new()),
        };
        Self { name: name.to_owned(), chapter: chapter.to_owned(), outcome, evidence, origin: None }
    }

    /// The same, asked for at this place.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }
}

/// What a check found: evidence, or a problem.
pub type Verdict = Result<Vec<String>, Problem>;

/// Why a check ended without holding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It does not hold: reason, fix, evidence.
    Failed(String, String, Vec<String>),
    /// It cannot be asked here.
    Skipped(String),
}

impl Problem {
    /// It does not hold, without evidence: reason, fix.
    pub fn failed(reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Failed(reason.into(), fix.into(), Vec::new())
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let fix = "Mend what the server says, then verify again.";
        Self::failed(format!("The server did not answer the question: {}", crate::error::words(&error)), fix)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        let fix =
            error.advice().unwrap_or_else(|| "Mend what the server says, then verify again.".to_owned());
        Self::failed(error.to_string(), fix)
    }
}
