//! The journal: what a run is about to do and what became of it, written before and after
//! each change, so that a run that died can be settled by the next.

use std::collections::BTreeMap;

use lh_model::{Address, CallMade, CloudId, Identity, Map};
use serde::{Deserialize, Serialize};

use crate::{Pin, Record, State};

/// What an intent is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Make a new resource.
    Create,
    /// Change one in place.
    Update,
    /// Delete one.
    Delete,
}

/// One change that is about to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Which resource.
    pub address: Address,
    /// What is done to it.
    pub verb: Verb,
    /// The identity it is created under, or was.
    pub identity: Identity,
    /// Its generation.
    pub generation: u32,
    /// The properties to be, digests for long texts; empty for a deletion.
    pub props: Map,
    /// What it needs.
    pub needs: std::collections::BTreeSet<Address>,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    Began {
        /// Who: user and host.
        who: String,
        /// When, RFC 3339.
        at: String,
        /// The command: `apply`, `state rm`.
        #[serde(default)]
        operation: String,
        /// The plan's digest, or what the command was asked for where it has no plan.
        plan: String,
        /// The lineage of a state that had no snapshot yet.
        lineage: String,
    },
    /// The account became known, and lookups were answered.
    Pinned {
        /// 12 digits.
        account: Option<String>,
        /// Answers by lookup.
        pins: BTreeMap<String, Pin>,
    },
    /// A change is about to be made.
    Intended(Intent),
    /// A creation was answered; the resource may not be ready yet.
    Made {
        /// Which resource.
        address: Address,
        /// Its new id.
        id: CloudId,
    },
    /// The change is complete: this is the resource now.
    Done {
        /// Which resource.
        address: Address,
        /// What is recorded of it.
        record: Box<Record>,
    },
    /// The resource is gone, or given up.
    Gone {
        /// Which resource.
        address: Address,
    },
    /// The change surely had no effect.
    Void {
        /// Which resource.
        address: Address,
        /// Why.
        why: String,
    },
    /// A resource is recorded under another address from now on.
    Moved {
        /// Under which it was.
        from: Address,
        /// Under which it is.
        to: Address,
    },
    /// Another state takes this one's place: an earlier one, or one from elsewhere.
    Replaced {
        /// The state; the snapshot that follows has the serial after its own.
        state: Box<State>,
    },
    /// AWS answered the calls of a change.
    Called {
        /// Of which resource.
        address: Address,
        /// What was done to it.
        verb: Verb,
        /// The calls, in order.
        calls: Vec<CallMade>,
    },
    /// A run ended by itself.
    Ended {
        /// When, RFC 3339.
        at: String,
        /// `complete`, `failed` or `interrupted`.
        result: String,
    },
}

/// An event with its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The serial of the snapshot it follows; entries of an older snapshot are history.
    pub after: u64,
    /// The run, a UUID.
    pub run: String,
    /// Its number in the run, from 0.
    pub number: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// An intent whose outcome no entry tells.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    /// The intent.
    pub intent: Intent,
    /// The id, where the creation was answered before the run died.
    pub made: Option<CloudId>,
}

/// A state that follows its journal, event by event.
#[derive(Clone, Debug)]
pub struct Fold {
    /// The state so far.
    pub state: State,
    base: u64,
    open: BTreeMap<Address, OpenIntent>,
}

impl Fold {
    /// Begins with a snapshot's state.
    pub fn new(state: State) -> Self {
        Self { base: state.serial, state, open: BTreeMap::new() }
    }

    /// The serial of the snapshot it began with: entries that follow it belong to that.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The intents whose outcome is not known, by address.
    pub fn open(&self) -> impl Iterator<Item = &OpenIntent> {
        self.open.values()
    }

