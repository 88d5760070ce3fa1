//! Alarms on one metric.

use super::{PAGES, invalid, required, tags, unknown};
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::page;
use crate::scene::Scene;
use crate::world;
use aws_sdk_cloudwatch::operation::delete_alarms::{DeleteAlarmsInput, DeleteAlarmsOutput};
use aws_sdk_cloudwatch::operation::describe_alarms::{DescribeAlarmsInput, DescribeAlarmsOutput};
use aws_sdk_cloudwatch::operation::put_metric_alarm::{PutMetricAlarmInput, PutMetricAlarmOutput};
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, MetricAlarm, StateValue, Statistic,
};
use std::collections::BTreeMap;

/// Each state has at most five actions.
const MOST_ACTIONS: usize = 5;
/// All periods together are at most seven days where one is an hour or more, else at most one.
const DAY: i64 = 86_400;

/// What lag knows an alarm by.
fn key(name: &str) -> String {
    format!("alarm/{name}")
}

/// PutMetricAlarm replaces the whole configuration and keeps state and tags of an alarm that
/// exists; tags given with an update are ignored:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>.
pub(super) fn put(s: &mut Scene<'_>, i: &PutMetricAlarmInput) -> Result<PutMetricAlarmOutput, ApiError> {
    let name = required(&i.alarm_name, "AlarmName")?;
    let mut alarm = configured(s, i)?;
    match s.here.cloudwatch.alarms.get(name).cloned() {
        Some(old) => {
            alarm = world::Alarm {
                tags: old.tags,
                state: old.state,
                state_reason: old.state_reason,
                state_since: old.state_since,
                shows: old.shows,
                history: old.history,
                ..alarm
            };
        }
        None => {
            tags::put(&mut alarm.tags, i.tags.as_deref().unwrap_or_default())?;
            s.born(&key(name));
            s.born(&format!("tags/{}", alarm.arn));
        }
    }
    s.here.cloudwatch.alarms.insert(name.clone(), alarm);
    Ok(PutMetricAlarmOutput::builder().build())
}

/// The alarm that the input describes, new, without tags.
fn configured(s: &Scene<'_>, i: &PutMetricAlarmInput) -> Result<world::Alarm, ApiError> {
    let name = required(&i.alarm_name, "AlarmName")?;
    if name.chars().count() > 255 {
        return Err(invalid("AlarmName must have 1 to 255 characters"));
    }
    if i.metrics.is_some() || i.threshold_metric_id.is_some() || i.extended_statistic.is_some() {
        return Err(invalid("Only alarms on one metric and a statistic are simulated"));
    }
    let absent = |parameter: &str| invalid(format!("{parameter} is required for a metric alarm"));
    let comparison = i.comparison_operator.as_ref().ok_or_else(|| absent("ComparisonOperator"))?;
    let statistic = i.statistic.as_ref().ok_or_else(|| absent("Statistic"))?;
    let mut alarm = world::Alarm {
        arn: s.arn("cloudwatch", &format!("alarm:{name}")),
        description: i.alarm_description.clone(),
        actions_enabled: i.actions_enabled.unwrap_or(true),
        ok_actions: actions(s, i.ok_actions.as_deref())?,
        alarm_actions: actions(s, i.alarm_actions.as_deref())?,
        insufficient_data_actions: actions(s, i.insufficient_data_actions.as_deref())?,
        namespace: required(&i.namespace, "Namespace")?.clone(),
        metric: required(&i.metric_name, "MetricName")?.clone(),
        dimensions: dimensions(i.dimensions.as_deref().unwrap_or_default())?,
        statistic: statistic.as_str().to_owned(),
        period: i.period.ok_or_else(|| absent("Period"))?,
        evaluation_periods: i.evaluation_periods.ok_or_else(|| absent("EvaluationPeriods"))?,
        datapoints: i.datapoints_to_alarm,
        comparison: comparison.as_str().to_owned(),
        threshold: i.threshold.ok_or_else(|| absent("Threshold"))?,
        missing_data: i.treat_missing_data.clone(),
        state: StateValue::InsufficientData.as_str().to_owned(),
        state_reason: "Unchecked: Initial alarm creation".to_owned(),
        state_since: s.now,
        ..world::Alarm::default()
    };
    check_times(&alarm)?;
    match alarm.missing_data.as_deref() {
        None => alarm.missing_data = Some("missing".to_owned()),
        Some("breaching" | "notBreaching" | "ignore" | "missing") => {}
        Some(other) => return Err(invalid(format!("TreatMissingData cannot be {other}"))),
    }
    Ok(alarm)
}

