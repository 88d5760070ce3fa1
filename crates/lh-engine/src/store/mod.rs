//! Stores that need no cloud: a local file, and memory.

pub mod local;
pub mod memory;
