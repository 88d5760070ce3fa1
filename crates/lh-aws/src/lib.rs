//! All AWS calls: clients, kinds, lookups, the store of state in S3 and DynamoDB, Run Command.
//!
//! [`Aws`] puts the services behind the ports of `lh-kind`: [`lh_kind::Observe`] for reading and
//! [`lh_kind::Mutate`] for changing. What a kind is made of stands in its file under `kinds/`;
//! what is only looked up, under `lookups/`. Nothing here decides what is to be done.
//!
//! The AWS SDK logs request and response bodies at TRACE under its own targets (`aws_*`,
//! `hyper*`). Programs must keep those targets off: bodies may hold secrets. The events of this
//! crate, under `lh_aws`, never do.

mod aws;
mod bucket;
mod clients;
mod copies;
mod endpoints;
mod error;
mod gate;
mod health;
pub mod inspect;
pub mod kinds;
mod lookups;
mod pace;
mod reads;
mod registry;
pub mod remote;
pub mod store;
mod trace;

pub use aws::Aws;
pub use aws_config::{Region, SdkConfig};
pub use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
pub use clients::{Clients, ConnectOptions, retry_config, timeout_config};
pub use copies::{Before, copy_volume};
pub use health::{Health, console, health};
pub use kinds::ec2::instance::note_host;
pub use pace::RealTime;
pub use registry::Registry;
