//! What the tests of several crates share: a toy cloud whose kinds cover every shape a kind can
//! have, fuses that stop a run at any of its calls or writes, a bench that runs whole sessions,
//! the contract that every store must keep, an emulator over HTTP, and a PostgreSQL.
//!
//! Test support: what cannot be is a panic that names it, because a test has nobody to report
//! to. No crate of the product depends on this one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test support: a broken assumption must stop the test, not travel through it"
)]

pub mod bench;
pub mod crash;
pub mod moto;
pub mod ports;
pub mod postgres;
pub mod stack;
pub mod store_contract;
pub mod toy;

pub use bench::{Bench, Run};
pub use crash::{Crash, Fuse};
pub use moto::Moto;
pub use postgres::Postgres;
pub use stack::ToyStack;
pub use toy::ToyCloud;