    /// Takes one event in.
    pub fn apply(&mut self, event: &Event) {
        let state = &mut self.state;
        match event {
            Event::Began { lineage, .. } if state.is_blank() => state.lineage.clone_from(lineage),
            Event::Began { .. } | Event::Called { .. } | Event::Ended { .. } => {}
            Event::Moved { from, to } => state.rename(from, to),
            Event::Replaced { state: other } => {
                *state = (**other).clone();
                self.open.clear();
            }
            Event::Pinned { account, pins } => {
                state.account = account.clone().or(state.account.take());
                state.pins.extend(pins.clone());
            }
            Event::Intended(intent) => {
                let open = OpenIntent { intent: intent.clone(), made: None };
                self.open.insert(intent.address.clone(), open);
            }
            Event::Made { address, id } => {
                if let Some(open) = self.open.get_mut(address) {
                    open.made = Some(id.clone());
                }
            }
            Event::Done { address, record } => {
                self.open.remove(address);
                state.resources.insert(address.clone(), (**record).clone());
            }
            Event::Gone { address } => {
                let open = self.open.remove(address);
                if let Some(OpenIntent { intent, .. }) = open.filter(|open| open.intent.verb == Verb::Delete)
                {
                    // What was never recorded used its generation up all the same.
                    let next = state.generations.entry(address.clone()).or_default();
                    *next = (*next).max(intent.generation + 1);
                }
                state.forget(address);
            }
            Event::Void { address, .. } => {
                self.open.remove(address);
            }
        }
    }
}

/// The state that `state` and the journal after it add up to, and the intents left open.
/// Every prefix of a journal folds.
pub fn fold(state: State, entries: &[Entry]) -> Fold {
    let serial = state.serial;
    let mut fold = Fold::new(state);
    for entry in entries.iter().filter(|entry| entry.after == serial) {
        fold.apply(&entry.event);
    }
    fold
}

#[cfg(test)]
mod tests {
    use lh_model::StackId;

    use super::*;

    fn volume() -> Address {
        Address::new("volume", "data")
    }

    fn entry(number: u64, event: Event) -> Entry {
        Entry { after: 0, run: "r".into(), number, event }
    }

    fn story() -> Vec<Entry> {
        let identity = Identity::derive("l", &volume(), 0);
        let record = Record {
            id: CloudId("vol-1".into()),
            identity: identity.clone(),
            generation: 0,
            managed: true,
            inputs: Map::new(),
            observed: Map::new(),
            needs: Default::default(),
            retained: false,
        };
        let (props, needs) = (Map::new(), Default::default());
        let intent = Intent { address: volume(), verb: Verb::Create, identity, generation: 0, props, needs };
        vec![
            entry(0, Event::Intended(intent)),
            entry(1, Event::Made { address: volume(), id: CloudId("vol-1".into()) }),
            entry(2, Event::Done { address: volume(), record: Box::new(record) }),
            entry(3, Event::Gone { address: volume() }),
        ]
    }

    fn blank() -> State {
        State::new("l".into(), StackId("s".into()), "us-east-1".into())
    }

    #[test]
    fn an_intent_is_open_until_its_outcome_is_written() {
        let story = story();
        let open_after = |n: usize| fold(blank(), &story[..n]).open().cloned().collect::<Vec<_>>();
        assert_eq!(open_after(1).first().map(|o| o.made.clone()), Some(None));
        assert_eq!(open_after(2).first().and_then(|o| o.made.clone()), Some(CloudId("vol-1".into())));
        assert!(open_after(3).is_empty());
    }

    #[test]
    fn a_deleted_address_starts_its_next_generation() {
        let state = fold(blank(), &story()).state;
        assert!(state.resources.is_empty());
        assert_eq!(state.next_generation(&volume()), 1);
    }

    #[test]
    fn entries_of_an_older_snapshot_do_not_count() {
        let mut newer = blank();
        newer.serial = 1;
        let fold = fold(newer.clone(), &story());
        assert_eq!(fold.open().count(), 0);
        assert_eq!(fold.state, newer);
    }
}
