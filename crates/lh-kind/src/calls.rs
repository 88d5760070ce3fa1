//! The calls behind one operation, as its client notes them while they are made.

use std::sync::{Arc, Mutex, PoisonError};

use lh_model::CallMade;

/// Where the calls of one operation are noted. Clones note in the same place.
#[derive(Clone, Debug, Default)]
pub struct CallLog(Arc<Mutex<Vec<CallMade>>>);

impl CallLog {
    /// Notes one more.
    pub fn note(&self, call: CallMade) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// The calls noted since the last time, in order.
    pub fn take(&self) -> Vec<CallMade> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
