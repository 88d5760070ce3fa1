//! One step's call to AWS, repeated while AWS says "not yet".

use std::time::Duration;

use lh_kind::{CloudError, ErrorKind, FieldDiff, Mutate, Op};
use lh_model::{CloudId, Map, StackId};
use lh_plan::{Act, Step, StepId};
use lh_state::{LeaseGuard, StoreError};

use crate::{Event, Events, Pace, Stop};

/// How long "not yet" is believed: longer than an instance takes to let go of its group.
const NOT_YET_LIMIT: Duration = Duration::from_secs(300);

/// What a call ends with; an error of the store when the lease was lost meanwhile.
pub(crate) type Answer = Result<(StepId, Result<Option<CloudId>, CloudError>), StoreError>;

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
}

impl<'a> Call<'a> {
    /// The operation of `step`.
    pub fn op(stack: &StackId, step: &Step) -> Op {
        Op::new(stack, &step.id.address, &step.identity)
    }

    /// Makes the call. For a creation the answer is the new id.
    pub async fn run(self) -> Answer {
        let (mut waited, mut pause, mut told) = (Duration::ZERO, Duration::from_millis(500), false);
        loop {
            match self.once().await {
                Err(error) if self.is_worth_repeating(&error) && waited < NOT_YET_LIMIT => {
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
                result => return Ok((self.step.id.clone(), result)),
            }
        }
    }

    /// Stopping need not wait for what is known to have had no effect.
    fn is_worth_repeating(&self, error: &CloudError) -> bool {
        error.kind == ErrorKind::NotYet && !self.stop.is_asked()
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
