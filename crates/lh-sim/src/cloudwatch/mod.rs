//! CloudWatch: alarms and dashboards.

use crate::operation::Operation;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![]
}
