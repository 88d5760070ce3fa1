//! Kinds of Secrets Manager.
