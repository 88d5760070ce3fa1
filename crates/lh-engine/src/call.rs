//! One step's call to AWS: repeated while AWS says "not yet", and, when no answer came, only
//! after a look has shown that it had no effect.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, Shared};
use lh_kind::{Change, CloudError, ErrorKind, FieldDiff, Found, Mutate, Op, Owner, Seen, Target};
use lh_model::{Address, CallMade, CloudId, Map};
use lh_plan::{Act, Step, StepId, moved};
use lh_state::{LeaseGuard, StoreError};

use crate::{Event, Events, Pace, Stop};

/// How long "not yet" is believed: longer than an instance takes to let go of its group.
const NOT_YET_LIMIT: Duration = Duration::from_secs(300);

/// How long a call that AWS throttles, beyond the SDK's own patience, is repeated.
const THROTTLED_LIMIT: Duration = Duration::from_secs(60);
/// How often a call is made again after no answer came and no effect was seen.
const UNANSWERED_LIMIT: u32 = 3;
/// Pauses between looks for the effect of a call without an answer, in milliseconds: AWS shows
/// new things late.
const LOOKS: [u64; 6] = [250, 500, 1_000, 2_000, 4_000, 8_000];

/// What a call ends with, and the calls to AWS that it took; an error of the store when the
/// lease was lost meanwhile.
pub(crate) type Answer = Result<(StepId, Result<Option<CloudId>, CloudError>, Vec<CallMade>), StoreError>;

/// One look at all that a wave changes or deletes, shared by its calls.
pub(crate) type WaveLook<'a> = Shared<BoxFuture<'a, Arc<BTreeMap<Address, Seen>>>>;

/// Pauses before something that seems to have moved is believed to have, in milliseconds.
const DOUBTS: [u64; 3] = [500, 1_000, 2_000];

/// What a call needs; owned, so that many run at once.
pub(crate) struct Call<'a> {
    pub cloud: &'a dyn Mutate,
    pub pace: &'a dyn Pace,
    pub events: &'a dyn Events,
    pub guard: &'a dyn LeaseGuard,
    pub stop: &'a Stop,
    pub step: &'a Step,
    pub op: Op,
    /// All references resolved.
    pub props: Map,
    pub changes: Vec<FieldDiff>,
    /// The resource as it can be found: as state records it.
    pub target: Target,
    /// For a change or a deletion: what AWS shows just before it.
    pub look: Option<WaveLook<'a>>,
}

impl<'a> Call<'a> {
    /// Makes the call. For a creation the answer is the new id.
    pub async fn run(mut self) -> Answer {
        if let Some(look) = self.look.take()
            && let Err(error) = self.is_as_planned(look).await?
        {
            return Ok(self.answer(Err(error)));
        }
        let (mut waited, mut pause, mut told) = (Duration::ZERO, Duration::from_millis(500), false);
        let mut unanswered = 0;
        loop {
            let error = match self.once().await {
                Err(error) if !self.stop.is_asked() => error,
                result => return Ok(self.answer(result)),
            };
            match error.kind {
                ErrorKind::NotYet if waited < NOT_YET_LIMIT => {}
                ErrorKind::Throttled if waited < THROTTLED_LIMIT => {}
                ErrorKind::Unreachable if unanswered < UNANSWERED_LIMIT => {
                    unanswered += 1;
                    if let Some(result) = self.effect(&error).await {
                        return Ok(self.answer(result));
                    }
                }
                // It exists: made by the call whose answer was lost, but perhaps not visible yet.
                ErrorKind::Exists | ErrorKind::TokenMismatch => {
                    let result = self.effect(&error).await.unwrap_or(Err(error));
                    return Ok(self.answer(result));
                }
                _ => return Ok(self.answer(Err(error))),
            }
            if !told {
                let step = self.step.id.clone();
                self.events.tell(Event::Retrying { step, why: error.message.clone() });
                told = true;
            }
            self.pace.pause(pause).await;
            waited += pause;
            pause = (pause * 2).min(Duration::from_secs(5));
            // Each repetition is a change of its own, and the lease may be lost by now.
            self.guard.renew().await?;
        }
    }

