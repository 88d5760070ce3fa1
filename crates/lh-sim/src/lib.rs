//! The simulated AWS: one typed world behind the SDK clients, in process.
//!
//! A [`Sim`] is a small AWS account. It hands out an [`SdkConfig`](aws_config::SdkConfig), an HTTP
//! client and an interceptor; SDK clients built from these three talk to the world inside the
//! process and open no socket. The rules of the world are those that AWS documents for the
//! operations `lhctl` calls: client tokens, states that take time, dependencies, zones, quotas,
//! pages and eventual consistency. It is not a general emulator: an operation that nobody
//! simulated answers with an error that names it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = lh_sim::Sim::in_memory();
//! let config = aws_sdk_ec2::config::Builder::from(&sim.sdk_config())
//!     .interceptor(sim.interceptor())
//!     .build();
//! let ec2 = aws_sdk_ec2::Client::from_conf(config);
//! let vpcs = ec2.describe_vpcs().send().await?;
//! # let _ = vpcs; Ok(()) }
//! ```
//!
//! # Faults from the environment
//!
//! [`Faults::from_env`] reads `LHCTL_LOCAL_FAULTS`, a list of `key=value` separated by commas:
//!
//! | key | meaning |
//! |---|---|
//! | `fuse=before:N`, `fuse=after:N` | the process aborts before, or after, the Nth mutating call took effect |
//! | `on-fuse=abort`, `on-fuse=fail` | what a fuse does; from the environment it aborts unless told otherwise |
//! | `throttle=N`, `throttle=always` | every Nth call, or each call, is answered with the service's throttling error |
//! | `server-error=N` | every Nth call is answered with an internal error (HTTP 500) |
//! | `lose=N` | the Nth mutating call takes effect, but its answer is lost; may be given more than once |
//! | `drop=N` | the Nth mutating call never reaches AWS; may be given more than once |
//! | `deny=Operation` | this operation is not authorized; may be given more than once |
//! | `fail=Operation` | this operation always answers with an internal error (HTTP 500); may be given more than once |
//! | `lag=N` | a new object stays invisible to the next N reads that would have shown it |
//! | `page=N` | no list operation gives more than N items in one page |
//! | `latency=40ms` | every call takes this long in real time (`ms` or `s`) |
//! | `seed=N` | the seed of a world that does not exist yet |
//!
//! Mutating calls are counted from 1 in each process, and only when they reach the world: a
//! throttled or denied attempt is not counted, and an SDK retry is a call of its own.

mod agents;
mod backup;
mod clock;
mod cloudwatch;
mod connector;
mod dynamodb;
mod ec2;
mod faults;
mod filters;
mod hosts;
mod iam;
mod ids;
mod intercept;
mod kms;
mod log;
mod logs;
mod operation;
mod outcome;
mod paging;
mod route53;
mod s3;
mod sandbox;
mod scene;
mod secrets;
mod sim;
mod sns;
mod ssm;
mod store;
mod sts;
mod tagging;
pub mod world;

pub use faults::{FAULTS_VARIABLE, Faults, Fuse, OnFuse};
pub use hosts::{HostFacts, HostRun, Hosts, NoHosts, Upload};
pub use intercept::SimInterceptor;
pub use log::Call;
pub use sandbox::Sandbox;
pub use sim::Sim;
pub use store::SimError;
pub use world::{Hidden, Region, World};
