//! Against real servers: TimescaleDB from the npm registry (`scripts/test` installs it and names
//! it in LHCTL_TIMESCALEDB), and Debian's PostgreSQL for several sessions at once and for TLS. Each
//! test starts its own server on 127.0.0.1 and ends it. Where one cannot be had, a test says
//! SKIPPED with its name.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on fails")]

mod benchmark;
mod engine;
mod locks;
mod migrations;
mod readiness;
mod reference;
mod servers;
mod unfinished;
