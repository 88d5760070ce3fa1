//! What runs, looked at: the reads behind `verify`, `status` and `doctor`, a file a subject. It
//! tells what AWS shows; what is to be thought of it is judged in the facade.
//!
//! No kind and no lookup is made of these: nothing is planned from them.

mod alarms;
mod backups;
mod subscriptions;

pub use alarms::{AlarmEvent, AlarmSight};
pub use backups::{Dump, RecoveryPoint};
pub use subscriptions::Subscriber;

use crate::Clients;

/// The operations that an inspector may call, named as in IAM.
pub const READS: &[&str] = &[
    "backup:GetBackupPlan",
    "backup:ListRecoveryPointsByBackupVault",
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "s3:GetObject",
    "s3:ListBucket",
    "sns:ListSubscriptionsByTopic",
];

/// What an inspector may call besides, where an alarm is tried.
pub const TRIES: &[&str] = &["cloudwatch:SetAlarmState"];

/// Looks at what runs, and can do nothing else.
pub struct Inspector {
    clients: Clients,
}

impl Inspector {
    /// One through `clients`, of which it must be the only user: they are held to [`READS`].
    pub fn new(clients: Clients) -> Self {
        Self::held_to(clients, READS)
    }

    /// One that can also put an alarm into a state.
    pub fn trying_alarms(clients: Clients) -> Self {
        Self::held_to(clients, &[READS, TRIES].concat())
    }

    fn held_to(clients: Clients, calls: &[&str]) -> Self {
        clients.gate.hold_to(Some(calls.iter().map(|call| (*call).to_owned()).collect()));
        Self { clients }
    }
}
