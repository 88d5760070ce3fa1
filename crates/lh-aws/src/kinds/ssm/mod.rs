//! Kinds of Systems Manager.

pub mod parameter;
pub(crate) mod password;
