//! Changing a stack's state by hand, which touches nothing in AWS: forgetting, renaming, going
//! back to an earlier version, taking one from elsewhere.

use lh_engine::{EngineError, Ports, Session};
use lh_model::{Address, identity::sha256};
use lh_state::{Event, State, StoreError, decode};

use crate::{
    Deployment, Error,
    deployment::holder,
    versions::{Differing, differing},
};

/// How many versions a rollback looks through.
const LOOKED_THROUGH: usize = 200;

/// A change of the state that waits for its approval.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// The stack, `<name>-<environment>`.
    pub stack: String,
    /// The serial in force; none where the state in force cannot be used.
    pub from: Option<u64>,
    /// The serial that the change makes.
    pub to: u64,
    /// The version whose content is taken, for a rollback.
    pub version: Option<String>,
    /// What is recorded otherwise after it.
    pub differing: Vec<Differing>,
    /// What has to be known before it is approved, a sentence each.
    pub warnings: Vec<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amended {
    /// The state has this serial now.
    Done(u64),
    /// It was not approved; nothing was changed.
    NotApproved,
    /// The state is as asked for already; nothing was changed.
    Nothing,
}

fn refuse(reason: impl Into<String>, fix: impl Into<String>) -> Error {
    Error::Amend { reason: reason.into(), fix: fix.into() }
}

/// What is to be done, as the checks under the lock found it.
struct Change {
    what: String,
    events: Vec<Event>,
    after: State,
    version: Option<String>,
    warnings: Vec<String>,
}

type Approval<'a> = Box<dyn FnOnce(&Amendment) -> bool + 'a>;

impl Deployment {
    /// Makes the content of an earlier version the state again, under the next serial. `to` is
    /// the version's name or its serial; without it, the one before the current.
    ///
    /// # Errors
    /// [`Error::Amend`] when there is no such version, or it is of another lineage.
    pub async fn rollback(
        &self,
        to: Option<&str>,
        approve: impl FnOnce(&Amendment) -> bool,
    ) -> Result<Amended, Error> {
        let work = async |session: &Session, ports: &Ports, unusable: Option<&StoreError>| {
            let now = session.state();
            let (version, then) = wanted_version(ports, to, unusable.is_some()).await?;
            if then.stack != now.stack {
                return Err(refuse(
                    format!("version {version} is of the stack {}", then.stack),
                    "Choose another version; `lhctl state history` lists them.",
                ));
            }
            if unusable.is_none() && then.lineage != now.lineage {
                return Err(refuse(
                    format!(
                        "version {version} is of another lineage ({}, not {})",
                        then.lineage, now.lineage
                    ),
                    "Two lineages do not mix. To replace this state with that one all the same, write it to a file and use `lhctl state push --force`.",
                ));
            }
            let what = format!("version {version}, serial {}", then.serial);
            let after = then.in_place_of(now);
            Ok(Some(Change {
                what,
                events: replaced(&after),
                after,
                version: Some(version),
                warnings: Vec::new(),
            }))
        };
        self.amend("state rollback", true, work, Box::new(approve)).await
    }

