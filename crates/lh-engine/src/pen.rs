//! Writing the journal of one run: durable first, then taken into the state at hand.

use lh_state::{Entry, Event, Fold, Journal, StoreError};

/// Writes journal entries of one run, numbered.
pub(crate) struct Pen<'a> {
    journal: &'a dyn Journal,
    run: String,
    after: u64,
    number: u64,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(journal: &'a dyn Journal, run: String, after: u64) -> Self {
        Self { journal, run, after, number: 0 }
    }

    /// Makes the events durable, then takes them into `fold`.
    pub(crate) async fn write(&mut self, fold: &mut Fold, events: Vec<Event>) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            entries.push(Entry { after: self.after, run: self.run.clone(), number: self.number, event });
            self.number += 1;
        }
        self.journal.append(&entries).await?;
        entries.iter().for_each(|entry| fold.apply(&entry.event));
        Ok(())
    }
}
