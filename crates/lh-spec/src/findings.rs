//! The findings of one reading, shared by all that read: a place to push to, nothing else.

use std::cell::RefCell;

use lh_model::{Diagnostic, Diagnostics};

/// Collects findings from readers that hold it side by side.
#[derive(Default)]
pub(crate) struct Findings(RefCell<Diagnostics>);

impl Findings {
    pub(crate) fn push(&self, finding: Diagnostic) {
        self.0.borrow_mut().push(finding);
    }

    pub(crate) fn extend(&self, findings: Vec<Diagnostic>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.0.borrow().has_errors()
    }

    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        self.0.into_inner().into_sorted()
    }
}
