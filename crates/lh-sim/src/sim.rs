//! The handle on a simulated account: opening it, moving its clock, and looking inside.

use crate::agents;
use crate::clock;
use crate::connector::{Exchange, SimHttpClient};
use crate::faults::Faults;
use crate::hosts::Hosts;
use crate::intercept::SimInterceptor;
use crate::log::Call;
use crate::store::{SimError, Store};
use crate::world::{InstanceState, World};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A handle on a simulated AWS account. Clones share the world, the log and the faults.
#[derive(Clone, Debug)]
pub struct Sim {
    exchange: Arc<Exchange>,
}

impl Sim {
    /// The world in `dir/world.json`, made from seed 1 if there is none. Other handles and other
    /// processes may use the same directory at the same time.
    ///
    /// # Errors
    /// The directory cannot be used, or the file is damaged.
    pub fn open(dir: &Path) -> Result<Sim, SimError> {
        Self::open_with_seed(dir, 1)
    }

    /// As [`Sim::open`], with the seed of a world that does not exist yet.
    ///
    /// # Errors
    /// The directory cannot be used, or the file is damaged.
    pub fn open_with_seed(dir: &Path, seed: u64) -> Result<Sim, SimError> {
        Ok(Self::over(Store::open(dir, seed)?))
    }

    /// A world in memory, from seed 1.
    pub fn in_memory() -> Sim {
        Self::with_seed(1)
    }

    /// A world in memory.
    pub fn with_seed(seed: u64) -> Sim {
        Self::over(Store::in_memory(World::new(seed)))
    }

    fn over(store: Store) -> Sim {
        Sim { exchange: Arc::new(Exchange::new(store)) }
    }

    /// Whether both are handles on the same account.
    pub fn is_same(&self, other: &Sim) -> bool {
        Arc::ptr_eq(&self.exchange, &other.exchange)
    }

    /// The HTTP client that answers for the simulated services.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(SimHttpClient(self.exchange.clone()))
    }

    /// The interceptor that each service's configuration needs beside the HTTP client.
    pub fn interceptor(&self) -> SimInterceptor {
        SimInterceptor
    }

    /// A configuration for service clients: this HTTP client, made-up credentials, region
    /// us-east-1, standard retries. The pauses between retries are short, as there is no server
    /// to spare.
    pub fn sdk_config(&self) -> SdkConfig {
        let credentials = Credentials::new("SIMULATED", "simulated", None, None, "simulation");
        let retries = RetryConfig::standard()
            .with_initial_backoff(Duration::from_millis(2))
            .with_max_backoff(Duration::from_millis(20));
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .sleep_impl(TokioSleep::new())
            .retry_config(retries)
            .build()
    }

    /// Moves the virtual clock, and everything that was waiting for it.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.exchange.store().force(|world| clock::elapse(world, by));
    }

    /// The virtual time since the world's epoch.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.exchange.store().latest().now)
    }

    /// The calls of this process, in the order they completed.
    pub fn calls(&self) -> Vec<Call> {
        self.exchange.process().log.calls()
    }

    /// Empties the log of calls and starts counting rounds again. The numbers that fuses count
    /// go on.
    pub fn forget_calls(&self) {
        self.exchange.process().log.forget();
    }

    /// How many calls had to wait for one another: the longest chain of calls of which each
    /// started after the one before had completed.
    pub fn rounds(&self) -> usize {
        self.exchange.process().log.rounds()
    }

    /// Replaces the faults and repairs a blown fuse. Numbers of calls go on counting from the
    /// start of the process.
    pub fn set_faults(&self, faults: Faults) {
        let mut process = self.exchange.process();
        process.blown = false;
        process.faults = faults;
    }

    /// How many mutating calls have reached the world from this process, which is what fuses and
    /// lost answers count.
    pub fn mutations(&self) -> u64 {
        self.exchange.process().mutations
    }

    /// Whether the fuse has blown since the faults were last set.
    pub fn blown(&self) -> bool {
        self.exchange.process().blown
    }

    /// Changes the world behind the tool's back, and saves it.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.exchange.store().force(change)
    }

    /// What runs on the instances from now on, as this process knows it; at first, nothing does.
    pub fn set_hosts(&self, hosts: Arc<dyn Hosts>) {
        self.exchange.set_hosts(hosts);
    }

    /// Whether anything may run on the instances.
    pub fn has_hosts(&self) -> bool {
        self.exchange.hosts().are_there()
    }

    /// The program, with its arguments, that gives a person a terminal on a running instance.
    pub fn terminal(&self, region: &str, instance: &str) -> Option<(String, Vec<String>)> {
        let world = self.snapshot();
        let here = world.region(region)?;
        let running = here.instances.get(instance).filter(|it| it.state == InstanceState::Running)?;
        self.exchange.hosts().terminal(&agents::facts(here, region, running))
    }

    /// A copy of the world.
    pub fn snapshot(&self) -> World {
        self.exchange.store().latest().clone()
    }
}
