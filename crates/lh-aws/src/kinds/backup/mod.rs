//! Kinds of AWS Backup.

pub mod plan;
pub mod selection;
pub(crate) mod tags;
pub mod vault;
