//! Kinds of Route 53.

pub(crate) mod pending;
pub mod record;
pub(crate) mod sets;
