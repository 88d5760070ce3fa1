//! How stacks stand, at a glance: what AWS shows and what their hosts say, asked together. Nothing
//! is planned and no drift is computed; a part that cannot be told says why.

mod dumps;
mod look;
mod parts;
mod sight;

use futures_util::future::join_all;
use lh_kind::CloudError;
use serde::Serialize;
use serde_json::Value;

use crate::{Deployment, Fleet, fleet::groups};

/// A recovery point or dump that is older is no backup to count on, whatever the schedule: in
/// seconds. `verify` holds it against the schedule itself.
const OLD_BACKUP: i64 = 8 * 86_400;

/// How one part of a stack stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As it should be.
    Fine,
    /// Something is wrong with it.
    Red,
    /// It could not be asked.
    Unknown,
    /// The stack has no such part.
    Absent,
}

/// One part of a stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Which: one of [`PARTS`].
    pub part: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// The same for people, a line without a full stop.
    pub text: String,
    /// What was seen; `{}` where nothing was.
    pub facts: Value,
}

/// The parts of a stack, in the order in which they are told.
pub const PARTS: [&str; 12] = [
    "state",
    "lock",
    "instance",
    "spot",
    "volume",
    "database",
    "disk",
    "recovery_point",
    "dump",
    "drill",
    "alarms",
    "cost",
];

/// How one stack stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// `<name>-<environment>`.
    pub stack: String,
    /// The stack file.
    pub file: String,
    /// AWS region.
    pub region: String,
    /// Whether nothing is red.
    pub fine: bool,
    /// Each of [`PARTS`], in that order.
    pub parts: Vec<Part>,
}

impl Part {
    fn new(part: &'static str, standing: Standing, text: impl Into<String>, facts: Value) -> Self {
        Self { part, standing, text: text.into(), facts }
    }

    fn fine(part: &'static str, text: impl Into<String>, facts: Value) -> Self {
        Self::new(part, Standing::Fine, text, facts)
    }

    fn red(part: &'static str, text: impl Into<String>, facts: Value) -> Self {
        Self::new(part, Standing::Red, text, facts)
    }

    fn unknown(part: &'static str, why: impl Into<String>) -> Self {
        Self::new(part, Standing::Unknown, why, serde_json::json!({}))
    }

    fn unasked(part: &'static str, error: &CloudError) -> Self {
        Self::unknown(part, error.to_string())
    }

    fn absent(part: &'static str, why: impl Into<String>) -> Self {
        Self::new(part, Standing::Absent, why, serde_json::json!({}))
    }
}

impl Fleet<'_> {
    /// How each stack stands, in their order. Those of one cloud and region share what is asked of
    /// EC2 and CloudWatch, however many they are.
    pub async fn status(&self) -> Vec<Status> {
        let groups = groups(&self.0);
        let told = join_all(groups.iter().map(|group| {
            let stacks: Vec<&Deployment> = group.iter().map(|at| self.0[*at]).collect();
            look::group(stacks)
        }))
        .await;
        let mut all: Vec<(usize, Status)> =
            groups.into_iter().zip(told).flat_map(|(group, told)| group.into_iter().zip(told)).collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, status)| status).collect()
    }
}
