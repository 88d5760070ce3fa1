//! `lhctl` from outside: the binary in a folder of its own, as a user types it.
//!
//! Nothing here knows a crate of the workspace: what is asserted is what a user sees (texts, exit
//! codes) and what is left behind (the state, and the world of the simulated AWS as JSON).
//! Everything but `moto` runs in the simulated AWS, without a network.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod canonical;
mod changes;
mod crash;
mod data;
mod database;
mod day2;
mod drift;
mod endpoints;
mod enumeration;
mod faults;
mod forms;
mod history;
mod interrupts;
mod json_page;
mod lock;
mod looking;
mod migrating;
mod moto;
mod place;
mod readiness;
mod release;
mod renewal;
mod saved;
mod secrets;
mod slow_queries;
mod ssh;
mod state_files;
mod state_verbs;
mod streams;
mod subnet;
mod texts;
mod transcript;
mod unreadable;
mod validation;
