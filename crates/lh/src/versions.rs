//! The versions of a stack's state and the history of its runs: reading them.

use lh_engine::Session;
use lh_model::{Address, CloudId};
use lh_state::{Held, Past, Run, State, decode};

use crate::{Deployment, EngineError, Error, holds_data};

/// A version of the state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StateVersion {
    /// Its name in the store: a version id in S3, a file's name beside a local file.
    pub version: String,
    /// When it was written, RFC 3339, where the store knows.
    pub at: Option<String>,
    /// Its serial; none where it cannot be read.
    pub serial: Option<u64>,
    /// How many resources it records.
    pub resources: usize,
    /// Whether it is the one in force.
    pub current: bool,
    /// Why it cannot be used, if so.
    pub problem: Option<String>,
}

/// The text of the current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The text, as it is stored.
    pub text: String,
    /// How many entries of the journal follow it: then it is not the whole truth.
    pub behind: usize,
}

/// A resource that two states know differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// Which.
    pub address: Address,
    /// Its id now; none where it is not recorded.
    pub before: Option<CloudId>,
    /// Its id then.
    pub after: Option<CloudId>,
    /// Whether it holds data.
    pub holds_data: bool,
}

/// What `after` records otherwise than `before`, by address.
pub(crate) fn differing(before: &State, after: &State) -> Vec<Differing> {
    let mut addresses: Vec<&Address> = before.resources.keys().chain(after.resources.keys()).collect();
    addresses.sort();
    addresses.dedup();
    let id = |state: &State, address: &Address| state.resources.get(address).map(|record| record.id.clone());
    let both = addresses.into_iter().map(|address| (address, id(before, address), id(after, address)));
    let changed = both.filter(|(_, before, after)| before != after);
    changed
        .map(|(address, before, after)| Differing {
            address: address.clone(),
            before,
            after,
            holds_data: holds_data(address.kind()),
        })
        .collect()
}

fn rfc3339(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}

/// How many seconds ago `then`, RFC 3339, was by this host's clock; nothing for what is no time
/// or lies ahead.
pub fn seconds_since(then: &str) -> Option<u64> {
    let then: jiff::Timestamp = then.parse().ok()?;
    u64::try_from(jiff::Timestamp::now().as_second() - then.as_second()).ok()
}

impl Deployment {
    /// The versions of the state that its store still has, the newest first, at most `most`.
    ///
    /// # Errors
    /// When the store cannot be read; a version that cannot be used is told as such.
    pub async fn state_versions(&self, most: usize) -> Result<Vec<StateVersion>, Error> {
        let ports = self.ports().await?;
        let mut versions = Vec::new();
        for Past { name, at, current } in ports.snapshots.past(most).await.map_err(EngineError::from)? {
            let text = ports.snapshots.recall(&name).await.map_err(EngineError::from)?;
            let state = text.map(|text| decode(&text));
            let (serial, resources, problem) = match state {
                Some(Ok(state)) => (Some(state.serial), state.resources.len(), None),
                Some(Err(problem)) => (None, 0, Some(problem.to_string())),
                None => (None, 0, Some("the store has it no more".to_owned())),
            };
            let at = at.and_then(rfc3339);
            versions.push(StateVersion { version: name, at, serial, resources, current, problem });
        }
        Ok(versions)
    }

    /// The text of the state as it is stored; nothing where there is none yet.
    ///
    /// # Errors
    /// When the store cannot be read, or the state cannot be used.
    pub async fn state_text(&self) -> Result<Option<Pulled>, Error> {
        let ports = self.ports().await?;
        let session = Session::read(ports.clone(), &self.stack.desired).await?;
        let (text, _) = ports.snapshots.load().await.map_err(EngineError::from)?;
        Ok(text.map(|text| Pulled { text, behind: session.behind() }))
    }

    /// Who holds the lock, without taking it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn lock_holder(&self) -> Result<Option<Held>, Error> {
        let held = self.ports().await?.lease.held().await;
        held.map_err(|error| self.held_by(error.into()))
    }

    /// Takes the lock from `held` and leaves it free. Its owner, should it live, finds itself
    /// fenced before its next change.
    ///
    /// # Errors
    /// [`Error::Locked`] when the owner surely lives, or another run has the lock by now.
    pub async fn unlock(&self, held: &Held) -> Result<(), Error> {
        let broken = self.ports().await?.lease.break_up(held).await;
        broken.map_err(|error| self.held_by(error.into()))
    }

    /// The runs of this stack, the newest first, at most `most`. One that is under way, or that
    /// died and was not settled yet, counts as interrupted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(&self, most: usize) -> Result<Vec<Run>, Error> {
        let ports = self.ports().await?;
        let mut runs = ports.history.runs(most).await.map_err(EngineError::from)?;
        // What an unusable state hides, the history still has.
        let unsaved = match Session::read(ports, &self.stack.desired).await {
            Ok(session) => session.unsaved_runs(),
            Err(EngineError::Store(lh_state::StoreError::Unusable { .. })) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for run in unsaved {
            match runs.iter_mut().find(|kept| kept.run == run.run) {
                Some(kept) => *kept = run,
                None => runs.push(run),
            }
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.name()));
        runs.truncate(most);
        Ok(runs)
    }
}
