//! CloudWatch: alarms on one metric, their tags, and dashboards. There are no metrics: an alarm
//! changes its state only when it is told to.

mod alarms;
mod dashboards;
mod tags;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("PutMetricAlarm", alarms::put),
        reads("DescribeAlarms", alarms::describe),
        writes("DeleteAlarms", alarms::delete),
        writes("SetAlarmState", alarms::set_state),
        writes("PutDashboard", dashboards::put),
        reads("GetDashboard", dashboards::get),
        writes("DeleteDashboards", dashboards::delete),
        writes("TagResource", tags::tag),
        writes("UntagResource", tags::untag),
        reads("ListTagsForResource", tags::list),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i String, ApiError> {
    let missing = || ApiError::new("MissingParameter", format!("The parameter {name} is required"));
    value.as_ref().filter(|text| !text.is_empty()).ok_or_else(missing)
}
