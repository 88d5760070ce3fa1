//! Simple Notification Service: topics and subscriptions.

use crate::operation::Operation;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![]
}
