//! Kinds of Amazon EC2 and EBS.

pub mod elastic_ip;
pub mod elastic_ip_association;
pub mod instance;
pub mod key_pair;
pub(crate) mod query;
pub mod security_group;
pub mod security_group_rule;
pub mod snapshot;
pub(crate) mod tags;
pub mod volume;
pub mod volume_attachment;
