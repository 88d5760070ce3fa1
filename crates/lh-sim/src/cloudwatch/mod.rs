//! CloudWatch: alarms on one metric, their states and tags, and dashboards. There are no metrics.

mod alarms;
mod dashboards;
mod states;
mod tags;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::paging::Limits;

pub(crate) use states::evaluate;

/// `MaxRecords` of DescribeAlarms and DescribeAlarmHistory is 1 to 100.
const PAGES: Limits = Limits { least: 1, most: 100, usual: 50 };

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("PutMetricAlarm", alarms::put),
        reads("DescribeAlarms", alarms::describe),
        writes("DeleteAlarms", alarms::delete),
        writes("SetAlarmState", states::set),
        reads("DescribeAlarmHistory", states::history),
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

fn unknown() -> ApiError {
    ApiError::with_status(404, "ResourceNotFound", "Unknown alarm")
}
