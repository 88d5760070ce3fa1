//! What a stack file may say, and this version validates, but cannot plan yet.

use lh_model::{Diagnostic, Origin};

use crate::{codes, stack::Stack};

/// A finding for each such thing in `stack`, in the order of the file.
pub(super) fn find(stack: &Stack) -> Vec<Diagnostic> {
    let sections = [(stack.monitoring.as_ref().map(|monitoring| &monitoring.origin), "`monitoring`")];
    let mut found: Vec<Diagnostic> = sections
        .into_iter()
        .filter_map(|(origin, what)| origin.map(|origin| unplanned(what, "Remove it", origin)))
        .collect();
    found.sort_by(|a, b| a.origin.cmp(&b.origin));
    found
}

fn unplanned(what: &str, instead: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(codes::NOT_PLANNED, format!("{what} cannot be planned by this version"))
        .at(origin.clone())
        .because("It is valid, and checked, but this version of lhctl cannot create it yet")
        .fix(format!("{instead}, or use a newer version of lhctl."))
}
