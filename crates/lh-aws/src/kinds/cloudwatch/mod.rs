//! Kinds of CloudWatch.

pub mod alarm;
pub mod dashboard;
