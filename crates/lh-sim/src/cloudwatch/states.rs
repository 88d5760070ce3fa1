//! States of alarms over the virtual clock: CloudWatch evaluates them, SetAlarmState overrules it
//! until the next evaluation, and each change has its place in the alarm's history.
//!
//! There are no metrics: an alarm's metric shows what [`Alarm::shows`] says for as long as its
//! instance runs, and nothing while it does not. It is taken to have shown that all the time, so
//! that one evaluation is enough for a change of state.

use super::{PAGES, invalid, required, unknown};
use crate::clock::{SECOND, date};
use crate::outcome::ApiError;
use crate::paging::page;
use crate::scene::Scene;
use crate::world::{Alarm, AlarmEvent, InstanceState, Millis, Region};
use aws_sdk_cloudwatch::operation::describe_alarm_history::{
    DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput,
};
use aws_sdk_cloudwatch::operation::set_alarm_state::{SetAlarmStateInput, SetAlarmStateOutput};
use aws_sdk_cloudwatch::types::{AlarmHistoryItem, AlarmType, HistoryItemType, ScanBy, StateValue};

/// "CloudWatch evaluates the alarm every minute" where its period is one or longer:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>.
const EVERY: Millis = 60 * SECOND;
/// Entries that are kept of an alarm; CloudWatch keeps them for 30 days.
const MOST: usize = 100;

/// Evaluates all alarms whose state is old enough.
pub(crate) fn evaluate(region: &mut Region, now: Millis) {
    let Region { cloudwatch, instances, sns, .. } = region;
    for alarm in cloudwatch.alarms.values_mut().filter(|alarm| now >= alarm.state_since + EVERY) {
        let instance = alarm.dimensions.get("InstanceId").and_then(|id| instances.get(id));
        let runs = instance.is_some_and(|it| it.state == InstanceState::Running);
        let state = match (runs, alarm.missing_data.as_deref()) {
            (true, _) if beyond(alarm) => StateValue::Alarm,
            (true, _) | (false, Some("notBreaching")) => StateValue::Ok,
            (false, Some("breaching")) => StateValue::Alarm,
            (false, Some("ignore")) => continue,
            (false, _) => StateValue::InsufficientData,
        };
        let reason = match runs {
            true => format!("Threshold Crossed: 2 datapoints [{}] were evaluated.", alarm.shows),
            false => "Insufficient Data: 2 datapoints were unknown.".to_owned(),
        };
        enter(alarm, state.as_str(), &reason, now, &|arn| sns.topics.contains_key(arn));
    }
}

fn beyond(alarm: &Alarm) -> bool {
    match alarm.comparison.as_str() {
        "GreaterThanThreshold" => alarm.shows > alarm.threshold,
        "GreaterThanOrEqualToThreshold" => alarm.shows >= alarm.threshold,
        "LessThanThreshold" => alarm.shows < alarm.threshold,
        _ => alarm.shows <= alarm.threshold,
    }
}

/// Puts an alarm into a state. A change of it is noted, and its actions are done.
fn enter(alarm: &mut Alarm, state: &str, reason: &str, now: Millis, exists: &dyn Fn(&str) -> bool) {
    if alarm.state == state {
        return;
    }
    let mut events = vec![("StateUpdate", format!("Alarm updated from {} to {state}", alarm.state))];
    (alarm.state, alarm.state_reason, alarm.state_since) = (state.to_owned(), reason.to_owned(), now);
    let actions = match state {
        "OK" => &alarm.ok_actions,
        "ALARM" => &alarm.alarm_actions,
        _ => &alarm.insufficient_data_actions,
    };
    for action in actions.iter().filter(|_| alarm.actions_enabled) {
        let result = if exists(action) { "Successfully executed" } else { "Failed to execute" };
        events.push(("Action", format!("{result} action {action}")));
    }
    let event = |(kind, summary): (&str, String)| AlarmEvent { at: now, kind: kind.to_owned(), summary };
    alarm.history.extend(events.into_iter().map(event));
    let surplus = alarm.history.len().saturating_sub(MOST);
    alarm.history.drain(..surplus);
}

/// SetAlarmState, until the alarm is evaluated again:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html>.
pub(super) fn set(s: &mut Scene<'_>, i: &SetAlarmStateInput) -> Result<SetAlarmStateOutput, ApiError> {
    let name = required(&i.alarm_name, "AlarmName")?;
    let reason = required(&i.state_reason, "StateReason")?;
    let state = i.state_value.as_ref().map(StateValue::as_str).unwrap_or_default();
    if !matches!(state, "OK" | "ALARM" | "INSUFFICIENT_DATA") {
        return Err(invalid("StateValue must be OK, ALARM or INSUFFICIENT_DATA"));
    }
    let (now, topics) = (s.now, &s.here.sns.topics);
    let alarm = s.here.cloudwatch.alarms.get_mut(name).ok_or_else(unknown)?;
    enter(alarm, state, reason, now, &|arn| topics.contains_key(arn));
    Ok(SetAlarmStateOutput::builder().build())
}

/// DescribeAlarmHistory of one alarm, the newest entry first unless asked otherwise:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html>.
pub(super) fn history(
    s: &mut Scene<'_>,
    i: &DescribeAlarmHistoryInput,
) -> Result<DescribeAlarmHistoryOutput, ApiError> {
    let name = required(&i.alarm_name, "AlarmName")?;
    let kind = i.history_item_type.as_ref().map(HistoryItemType::as_str);
    let (from, to) = (i.start_date, i.end_date);
    let events = s.here.cloudwatch.alarms.get(name).map(|alarm| alarm.history.clone()).unwrap_or_default();
    let within = |event: &AlarmEvent| {
        let at = date(event.at);
        kind.is_none_or(|kind| kind == event.kind)
            && from.is_none_or(|from| at >= from)
            && to.is_none_or(|to| at <= to)
    };
    let mut events: Vec<AlarmEvent> = events.into_iter().filter(within).collect();
    if i.scan_by != Some(ScanBy::TimestampAscending) {
        events.reverse();
    }
    let (events, next) = page(events, i.max_records, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let show = |event: AlarmEvent| {
        AlarmHistoryItem::builder()
            .alarm_name(name)
            .alarm_type(AlarmType::MetricAlarm)
            .timestamp(date(event.at))
            .history_item_type(event.kind.as_str().into())
            .history_summary(event.summary)
            .build()
    };
    let items = events.into_iter().map(show).collect();
    Ok(DescribeAlarmHistoryOutput::builder()
        .set_alarm_history_items(Some(items))
        .set_next_token(next)
        .build())
}
