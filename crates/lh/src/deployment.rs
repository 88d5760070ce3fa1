//! A stack in a cloud: what can be done with it.

use std::sync::Arc;

use lh_aws::store::{Done, Watch};
use lh_engine::{EngineError, Event, Events, Outcome, Ports, Session, Silent, Stop};
use lh_kind::{Mutate, RuleBook};
use lh_model::{Address, Plaintext};
use lh_plan::{
    Act, Mode, Note, Plan, Release, Scope,
    policy::{Kept, Scene},
};
use lh_spec::StateConfig;
use lh_state::{Holder, Record, State, StoreError};

use crate::{Cloud, Error, OutputValue, SavedPlan, Stack, VERSION, cloud, outputs};

/// A stack in a cloud.
pub struct Deployment {
    pub(crate) stack: Stack,
    pub(crate) cloud: Cloud,
    pub(crate) events: Arc<dyn Events>,
    pub(crate) stop: Stop,
}

/// What came of an apply or a destroy.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The plan that was carried out.
    pub plan: Plan,
    /// What became of each step.
    pub outcome: Outcome,
    /// Whether it was approved; without approval nothing was done.
    pub approved: bool,
    /// The state after it.
    pub state: State,
    /// The stack's outputs after it.
    pub outputs: Vec<OutputValue>,
    /// What its user should know or do now, though nothing went wrong.
    pub notices: Vec<Note>,
}

impl Deployment {
    /// The deployment of `stack` in `cloud`.
    pub fn new(stack: Stack, cloud: Cloud) -> Self {
        Self { stack, cloud, events: Arc::new(Silent), stop: Stop::default() }
    }

    /// The same, telling `events` what happens.
    #[must_use]
    pub fn telling(mut self, events: Arc<dyn Events>) -> Self {
        self.events = events;
        self
    }

    /// The wish to stop: ask it from a signal handler, and no new step begins.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// The stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What it would take to make the stack as `mode` says. Changes nothing, locks nothing.
    ///
    /// # Errors
    /// When state or AWS cannot be read; what must not be done is told in the plan.
    pub async fn plan(&self, mode: Mode) -> Result<Plan, Error> {
        self.plan_within(&mode.into()).await
    }

    /// [`Deployment::plan`] of a part of the stack, or to refresh the state.
    ///
    /// # Errors
    /// As [`Deployment::plan`].
    pub async fn plan_within(&self, scope: &Scope) -> Result<Plan, Error> {
        let session = Session::read(self.ports().await?, &self.stack.desired).await?;
        Ok(session.plan_within(&self.stack.desired, scope).await?)
    }

    /// The plan, in a form to keep.
    pub fn save(&self, plan: Plan) -> SavedPlan {
        SavedPlan::new(&self.stack, self.cloud.is_simulated(), plan)
    }

    /// The least-privilege IAM policy under which `plan` can be carried out, as JSON.
    ///
    /// # Errors
    /// When state cannot be read.
    pub async fn policy(&self, plan: &Plan) -> Result<serde_json::Value, Error> {
        let ports = self.ports().await?;
        let session = Session::read(ports.clone(), &self.stack.desired).await?;
        let kept = match &self.stack.state {
            StateConfig::Local { .. } => None,
            StateConfig::S3 { bucket, key, lock_table: table, region } => {
                Some(Kept { bucket, key, table, region: region.as_deref().unwrap_or(self.stack.region()) })
            }
        };
        Ok(lh_plan::policy::policy(&Scene {
            plan,
            desired: &self.stack.desired,
            state: session.state(),
            book: ports.cloud.book(),
            lookup_calls: &|name| ports.cloud.lookup_calls(name),
            kept,
        }))
    }

    /// Plans and, if `approve` says yes, carries the plan out.
    ///
    /// # Errors
    /// When the plan is refused, or state fails; what fails in AWS is told in the outcome.
    pub async fn apply(&self, approve: impl FnOnce(&Plan) -> bool) -> Result<Applied, Error> {
        self.apply_within(&Mode::Apply.into(), approve).await
    }

    /// [`Deployment::apply`] of a part of the stack, or a refresh of its state alone.
    ///
    /// # Errors
    /// As [`Deployment::apply`].
    pub async fn apply_within(
        &self,
        scope: &Scope,
        approve: impl FnOnce(&Plan) -> bool,
    ) -> Result<Applied, Error> {
        self.run("apply", scope, approve).await
    }

    /// Plans the removal and, if `approve` says yes, carries it out.
    ///
    /// # Errors
    /// As [`Deployment::apply`].
    pub async fn destroy(
        &self,
        retain_data: bool,
        approve: impl FnOnce(&Plan) -> bool,
    ) -> Result<Applied, Error> {
        self.run("destroy", &Mode::Destroy { retain_data }.into(), approve).await
    }

