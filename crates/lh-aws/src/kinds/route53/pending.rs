//! Changes of records that were accepted and are not yet on all name servers: what GetChange has
//! to be asked for. Kept in memory only; a record is there, and found, without it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aws_sdk_route53::types::ChangeStatus;
use lh_kind::{CloudError, ErrorKind};

use crate::error::Named;

/// The operation, for [`lh_kind::Calls`].
pub(crate) const GET_CHANGE: &str = "route53:GetChange";

/// Ids of changes, by the id of the record.
#[derive(Default)]
pub(crate) struct Pending(Mutex<BTreeMap<String, String>>);

impl Pending {
    /// The change `change` of `record` was accepted.
    pub(crate) fn note(&self, record: &str, change: &str) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.insert(record.to_owned(), change.to_owned());
    }

    fn of(&self, record: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(record).cloned()
    }

    fn forget(&self, record: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(record);
    }
}

/// Whether all name servers have what this process changed last of `record`; true for what it did
/// not change.
///
/// # Errors
/// When Route 53 cannot be asked.
pub(crate) async fn is_in_sync(
    pending: &Pending,
    route53: &aws_sdk_route53::Client,
    record: &str,
) -> Result<bool, CloudError> {
    let Some(change) = pending.of(record) else { return Ok(true) };
    let in_sync = match route53.get_change().id(change).send().await.named(GET_CHANGE) {
        Ok(answer) => answer.change_info().is_none_or(|info| info.status == ChangeStatus::Insync),
        // Route 53 forgets changes after a while, long after they were in sync.
        Err(error) if error.kind == ErrorKind::NotFound => true,
        Err(error) => return Err(error),
    };
    if in_sync {
        pending.forget(record);
    }
    Ok(in_sync)
}
