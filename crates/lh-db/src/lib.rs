//! All PostgreSQL: migrations, verification and readiness of a TimescaleDB.
//!
//! Nothing here knows AWS or stack files: a caller brings the URL of a database. What is found
//! wrong in SQL files comes back as diagnostics with places, what is wrong with a server as
//! [`DbError`], and what was verified as [`Check`]s that other chapters can be joined to.

mod ask;
pub mod bench;
mod connect;
mod error;
pub mod local;
mod lock;
pub mod migrations;
mod ready;
pub mod sql;
mod url;
mod verify;

pub use ask::ask;
pub use error::{ConnectProblem, DbError};
pub use migrations::{
    Applied, Force, Migration, Migrations, Progress, RunOptions, Standing, State, run, status,
};
pub use ready::{Stage, probe, ready};
pub use url::DatabaseUrl;
pub use verify::{
    CHECKS, COMPRESS_AFTER, Check, HYPERTABLES, Outcome, Problem, RETENTION, Report, Schema, Verdict,
    VerifyOptions, verify,
};
