//! What was seen of stacks, before anything is thought of it.

use lh_aws::inspect::{AlarmSight, Dump, InstanceSight, RecoveryPoint, SpotSight, VolumeSight};
use lh_kind::CloudError;
use lh_state::{Held, Record, State};

use crate::{
    Deployment, Error,
    host::{HostSight, Silence},
};

/// An answer of AWS.
pub(super) type Answer<T> = Result<T, CloudError>;

/// What is shared by the stacks of a region.
pub(super) struct Common {
    pub instances: Answer<Vec<InstanceSight>>,
    pub volumes: Answer<Vec<VolumeSight>>,
    pub spot: Answer<Vec<SpotSight>>,
    pub alarms: Answer<Vec<AlarmSight>>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// What is one stack's own.
pub(super) struct Own<'s> {
    pub deployment: &'s Deployment,
    pub state: &'s State,
    pub held: Result<Option<Held>, Error>,
    pub host: Result<HostSight, Silence>,
    /// None where the stack has no vault or no bucket.
    pub points: Option<Answer<Vec<RecoveryPoint>>>,
    pub dump: Option<Answer<Option<Dump>>>,
}

/// The recorded resources of a kind that the stack still asks for.
pub(super) fn records<'s>(state: &'s State, kind: &'s str) -> impl Iterator<Item = &'s Record> {
    let of =
        move |(address, record): &(&lh_model::Address, &Record)| address.kind() == kind && !record.retained;
    state.resources.iter().filter(of).map(|(_, record)| record)
}
