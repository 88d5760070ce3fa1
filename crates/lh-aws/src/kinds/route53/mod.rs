//! Kinds of Route 53.