    /// Rebuilds a lost state from ownership tags and the spec: takes over what is there,
    /// changes nothing in AWS.
    ///
    /// # Errors
    /// As [`Deployment::apply`].
    pub async fn recover(&self, approve: impl FnOnce(&Plan) -> bool) -> Result<Applied, Error> {
        self.run("recover", &Scope { recovering: true, ..Mode::Apply.into() }, approve).await
    }

    /// Plans to give up one resource and, if `approve` says yes, does it.
    ///
    /// # Errors
    /// As [`Deployment::apply`]; a release that would lose data by accident is refused.
    pub async fn release(
        &self,
        release: &Release,
        approve: impl FnOnce(&Plan) -> bool,
    ) -> Result<Applied, Error> {
        let ports = self.ports().await?;
        let session = self.lock(&ports, "release").await?;
        self.within(session, &ports, async |session: &mut Session| {
            let plan = session.plan_release(&self.stack.desired, release).await?;
            if !plan.refusals.is_empty() {
                return Err(EngineError::Refused(plan.refusals));
            }
            let approved = approve(&plan);
            let outcome =
                if approved { session.execute(&plan, &self.stop).await? } else { Outcome::default() };
            Ok((plan, outcome, approved))
        })
        .await
    }

    async fn run(
        &self,
        operation: &str,
        scope: &Scope,
        approve: impl FnOnce(&Plan) -> bool,
    ) -> Result<Applied, Error> {
        let ports = self.ports().await?;
        let session = self.lock(&ports, operation).await?;
        self.within(session, &ports, async |session: &mut Session| {
            let mut plan = session.plan_within(&self.stack.desired, scope).await?;
            if scope.recovering {
                plan.steps.retain(|step| matches!(step.id.act, Act::Adopt | Act::Use | Act::Await));
                plan.steps.iter_mut().for_each(|step| step.requires.clear());
                // What is unknown to state is what recovering is for; every other refusal stands.
                plan.refusals.retain(|refusal| refusal.code != "E0602" && refusal.code != "E0603");
            }
            if !plan.refusals.is_empty() {
                return Err(EngineError::Refused(plan.refusals));
            }
            let approved = approve(&plan);
            let outcome =
                if approved { session.execute(&plan, &self.stop).await? } else { Outcome::default() };
            Ok((plan, outcome, approved))
        })
        .await
    }

    /// Carries out a plan made earlier, if it still holds. The deployment must be of
    /// [`SavedPlan::stack`].
    ///
    /// # Errors
    /// [`EngineError::Stale`] when state or AWS has moved since.
    pub async fn apply_saved(
        &self,
        saved: &SavedPlan,
        approve: impl FnOnce(&Plan) -> bool,
    ) -> Result<Applied, Error> {
        let ports = self.ports().await?;
        let session = self.lock(&ports, "apply").await?;
        self.within(session, &ports, async |session: &mut Session| {
            let plan = saved.plan.clone();
            session.check(&plan, &self.stack.desired).await?;
            let approved = approve(&plan);
            let outcome =
                if approved { session.execute(&plan, &self.stop).await? } else { Outcome::default() };
            Ok((plan, outcome, approved))
        })
        .await
    }

    async fn lock(&self, ports: &Ports, operation: &str) -> Result<Session, Error> {
        let session = Session::lock(ports.clone(), &self.stack.desired, holder(operation)).await;
        session.map_err(|error| self.held_by(error))
    }

    /// The same error; where another run has the lock, with the kind of lock it is.
    pub(crate) fn held_by(&self, error: EngineError) -> Error {
        match error {
            EngineError::Store(StoreError::Locked(holder)) => {
                let remote = matches!(self.stack.state, StateConfig::S3 { .. });
                Error::Locked { holder: holder.map(Box::new), remote }
            }
            other => other.into(),
        }
    }

    /// Does `work` and gives the lock back whatever comes of it.
    async fn within(
        &self,
        mut session: Session,
        ports: &Ports,
        work: impl AsyncFnOnce(&mut Session) -> Result<(Plan, Outcome, bool), EngineError>,
    ) -> Result<Applied, Error> {
        let result = work(&mut session).await;
        let state = session.state().clone();
        let closed = session.close().await;
        let (plan, outcome, approved) = result?;
        closed?;
        let book = ports.cloud.book();
        let outputs = outputs::all(&self.stack, &state, book);
        let notices = notices(&state, book);
        Ok(Applied { plan, outcome, approved, state, outputs, notices })
    }

