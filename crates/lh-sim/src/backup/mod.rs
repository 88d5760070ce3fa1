//! AWS Backup: vaults, plans, selections and recovery points.

use crate::operation::Operation;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![]
}
