//! A broken rule: where, what, and the way to mend it.

use std::fmt;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The file, relative to the workspace, with a line where there is one.
    pub place: String,
    /// What is wrong, one sentence.
    pub what: String,
    /// How to mend it, one sentence.
    pub mend: String,
}

impl Violation {
    pub fn new(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  mend: {}", self.place, self.what, self.mend)
    }
}
