//! Kinds of CloudWatch Logs.
