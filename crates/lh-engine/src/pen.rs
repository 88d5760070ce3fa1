//! Writing the journal of one run. What is noted is taken into the state at hand at once and
//! becomes durable with the next write; nothing may be done on the strength of it before that.

use lh_state::{Entry, Event, Fold, Holder, Journal, StoreError};

use crate::Ports;

/// Numbers the journal entries of one run.
pub(crate) struct Pen<'a> {
    journal: &'a dyn Journal,
    run: String,
    after: u64,
    number: u64,
    /// What goes with the next write.
    waiting: Vec<Entry>,
    /// What was written, in order.
    written: Vec<Entry>,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(journal: &'a dyn Journal, run: String, after: u64) -> Self {
        Self { journal, run, after, number: 0, waiting: Vec::new(), written: Vec::new() }
    }

    /// Takes `event` into `fold`, and lets it go with the next write.
    pub(crate) fn note(&mut self, fold: &mut Fold, event: Event) {
        fold.apply(&event);
        self.waiting.push(Entry { after: self.after, run: self.run.clone(), number: self.number, event });
        self.number += 1;
    }

    /// Whether something waits to be written.
    pub(crate) fn is_wet(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether anything was written.
    pub(crate) fn has_written(&self) -> bool {
        !self.written.is_empty()
    }

    /// What waits, to be written now.
    pub(crate) fn take(&mut self) -> (&'a dyn Journal, Vec<Entry>) {
        (self.journal, std::mem::take(&mut self.waiting))
    }

    /// These are durable.
    pub(crate) fn keep(&mut self, entries: Vec<Entry>) {
        self.written.extend(entries);
    }

    /// Makes durable what waits.
    pub(crate) async fn write(&mut self) -> Result<(), StoreError> {
        let (journal, entries) = self.take();
        if !entries.is_empty() {
            journal.append(&entries).await?;
        }
        self.keep(entries);
        Ok(())
    }

    /// What was written.
    pub(crate) fn into_written(self) -> Vec<Entry> {
        self.written
    }
}

/// The event with which a run begins.
pub(crate) fn began(holder: &Holder, ports: &Ports, plan: String, lineage: &str) -> Event {
    Event::Began {
        who: holder.who.clone(),
        at: (ports.now)(),
        operation: holder.operation.clone(),
        plan,
        lineage: lineage.to_owned(),
    }
}
