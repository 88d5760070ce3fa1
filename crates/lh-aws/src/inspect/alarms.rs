//! Alarms as they stand, what became of them, and putting one into a state to try it.

use aws_sdk_cloudwatch::types::{HistoryItemType, MetricAlarm, ScanBy, StateValue};
use aws_smithy_types::DateTime;
use futures_util::future::try_join_all;
use lh_kind::CloudError;

use super::Inspector;
use crate::error::Named;

/// Names that one call takes (CloudWatch API reference, DescribeAlarms).
const MAX_NAMES: usize = 100;

/// An alarm as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmSight {
    /// Its name.
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Since when, in seconds since 1970.
    pub since: i64,
    /// Why, in CloudWatch's words.
    pub reason: String,
    /// Whether its actions are done.
    pub actions_enabled: bool,
    /// ARNs of what is told of `ALARM`.
    pub alarm_actions: Vec<String>,
}

/// An entry in an alarm's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEvent {
    /// `StateUpdate`, `Action`, ….
    pub kind: String,
    /// What, in CloudWatch's words.
    pub summary: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

impl Inspector {
    /// The alarms of these names that exist.
    ///
    /// # Errors
    /// When CloudWatch cannot be asked.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<AlarmSight>, CloudError> {
        let ask = |names: &[String]| {
            let request = self.clients.cloudwatch.describe_alarms().set_alarm_names(Some(names.to_vec()));
            async move {
                let answer = request.max_records(100).send().await.named("cloudwatch:DescribeAlarms")?;
                Ok::<_, CloudError>(answer.metric_alarms.unwrap_or_default())
            }
        };
        let pages = try_join_all(names.chunks(MAX_NAMES).map(ask)).await?;
        Ok(pages.iter().flatten().map(sight).collect())
    }

    /// Puts an alarm into a state until CloudWatch evaluates it again; who is told of that state is
    /// told now: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html>.
    ///
    /// # Errors
    /// When CloudWatch refuses, or does not know the alarm.
    pub async fn set_alarm(&self, name: &str, state: &str, reason: &str) -> Result<(), CloudError> {
        let request = self.clients.cloudwatch.set_alarm_state().alarm_name(name).state_reason(reason);
        let request = request.state_value(StateValue::from(state));
        request.send().await.named("cloudwatch:SetAlarmState").map(drop)
    }

    /// What became of an alarm since `from` (seconds since 1970), the newest first.
    ///
    /// # Errors
    /// When CloudWatch cannot be asked.
    pub async fn alarm_history(&self, name: &str, from: i64) -> Result<Vec<AlarmEvent>, CloudError> {
        let request = self.clients.cloudwatch.describe_alarm_history().alarm_name(name);
        let request = request.start_date(DateTime::from_secs(from)).scan_by(ScanBy::TimestampDescending);
        let answer = request.max_records(100).send().await.named("cloudwatch:DescribeAlarmHistory")?;
        let event = |item: &aws_sdk_cloudwatch::types::AlarmHistoryItem| AlarmEvent {
            kind: item.history_item_type().map_or("", HistoryItemType::as_str).to_owned(),
            summary: item.history_summary().unwrap_or_default().to_owned(),
            at: item.timestamp().and_then(|at| at.to_millis().ok()).unwrap_or_default(),
        };
        Ok(answer.alarm_history_items().iter().map(event).collect())
    }
}

fn sight(alarm: &MetricAlarm) -> AlarmSight {
    AlarmSight {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        state: alarm.state_value().map_or("", StateValue::as_str).to_owned(),
        since: alarm.state_updated_timestamp().map_or(0, DateTime::secs),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        actions_enabled: alarm.actions_enabled().unwrap_or(true),
        alarm_actions: alarm.alarm_actions().to_vec(),
    }
}
