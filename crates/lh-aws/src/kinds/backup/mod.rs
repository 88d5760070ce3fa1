//! Kinds of AWS Backup.
