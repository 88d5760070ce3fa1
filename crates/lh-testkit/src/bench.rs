//! The bench: whole sessions over the toy cloud and a store, with fuses.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use lh_engine::{
    EngineError, Outcome, Ports, Session, Stop,
    store::{local::LocalStore, memory::MemoryStore},
};
use lh_model::Desired;
use lh_plan::{Mode, Plan};
use lh_state::{History, Holder, Journal, Lease, Snapshots, State};

use crate::{
    Crash, Fuse, ToyCloud,
    ports::{Fused, NoTime, Told},
    toy::Census,
};

/// A cloud, a store, and what is needed to run sessions over them.
#[derive(Clone)]
pub struct Bench {
    /// The cloud.
    pub cloud: ToyCloud,
    /// The fuse of cloud and store.
    pub crash: Crash,
    /// Where the journal is, past the fuse.
    pub journal: Arc<dyn Journal>,
    /// Where snapshots are, past the fuse.
    pub snapshots: Arc<dyn Snapshots>,
    /// What was told.
    pub told: Arc<Told>,
    /// How much time passed.
    pub time: Arc<NoTime>,
    ports: Ports,
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// Its plan.
    pub plan: Plan,
    /// What became of it.
    pub outcome: Outcome,
}

/// Who the bench's sessions say they are.
pub fn holder() -> Holder {
    Holder { who: "tester@bench".into(), pid: 7, operation: "apply".into(), since: "then".into() }
}

fn uuid() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("uuid-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

impl Bench {
    /// Over a store in memory.
    pub fn new() -> Self {
        Self::over(&MemoryStore::new())
    }

    /// Over the store in the file at `path`.
    pub fn local(path: &Path) -> Self {
        Self::over(&LocalStore::new(path))
    }

    /// Over `store`.
    pub fn over<S: Snapshots + Journal + History + Lease + Clone + 'static>(store: &S) -> Self {
        let crash = Crash::default();
        Self::with(ToyCloud::new(&crash), crash, store)
    }

    /// The same cloud over another store: what a lost state looks like.
    #[must_use]
    pub fn moved_to<S: Snapshots + Journal + History + Lease + Clone + 'static>(&self, store: &S) -> Self {
        Self::with(self.cloud.clone(), self.crash.clone(), store)
    }

    fn with<S>(cloud: ToyCloud, crash: Crash, store: &S) -> Self
    where
        S: Snapshots + Journal + History + Lease + Clone + 'static,
    {
        let fused = Arc::new(Fused { store: store.clone(), crash: crash.clone() });
        let (told, time) = (Arc::new(Told::default()), Arc::new(NoTime::default()));
        let ports = Ports {
            cloud: Arc::new(cloud.clone()),
            snapshots: fused.clone(),
            journal: fused.clone(),
            history: fused,
            lease: Arc::new(store.clone()),
            pace: time.clone(),
            events: told.clone(),
            now: || "now".to_owned(),
            uuid,
            version: "0.0.0",
            keeping: &[],
            waiting: Vec::new(),
        };
        let (journal, snapshots) = (Arc::new(store.clone()), Arc::new(store.clone()));
        Self { cloud, crash, journal, snapshots, told, time, ports }
    }

    /// The ports of a session.
    pub fn ports(&self) -> Ports {
        self.ports.clone()
    }

    /// The state as it is read.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn state(&self, desired: &Desired) -> State {
        Session::read(self.ports(), desired).await.expect("a readable state").state().clone()
    }

    /// The plan that a reader sees.
    ///
    /// # Errors
    /// As the session's.
    pub async fn plan(&self, desired: &Desired, mode: Mode) -> Result<Plan, EngineError> {
        let session = Session::read(self.ports(), desired).await?;
        session.plan(desired, mode, false).await
    }

    /// Plans and carries out, in one session. The operations that were called must be among
    /// those that the plan lists.
    ///
    /// # Errors
    /// As the session's.
    ///
    /// # Panics
    /// When the plan called what it does not list.
    pub async fn run(&self, desired: &Desired, mode: Mode, recovering: bool) -> Result<Run, EngineError> {
        self.run_until(desired, mode, recovering, &Stop::default()).await
    }

    /// [`Bench::run`] with a wish to stop.
    ///
    /// # Errors
    /// As the session's.
    ///
    /// # Panics
    /// When the plan called what it does not list.
    pub async fn run_until(
        &self,
        desired: &Desired,
        mode: Mode,
        recovering: bool,
        stop: &Stop,
    ) -> Result<Run, EngineError> {
        self.cloud.take_log();
        let mut session = Session::lock(self.ports(), desired, holder()).await?;
        let plan = match session.plan(desired, mode, recovering).await {
            Ok(plan) => plan,
            Err(error) => {
                session.close().await?;
                return Err(error);
            }
        };
        let result = session.execute(&plan, stop).await;
        session.close().await?;
        let (listed, called) = (plan.calls(), self.cloud.take_log());
        for call in called {
            assert!(listed.contains(&call), "{call} was called, but the plan lists only {listed:?}");
        }
        Ok(Run { outcome: result?, plan })
    }

    /// Applies and expects everything done.
    ///
    /// # Panics
    /// When anything is not.
    pub async fn apply(&self, desired: &Desired) -> Run {
        self.settle(desired, Mode::Apply).await
    }

    /// Runs `mode` and expects everything done.
    ///
    /// # Panics
    /// When anything is not.
    pub async fn settle(&self, desired: &Desired, mode: Mode) -> Run {
        let run = self.run(desired, mode, false).await;
        let run = run.unwrap_or_else(|error| panic!("the run failed: {error:#?}"));
        assert!(run.outcome.is_complete(), "not everything was done: {:#?}", run.outcome);
        run
    }

    /// Runs `mode` with `fuse` burning. `None` when the process died.
    pub async fn run_with(
        &self,
        desired: &Desired,
        mode: Mode,
        fuse: Fuse,
    ) -> Option<Result<Run, EngineError>> {
        self.crash.set(Some(fuse));
        let run = tokio::select! {
            biased;
            () = self.crash.died() => None,
            run = self.run(desired, mode, false) => Some(run),
        };
        self.crash.set(None);
        run
    }

    /// What there is, and what is recorded of it, comparable between benches.
    pub async fn end(&self, desired: &Desired) -> (Census, serde_json::Value) {
        let state = self.state(desired).await;
        let records = serde_json::to_value(self.cloud.comparable(&state)).unwrap_or_default();
        (self.cloud.census(), records)
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}
