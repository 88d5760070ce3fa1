//! Kinds of Secrets Manager.

pub(crate) mod metadata;
pub mod secret;
