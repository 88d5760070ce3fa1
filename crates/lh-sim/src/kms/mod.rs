//! Key Management Service: looking at keys.

use crate::operation::Operation;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![]
}