    /// Whether what is changed is still what the plan saw. AWS may answer with older values for
    /// a while, so what seems to have moved is looked at again before the step is given up.
    async fn is_as_planned(&self, look: WaveLook<'a>) -> Result<Result<(), CloudError>, StoreError> {
        let address = &self.step.id.address;
        let Some(rules) = self.cloud.book().rules(address.kind()) else { return Ok(Ok(())) };
        let mut seen = look.await.get(address).cloned();
        let mut pauses = DOUBTS.iter();
        loop {
            let doubt = match seen {
                Some(Seen::Unreadable(error)) => error,
                seen => match seen.and_then(|seen| moved(self.step, &seen, rules)) {
                    Some(why) => {
                        let why = format!("{why}; nothing was done to it");
                        CloudError::new(ErrorKind::Stale, &self.step.id.to_string(), why)
                    }
                    None => return Ok(Ok(())),
                },
            };
            let passes = doubt.kind == ErrorKind::Stale || doubt.is_uncertain();
            let Some(pause) = pauses.next().filter(|_| passes && !self.stop.is_asked()) else {
                return Ok(Err(doubt));
            };
            self.pace.pause(Duration::from_millis(*pause)).await;
            seen = self.cloud.observe(address.kind(), std::slice::from_ref(&self.target)).await.pop();
            // Time has passed: the lease may be lost by now.
            self.guard.renew().await?;
        }
    }

    fn answer(
        &self,
        result: Result<Option<CloudId>, CloudError>,
    ) -> (StepId, Result<Option<CloudId>, CloudError>, Vec<CallMade>) {
        (self.step.id.clone(), result, self.op.calls.take())
    }

    /// What became of a call without an answer: its result where AWS shows one, or the failure
    /// where AWS cannot be asked. `None`: no effect is to be seen, so it may be made again.
    async fn effect(&self, error: &CloudError) -> Option<Result<Option<CloudId>, CloudError>> {
        for pause in LOOKS {
            self.pace.pause(Duration::from_millis(pause)).await;
            let seen = self.cloud.observe(self.step.id.address.kind(), &[self.target()]).await;
            match (self.step.id.act, seen.into_iter().next()) {
                (_, None | Some(Seen::Unreadable(_))) => return Some(Err(error.clone())),
                (Act::Create, Some(Seen::Found(found))) if self.is_made(&found) => {
                    return Some(Ok(Some(found.id)));
                }
                (Act::Update, Some(Seen::Found(found))) if self.is_changed(&found) => return Some(Ok(None)),
                (Act::Delete, Some(Seen::Absent)) => return Some(Ok(None)),
                _ => {}
            }
        }
        None
    }

    fn target(&self) -> Target {
        Target {
            address: self.step.id.address.clone(),
            stack: self.op.stack.clone(),
            id: self.step.cloud_id.clone(),
            identity: self.op.identity.clone(),
            props: self.props.clone(),
            used: false,
        }
    }

    fn is_made(&self, found: &Found) -> bool {
        match &found.owner {
            Owner::Stack(identity) => *identity == self.op.identity,
            Owner::Parent => true,
            Owner::Other => false,
        }
    }

    fn is_changed(&self, found: &Found) -> bool {
        let Some(rules) = self.cloud.book().rules(self.step.id.address.kind()) else { return false };
        let mut have = self.props.clone();
        have.extend(found.facts.clone());
        // A tag that is to go is not among the wanted properties; it was among the planned changes.
        let goes = |diff: &&FieldDiff| diff.new.is_null();
        let kept = |diff: &FieldDiff| {
            let key = diff.field.strip_prefix("tags.");
            key.is_some_and(|key| found.facts.get("tags").is_some_and(|tags| tags.get(key).is_some()))
        };
        matches!(rules.diff(&self.props, &have, None), Change::Same(_))
            && !self.changes.iter().filter(goes).any(kept)
    }

    async fn once(&self) -> Result<Option<CloudId>, CloudError> {
        let kind = self.step.id.address.kind();
        let id = || {
            self.step.cloud_id.clone().ok_or_else(|| CloudError::unresolved(&self.step.id.to_string(), "id"))
        };
        match self.step.id.act {
            Act::Create => self.cloud.create(kind, &self.op, &self.props).await.map(Some),
            Act::Update => {
                self.cloud.update(kind, &self.op, &id()?, &self.props, &self.changes).await.map(|()| None)
            }
            Act::Delete => match self.cloud.delete(kind, &self.op, &id()?, &self.step.facts).await {
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                result => result.map(|()| None),
            },
            _ => Ok(None),
        }
    }
}