    /// What is known of the stack, without asking AWS.
    ///
    /// # Errors
    /// When state cannot be read.
    pub async fn state(&self) -> Result<State, Error> {
        Ok(Session::read(self.ports().await?, &self.stack.desired).await?.state().clone())
    }

    /// Where the state is kept, for messages.
    ///
    /// # Errors
    /// When the stack's kind of state is not supported.
    pub async fn state_place(&self) -> Result<String, Error> {
        Ok(self.cloud.store(&self.stack, self.watch(), &self.stop).await?.snapshots.place())
    }

    /// Makes the state bucket and the lock table, and mends what is wrong with them; run again,
    /// it changes nothing. Nothing is told of a stack whose state is a local file.
    ///
    /// # Errors
    /// When AWS refuses, or the bucket is another account's.
    pub async fn bootstrap(&self) -> Result<Vec<Done>, Error> {
        match self.cloud.state_of(&self.stack).await? {
            cloud::Kept::Remote(clients, place) => lh_aws::store::bootstrap(&clients, &place)
                .await
                .map_err(|error| EngineError::from(error).into()),
            cloud::Kept::File(_) => Ok(Vec::new()),
        }
    }

    fn watch(&self) -> Watch {
        let events = Arc::clone(&self.events);
        Arc::new(move |holder, longest| {
            events.tell(Event::AwaitingLock { holder: holder.clone(), longest });
        })
    }

    /// All outputs; the values of secrets are left out.
    ///
    /// # Errors
    /// When state cannot be read.
    pub async fn outputs(&self) -> Result<Vec<OutputValue>, Error> {
        let ports = self.ports().await?;
        let session = Session::read(ports.clone(), &self.stack.desired).await?;
        Ok(outputs::all(&self.stack, session.state(), ports.cloud.book()))
    }

    /// One output by name, with its secret fetched now if it has one.
    ///
    /// # Errors
    /// [`Error::NoOutput`] when the stack has no such output, or not yet.
    pub async fn output(&self, name: &str) -> Result<Plaintext, Error> {
        let ports = self.ports().await?;
        let session = Session::read(ports.clone(), &self.stack.desired).await?;
        outputs::one(&self.stack, session.state(), ports.cloud.as_ref(), name).await
    }

    /// Whether both are in one cloud and region, so that one call can answer for both.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.stack.region() == other.stack.region() && self.cloud.is_same(&other.cloud)
    }

    pub(crate) async fn connect(&self) -> Result<Arc<dyn Mutate>, Error> {
        self.cloud.connect(self.stack.region()).await
    }

    /// The state as it is, through a connection that others use too.
    pub(crate) async fn read(&self, cloud: &Arc<dyn Mutate>) -> Result<Session, Error> {
        let ports = self.ports_to(Arc::clone(cloud)).await?;
        Ok(Session::read(ports, &self.stack.desired).await?)
    }

    /// The folder of the simulated world, if the stack lives in one that is kept.
    pub(crate) fn local_folder(&self) -> Option<std::path::PathBuf> {
        self.cloud.folder()
    }

    pub(crate) async fn ports(&self) -> Result<Ports, Error> {
        self.ports_to(self.connect().await?).await
    }

    async fn ports_to(&self, cloud: Arc<dyn Mutate>) -> Result<Ports, Error> {
        let store = self.cloud.store(&self.stack, self.watch(), &self.stop).await?;
        let waiting = self.waiting_calls(cloud.as_ref())?;
        Ok(Ports {
            cloud,
            snapshots: store.snapshots,
            journal: store.journal,
            history: store.history,
            lease: store.lease,
            pace: self.cloud.pace(),
            events: Arc::clone(&self.events),
            now: || jiff::Timestamp::now().to_string(),
            uuid: || uuid::Uuid::new_v4().to_string(),
            version: VERSION,
            keeping: store.calls,
            waiting,
        })
    }
}

/// What there is to be said of what `state` has seen.
fn notices(state: &State, book: &dyn RuleBook) -> Vec<Note> {
    let of = |(address, record): (&Address, &Record)| {
        let text = book.rules(address.kind())?.notice(&record.observed)?;
        Some(Note { address: Some(address.clone()), text })
    };
    state.resources.iter().filter_map(of).collect()
}

/// This process, as the holder of a lock.
pub(crate) fn holder(operation: &str) -> Holder {
    let user =
        std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    Holder {
        who: format!("{user}@{}", gethostname::gethostname().to_string_lossy()),
        pid: std::process::id(),
        operation: operation.to_owned(),
        since: jiff::Timestamp::now().to_string(),
    }
}
