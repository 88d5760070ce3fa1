//! What runs, looked at: the reads behind `verify`, `status` and `doctor`, a file a subject. It
//! tells what AWS shows; what is to be thought of it is judged in the facade.
//!
//! No kind and no lookup is made of these: nothing is planned from them.

mod alarms;
mod backups;
mod compute;
mod rehearsal;
pub(crate) mod routes;
mod subscriptions;

pub use alarms::{AlarmEvent, AlarmSight};
pub use backups::{Dump, RecoveryPoint};
pub use compute::{InstanceSight, SpotSight, VolumeSight};
pub use rehearsal::{Allowed, REHEARSED, Rehearsal};
pub use routes::WayOut;
pub use subscriptions::Subscriber;

use crate::Clients;

/// The operations that an inspector may call, named as in IAM.
pub const READS: &[&str] = &[
    "backup:GetBackupPlan",
    "backup:ListRecoveryPointsByBackupVault",
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeInstances",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
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

    /// Whether the stack could be made: see [`Rehearsal::run`]. These clients are of their own, held
    /// to what is rehearsed.
    pub async fn rehearse(clients: Clients, rehearsal: &Rehearsal) -> Vec<(&'static str, Allowed)> {
        let Self { clients } = Self::held_to(clients, REHEARSED);
        rehearsal.run(&clients).await
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
