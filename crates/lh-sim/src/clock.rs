//! The virtual clock: it moves a little with every call and as far as it is told, never by itself.

use crate::world::{EPOCH_UNIX_MS, Millis, World};
use crate::{cloudwatch, ec2};
use aws_smithy_types::DateTime;

/// How far every call moves the clock.
pub(crate) const CALL_TAKES: Millis = 200;

/// One second.
pub(crate) const SECOND: Millis = 1_000;

/// One hour.
pub(crate) const HOUR: Millis = 3_600 * SECOND;

/// Moves the clock, and everything in the world that was waiting for it.
pub(crate) fn elapse(world: &mut World, by: Millis) {
    world.now = world.now.saturating_add(by);
    let now = world.now;
    for region in world.regions.values_mut() {
        ec2::settle::settle(region, &mut world.random, now);
        cloudwatch::evaluate(region, now);
    }
}

/// A time of the virtual clock, as AWS tells it.
pub(crate) fn date(at: Millis) -> DateTime {
    DateTime::from_millis(EPOCH_UNIX_MS.saturating_add(i64::try_from(at).unwrap_or(i64::MAX)))
}
