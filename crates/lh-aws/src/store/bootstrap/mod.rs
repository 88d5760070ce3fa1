//! Makes the state bucket and the lock table, and mends them. Run again, it changes nothing.
//!
//! Every setting is read first and written only where it differs, so a run that was cut off at
//! any call is completed by the next. What is stricter than asked for is left as it is.

mod bucket;
mod lifecycle;
mod policy;
mod table;

use std::fmt::Display;

use lh_state::StoreError;

use super::{StatePlace, StoreClients, failed};
use crate::error::Named;

/// What became of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there, and was made.
    Created,
    /// It was otherwise, and was changed.
    Mended,
    /// It was right; nothing was called that changes anything.
    Right,
}

/// One thing that bootstrap looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What it belongs to: `bucket lighthouse-state`.
    pub subject: String,
    /// What it is: `versioning`.
    pub what: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// How it is now.
    pub detail: String,
}

/// What was done to `subject`, in order.
struct Report {
    subject: String,
    done: Vec<Done>,
}

impl Report {
    fn new(subject: impl Display) -> Self {
        Self { subject: subject.to_string(), done: Vec::new() }
    }

    fn note(&mut self, what: &'static str, outcome: Outcome, detail: impl Into<String>) {
        self.done.push(Done { subject: self.subject.clone(), what, outcome, detail: detail.into() });
    }
}

/// Makes and mends what state at `place` needs; the answer tells every thing that was looked at.
///
/// # Errors
/// [`StoreError::Remote`] when AWS refuses, when the bucket is another account's or in another
/// region, or when the table has another key. What was done until then stays and is right.
pub async fn bootstrap(clients: &StoreClients, place: &StatePlace) -> Result<Vec<Done>, StoreError> {
    let caller = clients.sts.get_caller_identity().send().await.named("sts:GetCallerIdentity");
    let caller = caller.map_err(|error| failed("the AWS account".to_owned(), &error))?;
    let account = caller.account.unwrap_or_default();
    let mut done = bucket::make(clients, place, &account).await?;
    done.extend(table::make(clients, place).await?);
    Ok(done)
}