    /// Makes `text`, the text of a state, the state in force. Without `force` it must be of the
    /// same lineage and newer.
    ///
    /// # Errors
    /// [`Error::Amend`] when it is not, or no state of this stack.
    pub async fn push(
        &self,
        text: &str,
        force: bool,
        approve: impl FnOnce(&Amendment) -> bool,
    ) -> Result<Amended, Error> {
        let pushed = decode(text).map_err(|problem| {
            refuse(
                format!("the text cannot be pushed: {problem}"),
                "Push a text that `lhctl state pull` printed.",
            )
        })?;
        let digest = sha256(text.as_bytes());
        let work = async |session: &Session, ports: &Ports, unusable: Option<&StoreError>| {
            let now = session.state();
            if pushed.stack != now.stack {
                return Err(refuse(
                    format!("it is the state of {}, not of {}", pushed.stack, now.stack),
                    "Push it with its own stack file.",
                ));
            }
            let (there, _) = match unusable {
                None => ports.snapshots.load().await.map_err(EngineError::from)?,
                Some(_) => (None, None),
            };
            if there.is_some() && pushed == *now {
                return Ok(None);
            }
            let mut warnings = Vec::new();
            if there.is_some() {
                warnings = objections(&pushed, now);
                if let (Some(first), false) = (warnings.first(), force) {
                    return Err(refuse(
                        first.clone(),
                        "To replace the state all the same, add --force; what it replaces stays among its versions.",
                    ));
                }
            } else if unusable.is_some() && !force {
                return Err(refuse(
                    "the state in force cannot be used, so it cannot be told whether this one is newer",
                    "To replace it all the same, add --force; what it replaces stays among its versions.",
                ));
            }
            let mut after = pushed.clone();
            // The snapshot that is written has the next serial: that of the text, where it is newer.
            after.serial = pushed.serial.saturating_sub(1).max(if there.is_some() || unusable.is_some() {
                now.serial
            } else {
                0
            });
            Ok(Some(Change {
                what: format!("sha256 {digest}"),
                events: replaced(&after),
                after,
                version: None,
                warnings,
            }))
        };
        self.amend("state push", true, work, Box::new(approve)).await
    }

    /// Forgets resources; in AWS they stay as they are.
    ///
    /// # Errors
    /// [`Error::Amend`] when one of them is not recorded.
    pub async fn forget(
        &self,
        addresses: &[Address],
        approve: impl FnOnce(&Amendment) -> bool,
    ) -> Result<Amended, Error> {
        let work = async |session: &Session, _: &Ports, _: Option<&StoreError>| {
            let now = session.state();
            let (mut after, mut events, mut warnings) = (now.clone(), Vec::new(), Vec::new());
            for address in addresses {
                let record = recorded(now, address)?;
                if crate::holds_data(address.kind()) && record.managed {
                    warnings.push(format!(
                        "{} holds data: it stays in AWS and is paid for, and lhctl no longer knows it.",
                        record.id
                    ));
                }
                if record.managed && self.is_wanted(address) {
                    warnings.push(format!("The stack file still asks for {address}, and {} carries its ownership tags: the next apply takes it over again. Remove it from the file first, or give it up with `lhctl release --keep`.", record.id));
                }
                let users: Vec<String> = now
                    .resources
                    .iter()
                    .filter(|(user, other)| other.needs.contains(address) && !addresses.contains(user))
                    .map(|(user, _)| user.to_string())
                    .collect();
                if !users.is_empty() {
                    warnings
                        .push(format!("{address} is needed by {}, which stays recorded.", users.join(", ")));
                }
                after.forget(address);
                events.push(Event::Gone { address: address.clone() });
            }
            let what = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            Ok(Some(Change { what, events, after, version: None, warnings }))
        };
        self.amend("state rm", false, work, Box::new(approve)).await
    }

    /// Records the resource at `from` under `to` from now on.
    ///
    /// # Errors
    /// [`Error::Amend`] when `from` is not recorded, `to` is, or they are of different kinds.
    pub async fn rename(
        &self,
        from: &Address,
        to: &Address,
        approve: impl FnOnce(&Amendment) -> bool,
    ) -> Result<Amended, Error> {
        let work = async |session: &Session, _: &Ports, _: Option<&StoreError>| {
            let now = session.state();
            if from == to {
                return Ok(None);
            }
            let record = recorded(now, from)?;
            if from.kind() != to.kind() {
                return Err(refuse(
                    format!("{from} is of the kind {}, and {to} is of the kind {}", from.kind(), to.kind()),
                    "An address keeps its kind: change the part after the dot only.",
                ));
            }
            if let Some(other) = now.resources.get(to) {
                return Err(refuse(
                    format!("{to} is recorded already, as {}", other.id),
                    format!("Move or forget that one first: `lhctl state rm STACK {to}`."),
                ));
            }
            let mut warnings = Vec::new();
            if record.managed {
                warnings.push(format!("The tag `lhctl:resource` of {} goes on saying {from}: lhctl finds it by its id. If the state were lost, `lhctl recover` would take it over as {from}.", record.id));
            }
            if self.is_wanted(from) {
                warnings.push(format!(
                    "The stack file still asks for {from}: the next plan makes a new one there."
                ));
            }
            let mut after = now.clone();
            after.rename(from, to);
            let events = vec![Event::Moved { from: from.clone(), to: to.clone() }];
            Ok(Some(Change { what: format!("{from} {to}"), events, after, version: None, warnings }))
        };
        self.amend("state mv", false, work, Box::new(approve)).await
    }

