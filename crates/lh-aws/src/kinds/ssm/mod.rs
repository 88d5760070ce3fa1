//! Kinds of Systems Manager.

pub mod parameter;
