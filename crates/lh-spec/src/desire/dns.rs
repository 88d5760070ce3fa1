//! Placeholder.

use lh_model::Resource;

use crate::stack::Stack;

/// The resources of the section `dns`.
pub(super) fn resources(_stack: &Stack) -> Vec<Resource> {
    Vec::new()
}
