//! Secrets Manager: secrets, their versions and their deletion with a recovery window.

use crate::operation::Operation;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![]
}