    fn is_wanted(&self, address: &Address) -> bool {
        self.stack.desired.resources.iter().any(|resource| resource.address == *address)
    }

    /// Under the lock: finds out what is to be done, asks, does it, and gives the lock back
    /// whatever comes of it.
    async fn amend(
        &self,
        operation: &str,
        replaces: bool,
        work: impl AsyncFnOnce(&Session, &Ports, Option<&StoreError>) -> Result<Option<Change>, Error>,
        approve: Approval<'_>,
    ) -> Result<Amended, Error> {
        let ports = self.ports().await?;
        let (desired, holder) = (&self.stack.desired, holder(operation));
        let locked = match replaces {
            true => Session::lock_to_replace(ports.clone(), desired, holder).await,
            false => Session::lock(ports.clone(), desired, holder).await.map(|session| (session, None)),
        };
        let (mut session, unusable) = locked.map_err(|error| self.held_by(error))?;
        let done = async {
            let open = session.open_intents();
            if open > 0 {
                return Err(EngineError::Unsettled(open).into());
            }
            let Some(change) = work(&session, &ports, unusable.as_ref()).await? else {
                return Ok(Amended::Nothing);
            };
            let now = session.state();
            let amendment = Amendment {
                stack: now.stack.to_string(),
                from: unusable.is_none().then_some(now.serial),
                to: change.after.serial + 1,
                version: change.version,
                differing: differing(now, &change.after),
                warnings: change.warnings,
            };
            if !approve(&amendment) {
                return Ok(Amended::NotApproved);
            }
            Ok(Amended::Done(session.amend(&change.what, change.events).await?))
        };
        let done = done.await;
        session.close().await?;
        done
    }
}

fn replaced(after: &State) -> Vec<Event> {
    vec![Event::Replaced { state: Box::new(after.clone()) }]
}

fn recorded<'s>(state: &'s State, address: &Address) -> Result<&'s lh_state::Record, Error> {
    state.resources.get(address).ok_or_else(|| {
        refuse(
            format!("the state of {} has no {address}", state.stack),
            "`lhctl state list STACK` shows every address.",
        )
    })
}

/// What speaks against putting `pushed` in the place of `now`.
fn objections(pushed: &State, now: &State) -> Vec<String> {
    let mut all = Vec::new();
    if pushed.lineage != now.lineage {
        all.push(format!("it is of another lineage ({}, not {}): it is the history of another stack, or of this one after its state was lost", pushed.lineage, now.lineage));
    } else if pushed.serial <= now.serial {
        all.push(format!(
            "it has serial {}, and the state in force has {}: it is not newer",
            pushed.serial, now.serial
        ));
    }
    all
}

/// The version that a rollback goes to, and its content.
async fn wanted_version(ports: &Ports, to: Option<&str>, unusable: bool) -> Result<(String, State), Error> {
    let list = "`lhctl state history STACK` lists the versions that can be used.";
    for past in ports.snapshots.past(LOOKED_THROUGH).await.map_err(EngineError::from)? {
        let named = to.is_some_and(|to| past.name == to);
        if past.current && !named && (to.is_none() || unusable) {
            continue;
        }
        let text = ports.snapshots.recall(&past.name).await.map_err(EngineError::from)?;
        let state = text.as_deref().map(decode);
        match (state, to) {
            (Some(Ok(state)), None) => return Ok((past.name, state)),
            (Some(Ok(state)), Some(to)) if named || to.parse() == Ok(state.serial) => {
                return Ok((past.name, state));
            }
            (Some(Err(problem)), Some(_)) if named => {
                return Err(refuse(format!("version {} cannot be used: {problem}", past.name), list));
            }
            _ => {}
        }
    }
    Err(match to {
        Some(to) => refuse(format!("the store has no version {to} of this state"), list),
        None => refuse("there is no earlier version of this state to go back to", list),
    })
}