fn check_times(alarm: &world::Alarm) -> Result<(), ApiError> {
    if !matches!(alarm.period, 10 | 20 | 30) && (alarm.period < 60 || alarm.period % 60 != 0) {
        return Err(invalid("Period must be 10, 20, 30 or a multiple of 60"));
    }
    let most = if alarm.period < 3600 { DAY } else { 7 * DAY };
    if alarm.evaluation_periods < 1 || i64::from(alarm.evaluation_periods) * i64::from(alarm.period) > most {
        return Err(invalid("EvaluationPeriods and Period together are out of range"));
    }
    if alarm.datapoints.is_some_and(|points| points < 1 || points > alarm.evaluation_periods) {
        return Err(invalid("DatapointsToAlarm must be at most EvaluationPeriods"));
    }
    Ok(())
}

/// Whether a topic exists is not checked, but it must be in the alarm's region.
fn actions(s: &Scene<'_>, given: Option<&[String]>) -> Result<Vec<String>, ApiError> {
    let given = given.unwrap_or_default();
    if given.len() > MOST_ACTIONS {
        return Err(invalid("At most 5 actions can be specified"));
    }
    for arn in given {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "sns", region, ..] if *region != s.region => {
                return Err(invalid(format!(
                    "Invalid region {region} specified. Only {} is supported.",
                    s.region
                )));
            }
            ["arn", _, "sns", _, account, name] if !account.is_empty() && !name.is_empty() => {}
            _ => return Err(invalid(format!("Invalid arn syntax: {arn}"))),
        }
    }
    Ok(given.to_vec())
}

fn dimensions(given: &[Dimension]) -> Result<BTreeMap<String, String>, ApiError> {
    if given.len() > 30 {
        return Err(invalid("A metric has at most 30 dimensions"));
    }
    given
        .iter()
        .map(|one| Ok((required(&one.name, "Name")?.clone(), required(&one.value, "Value")?.clone())))
        .collect()
}

/// DescribeAlarms, by up to 100 names or by a prefix:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>.
pub(super) fn describe(s: &mut Scene<'_>, i: &DescribeAlarmsInput) -> Result<DescribeAlarmsOutput, ApiError> {
    let names = i.alarm_names.as_deref();
    if names.is_some_and(|names| names.len() > 100) {
        return Err(invalid("AlarmNames must have at most 100 members"));
    }
    if names.is_some() && i.alarm_name_prefix.is_some() {
        return Err(invalid("AlarmNames and AlarmNamePrefix can't be used together"));
    }
    let metric = i.alarm_types.as_deref().is_none_or(|types| types.contains(&AlarmType::MetricAlarm));
    let prefix = i.alarm_name_prefix.as_deref().unwrap_or_default();
    let fits =
        |name: &String| metric && name.starts_with(prefix) && names.is_none_or(|names| names.contains(name));
    let found = s.here.cloudwatch.alarms.iter().filter(|(name, _)| fits(name));
    let mut all: Vec<_> = found.map(|(name, alarm)| (name.clone(), alarm.clone())).collect();
    all.retain(|(name, _)| s.visible(&key(name)));
    let (found, next) = page(all, i.max_records, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let shown = found.into_iter().map(|(name, alarm)| show(name, alarm)).collect();
    Ok(DescribeAlarmsOutput::builder()
        .set_metric_alarms(Some(shown))
        .set_composite_alarms(Some(Vec::new()))
        .set_next_token(next)
        .build())
}

fn show(name: String, alarm: world::Alarm) -> MetricAlarm {
    let dimension = |(name, value)| Dimension::builder().name(name).value(value).build();
    MetricAlarm::builder()
        .alarm_name(name)
        .alarm_arn(alarm.arn)
        .set_alarm_description(alarm.description)
        .actions_enabled(alarm.actions_enabled)
        .set_ok_actions(Some(alarm.ok_actions))
        .set_alarm_actions(Some(alarm.alarm_actions))
        .set_insufficient_data_actions(Some(alarm.insufficient_data_actions))
        .namespace(alarm.namespace)
        .metric_name(alarm.metric)
        .set_dimensions(Some(alarm.dimensions.into_iter().map(dimension).collect()))
        .statistic(Statistic::from(alarm.statistic.as_str()))
        .period(alarm.period)
        .evaluation_periods(alarm.evaluation_periods)
        .set_datapoints_to_alarm(alarm.datapoints)
        .comparison_operator(ComparisonOperator::from(alarm.comparison.as_str()))
        .threshold(alarm.threshold)
        .set_treat_missing_data(alarm.missing_data)
        .state_value(StateValue::from(alarm.state.as_str()))
        .state_reason(alarm.state_reason)
        .state_updated_timestamp(date(alarm.state_since))
        .build()
}

/// DeleteAlarms, up to 100: "In the event of an error, no alarms are deleted":
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html>.
pub(super) fn delete(s: &mut Scene<'_>, i: &DeleteAlarmsInput) -> Result<DeleteAlarmsOutput, ApiError> {
    let names = i.alarm_names.as_deref().unwrap_or_default();
    if names.len() > 100 {
        return Err(invalid("AlarmNames must have at most 100 members"));
    }
    for name in names {
        s.here.cloudwatch.alarms.remove(name).ok_or_else(unknown)?;
    }
    Ok(DeleteAlarmsOutput::builder().build())
}
