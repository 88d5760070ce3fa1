//! Where a deployment lives: real AWS, or the simulated world.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lh_aws::{
    Aws, Clients, ConnectOptions,
    store::{LEASE, LeaseTerms, RemoteStore, StatePlace, StoreClients, Watch},
};
use lh_engine::{
    Stop,
    store::{local::LocalStore, memory::MemoryStore},
};
use lh_kind::{Mutate, Pace};
use lh_sim::{Faults, Sandbox, Sim};
use lh_spec::StateConfig;
use lh_state::{History, Journal, Lease, Snapshots};

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

/// The ports of one stack's state.
pub(crate) struct Store {
    pub snapshots: Arc<dyn Snapshots>,
    pub journal: Arc<dyn Journal>,
    pub history: Arc<dyn History>,
    pub lease: Arc<dyn Lease>,
    /// The AWS operations behind them.
    pub calls: &'static [&'static str],
}

/// Where a stack's state is kept.
pub(crate) enum Kept<'s> {
    /// In a local file.
    File(&'s str),
    /// In S3, locked in DynamoDB.
    Remote(StoreClients, StatePlace),
}

impl Store {
    fn of<S: Snapshots + Journal + History + Lease + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            snapshots: store.clone(),
            journal: store.clone(),
            history: store.clone(),
            lease: store,
            calls: &[],
        }
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
        Self::simulated_in(Sim::in_memory())
    }

    /// The simulated world `sim`, with a new state in memory: what another machine sees that has
    /// the account but not the state.
    pub fn simulated_in(sim: Sim) -> Self {
        Self { kind: Kind::Simulated { sim, place: Place::Memory(MemoryStore::new()) } }
    }

    /// The simulated world kept in `folder`, with the state of its stacks beside it, and the hosts
    /// of its instances in sandbox folders.
    ///
    /// # Errors
    /// When the world's file is damaged, or `LHCTL_LOCAL_FAULTS` cannot be understood.
    pub fn local(folder: &Path) -> Result<Self, Error> {
        let sim = Sim::open(folder)?;
        sim.set_faults(Faults::from_env().map_err(Error::Environment)?);
        let sandbox = Sandbox::new(folder)
            .map_err(|error| Error::File { path: folder.display().to_string(), reason: error.to_string() })?;
        sim.set_hosts(Arc::new(sandbox));
        Ok(Self { kind: Kind::Simulated { sim, place: Place::Folder(folder.join("state")) } })
    }

    /// Whether this is the simulated world.
    pub fn is_simulated(&self) -> bool {
        matches!(self.kind, Kind::Simulated { .. })
    }

    /// Whether both are the same cloud, asked with the same credentials.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Aws, Kind::Aws) => true,
            (Kind::Simulated { sim, .. }, Kind::Simulated { sim: other, .. }) => sim.is_same(other),
            _ => false,
        }
    }

    /// The simulated world, for tests that look behind the tool's back.
    pub fn sim(&self) -> Option<&Sim> {
        match &self.kind {
            Kind::Aws => None,
            Kind::Simulated { sim, .. } => Some(sim),
        }
    }

    /// The folder of the simulated world, if it is kept in one.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match &self.kind {
            Kind::Simulated { place: Place::Folder(states), .. } => states.parent().map(Path::to_owned),
            _ => None,
        }
    }

    pub(crate) async fn connect(&self, region: &str) -> Result<Arc<dyn Mutate>, Error> {
        Ok(Arc::new(Aws::new(self.clients(region).await?)))
    }

    fn options<'r>(&self, region: &'r str) -> ConnectOptions<'r> {
        match &self.kind {
            Kind::Aws => ConnectOptions { region, ..ConnectOptions::default() },
            Kind::Simulated { sim, .. } => ConnectOptions {
                sdk_config: Some(simulated_config(sim, region)),
                interceptor: Some(lh_aws::SharedInterceptor::new(sim.interceptor())),
                pace: Some(self.pace()),
                host_pace: Some(self.host_pace()),
                idle: (!sim.has_hosts()).then(|| "the simulated instances run nothing".to_owned()),
                ..ConnectOptions::default()
            },
        }
    }

    /// The store of `stack`'s state. State in S3 is in the cloud itself, simulated or not; a
    /// local file is replaced in the simulated world by one of its own. `watch` is told when a
    /// lock is waited for, and the wait ends when `stop` is asked.
    pub(crate) async fn store(&self, stack: &Stack, watch: Watch, stop: &Stop) -> Result<Store, Error> {
        let path = match self.state_of(stack).await? {
            Kept::File(path) => path,
            Kept::Remote(clients, place) => {
                let pace: Arc<dyn Pace> = match self.is_simulated() {
                    true => Arc::new(Hurried),
                    false => Arc::new(lh_aws::RealTime),
                };
                let stop = stop.clone();
                let stop: Option<Arc<dyn Fn() -> bool + Send + Sync>> =
                    Some(Arc::new(move || stop.is_asked()));
                let terms = LeaseTerms { length: LEASE, pace, watch: Some(watch), stop };
                let store = Store::of(RemoteStore::new(clients, place, terms));
                return Ok(Store { calls: lh_aws::store::CALLS, ..store });
            }
        };
        Ok(match &self.kind {
            Kind::Simulated { place: Place::Memory(store), .. } => Store::of(store.clone()),
            Kind::Simulated { place: Place::Folder(folder), .. } => {
                Store::of(LocalStore::new(folder.join(format!("{}.json", stack.name()))))
            }
            Kind::Aws => Store::of(LocalStore::new(path)),
        })
    }

    /// Where the state of `stack` is kept, with the clients to reach it.
    pub(crate) async fn state_of<'s>(&self, stack: &'s Stack) -> Result<Kept<'s>, Error> {
        let (bucket, key, table, region) = match &stack.state {
            StateConfig::Local { path } => return Ok(Kept::File(path)),
            StateConfig::S3 { bucket, key, lock_table, region } => (bucket, key, lock_table, region),
        };
        let clients =
            StoreClients::connect(self.options(region.as_deref().unwrap_or(stack.region()))).await?;
        let place = StatePlace { bucket: bucket.clone(), key: key.clone(), table: table.clone() };
        Ok(Kept::Remote(clients, place))
    }

    /// How time passes while a script runs on a host: really, in the simulated world too, since
    /// there it is a process of this machine; but the pauses are short.
    pub(crate) fn host_pace(&self) -> Arc<dyn Pace> {
        match self.is_simulated() {
            true => Arc::new(Brisk),
            false => Arc::new(lh_aws::RealTime),
        }
    }

    /// The time there, in seconds since 1970: in the simulated world, that of its own clock.
    pub(crate) fn now(&self) -> i64 {
        match &self.kind {
            Kind::Aws => jiff::Timestamp::now().as_second(),
            Kind::Simulated { sim, .. } => {
                let since = i64::try_from(sim.now().as_secs()).unwrap_or(i64::MAX);
                (lh_sim::world::EPOCH_UNIX_MS / 1000).saturating_add(since)
            }
        }
    }

    /// The clients of all services.
    pub(crate) async fn clients(&self, region: &str) -> Result<Clients, Error> {
        Ok(Clients::connect(self.options(region)).await?)
    }

    pub(crate) fn pace(&self) -> Arc<dyn Pace> {
        match &self.kind {
            Kind::Aws => Arc::new(lh_aws::RealTime),
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

/// The clock of leases in the simulated world: real time, ten times as fast. It cannot be the
/// virtual one, which jumps: a living owner would look dead to whoever waits for its lock.
struct Hurried;

#[async_trait]
impl Pace for Hurried {
    async fn pause(&self, duration: Duration) {
        lh_aws::RealTime.pause(duration / 10).await;
    }
}

/// Real time between two looks at a process of this machine, at most 50 ms of it.
struct Brisk;

#[async_trait]
impl Pace for Brisk {
    async fn pause(&self, duration: Duration) {
        lh_aws::RealTime.pause(duration.min(Duration::from_millis(50))).await;
    }
}
