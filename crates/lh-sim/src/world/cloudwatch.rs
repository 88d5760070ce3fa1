//! CloudWatch: alarms and dashboards: what the world keeps of it.

use super::{Millis, Tagged, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the world keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudWatch {
    /// Alarms on one metric, by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// Dashboards by name.
    pub dashboards: BTreeMap<String, Dashboard>,
}

/// An alarm on one metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The ARN.
    pub arn: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Whether its actions are done at all.
    pub actions_enabled: bool,
    /// What is told of `OK`.
    pub ok_actions: Vec<String>,
    /// What is told of `ALARM`.
    pub alarm_actions: Vec<String>,
    /// What is told of `INSUFFICIENT_DATA`.
    pub insufficient_data_actions: Vec<String>,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric.
    pub metric: String,
    /// The metric's dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// `Average`, `Maximum`, ….
    pub statistic: String,
    /// Seconds.
    pub period: i32,
    /// Periods that are looked at.
    pub evaluation_periods: i32,
    /// Periods of these that have to be beyond the threshold.
    pub datapoints: Option<i32>,
    /// How the metric is compared with the threshold.
    pub comparison: String,
    /// The threshold.
    pub threshold: f64,
    /// What a missing value counts as.
    pub missing_data: Option<String>,
    /// The tags.
    pub tags: Tags,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Why it is in this state.
    pub state_reason: String,
    /// When its state changed last.
    pub state_since: Millis,
    /// What its metric shows while the instance runs.
    #[serde(default)]
    pub shows: f64,
    /// What became of it, oldest first.
    #[serde(default)]
    pub history: Vec<AlarmEvent>,
}

/// An entry in an alarm's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmEvent {
    /// When.
    pub at: Millis,
    /// `StateUpdate` or `Action`.
    pub kind: String,
    /// What, in CloudWatch's words.
    pub summary: String,
}

/// A dashboard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Dashboard {
    /// The ARN.
    pub arn: String,
    /// The body, as it was written.
    pub body: String,
}

impl CloudWatch {
    /// What the tagging API shows of it.
    pub(crate) fn tagged(&self) -> Vec<Tagged> {
        let show = |alarm: &Alarm| Tagged {
            kind: "cloudwatch:alarm",
            arn: alarm.arn.clone(),
            tags: alarm.tags.clone(),
        };
        self.alarms.values().map(show).collect()
    }
}
