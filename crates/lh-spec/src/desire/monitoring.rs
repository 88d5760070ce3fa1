//! Placeholder.

use lh_model::Resource;

use crate::stack::Stack;

/// The resources of the section `monitoring`.
pub(super) fn resources(_stack: &Stack) -> Vec<Resource> {
    Vec::new()
}
