//! Writing the journal of one run: durable first, then taken into the state at hand.

use lh_state::{Entry, Event, Fold, Journal, StoreError};

/// Writes journal entries of one run, numbered.
pub(crate) struct Pen<'a> {
    journal: &'a dyn Journal,
    run: String,
    after: u64,
    number: u64,
    /// What goes with the next write, ahead of it.
    waiting: Vec<Event>,
    /// What was written, in order.
    written: Vec<Entry>,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(journal: &'a dyn Journal, run: String, after: u64) -> Self {
        Self { journal, run, after, number: 0, waiting: Vec::new(), written: Vec::new() }
    }

    /// Lets `event` go with the next write: for what nobody settles from, such as the calls of a
    /// change, and what is not worth a write of its own.
    pub(crate) fn add(&mut self, event: Event) {
        self.waiting.push(event);
    }

    /// What was written.
    pub(crate) fn into_written(self) -> Vec<Entry> {
        self.written
    }

    /// Makes the events durable, then takes them into `fold`.
    pub(crate) async fn write(&mut self, fold: &mut Fold, events: Vec<Event>) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let events: Vec<Event> = self.waiting.drain(..).chain(events).collect();
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            entries.push(Entry { after: self.after, run: self.run.clone(), number: self.number, event });
            self.number += 1;
        }
        self.journal.append(&entries).await?;
        entries.iter().for_each(|entry| fold.apply(&entry.event));
        self.written.extend(entries);
        Ok(())
    }
}
