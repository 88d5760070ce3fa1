//! Where a deployment lives: real AWS, or the simulated world.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lh_aws::{Aws, Clients, ConnectOptions};
use lh_engine::store::{local::LocalStore, memory::MemoryStore};
use lh_kind::{Mutate, Pace};
use lh_sim::{Faults, Sim};
use lh_spec::StateConfig;
use lh_state::{Journal, Lease, Snapshots};

use crate::{Error, Stack};

/// A cloud, and where the state of stacks in it is kept.
#[derive(Clone)]
pub struct Cloud {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Aws,
    Simulated { sim: Sim, place: Place },
}

#[derive(Clone)]
enum Place {
    Folder(PathBuf),
    Memory(MemoryStore),
}

/// The three ports of one stack's state.
pub(crate) struct Store {
    pub snapshots: Arc<dyn Snapshots>,
    pub journal: Arc<dyn Journal>,
    pub lease: Arc<dyn Lease>,
}

impl Store {
    fn of<S: Snapshots + Journal + Lease + Clone + 'static>(store: S) -> Self {
        let (snapshots, journal) = (Arc::new(store.clone()), Arc::new(store.clone()));
        Self { snapshots, journal, lease: Arc::new(store) }
    }
}

impl Cloud {
    /// Real AWS, or whatever endpoint the environment names; credentials and endpoints come
    /// from the SDK's standard chain when they are first needed.
    pub fn aws() -> Self {
        Self { kind: Kind::Aws }
    }

    /// A simulated world that is gone when it is dropped, with its state in memory.
    pub fn simulated() -> Self {
        Self { kind: Kind::Simulated { sim: Sim::in_memory(), place: Place::Memory(MemoryStore::new()) } }
    }

    /// The simulated world kept in `folder`, with the state of its stacks beside it.
    ///
    /// # Errors
    /// When the world's file is damaged, or `LHCTL_LOCAL_FAULTS` cannot be understood.
    pub fn local(folder: &Path) -> Result<Self, Error> {
        let sim = Sim::open(folder)?;
        sim.set_faults(Faults::from_env().map_err(Error::Environment)?);
        Ok(Self { kind: Kind::Simulated { sim, place: Place::Folder(folder.join("state")) } })
    }

    /// Whether this is the simulated world.
    pub fn is_simulated(&self) -> bool {
        matches!(self.kind, Kind::Simulated { .. })
    }

    /// The simulated world, for tests that look behind the tool's back.
    pub fn sim(&self) -> Option<&Sim> {
        match &self.kind {
            Kind::Aws => None,
            Kind::Simulated { sim, .. } => Some(sim),
        }
    }

    pub(crate) async fn connect(&self, region: &str) -> Result<Arc<dyn Mutate>, Error> {
        let options = match &self.kind {
            Kind::Aws => ConnectOptions { region, ..ConnectOptions::default() },
            Kind::Simulated { sim, .. } => ConnectOptions {
                sdk_config: Some(simulated_config(sim, region)),
                interceptor: Some(lh_aws::SharedInterceptor::new(sim.interceptor())),
                pace: Some(self.pace()),
                ..ConnectOptions::default()
            },
        };
        Ok(Arc::new(Aws::new(Clients::connect(options).await?)))
    }

    pub(crate) fn store(&self, stack: &Stack) -> Result<Store, Error> {
        match (&self.kind, &stack.state) {
            (Kind::Simulated { place: Place::Memory(store), .. }, _) => Ok(Store::of(store.clone())),
            (Kind::Simulated { place: Place::Folder(folder), .. }, _) => {
                Ok(Store::of(LocalStore::new(folder.join(format!("{}.json", stack.name())))))
            }
            (Kind::Aws, StateConfig::Local { path }) => Ok(Store::of(LocalStore::new(path))),
            (Kind::Aws, StateConfig::S3 { bucket, .. }) => Err(Error::Environment(format!(
                "The stack keeps its state in the S3 bucket {bucket}, which this version cannot do yet: use `state: {{ path: … }}`."
            ))),
        }
    }

    pub(crate) fn pace(&self) -> Arc<dyn Pace> {
        match &self.kind {
            Kind::Aws => Arc::new(lh_engine::RealTime),
            Kind::Simulated { sim, .. } => Arc::new(VirtualTime(sim.clone())),
        }
    }
}

/// The simulated world's configuration, with as many retries as for real AWS but no long pauses.
fn simulated_config(sim: &Sim, region: &str) -> lh_aws::SdkConfig {
    let retries = lh_aws::retry_config().with_initial_backoff(Duration::from_millis(2));
    let retries = retries.with_max_backoff(Duration::from_millis(20));
    let region = lh_aws::Region::new(region.to_owned());
    sim.sdk_config().into_builder().region(region).retry_config(retries).build()
}

/// Waiting in the simulated world moves its clock and takes no real time.
struct VirtualTime(Sim);

#[async_trait]
impl Pace for VirtualTime {
    async fn pause(&self, duration: Duration) {
        self.0.advance(duration);
    }
}
