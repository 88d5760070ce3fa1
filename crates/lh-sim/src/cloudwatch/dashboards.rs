//! Dashboards: a name and a body in JSON.

use super::required;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Dashboard;
use aws_sdk_cloudwatch::operation::delete_dashboards::{DeleteDashboardsInput, DeleteDashboardsOutput};
use aws_sdk_cloudwatch::operation::get_dashboard::{GetDashboardInput, GetDashboardOutput};
use aws_sdk_cloudwatch::operation::put_dashboard::{PutDashboardInput, PutDashboardOutput};
use serde_json::Value;

/// Units of the grid that a widget may be wide and high:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>.
const WIDEST: u64 = 24;
const HIGHEST: u64 = 1000;

fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterInput", message)
}

fn unknown(name: &str) -> ApiError {
    ApiError::with_status(404, "ResourceNotFound", format!("Dashboard {name} does not exist"))
}

fn key(name: &str) -> String {
    format!("dashboard/{name}")
}

/// PutDashboard replaces what is there:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html>.
pub(super) fn put(s: &mut Scene<'_>, i: &PutDashboardInput) -> Result<PutDashboardOutput, ApiError> {
    let name = required(&i.dashboard_name, "DashboardName")?;
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > 255 || !name.chars().all(fine) {
        return Err(wrong("The name of the dashboard is not valid"));
    }
    let body = required(&i.dashboard_body, "DashboardBody")?;
    check(body)?;
    if !s.here.cloudwatch.dashboards.contains_key(name) {
        s.born(&key(name));
    }
    // A dashboard belongs to the account: its ARN names no region, though each region keeps its own.
    let arn = format!("arn:aws:cloudwatch::{}:dashboard/{name}", s.account);
    s.here.cloudwatch.dashboards.insert(name.clone(), Dashboard { arn, body: body.clone() });
    Ok(PutDashboardOutput::builder().set_dashboard_validation_messages(Some(Vec::new())).build())
}

fn check(body: &str) -> Result<(), ApiError> {
    let body: Value = serde_json::from_str(body).map_err(|_| wrong("The dashboard body is not JSON"))?;
    let Some(widgets) = body.get("widgets").and_then(Value::as_array) else {
        return Err(wrong("The field \"widgets\" is required"));
    };
    if widgets.len() > 500 {
        return Err(wrong("A dashboard has at most 500 widgets"));
    }
    for (place, widget) in widgets.iter().enumerate() {
        let within = |field: &str, most: u64| {
            widget.get(field).is_none_or(|size| size.as_u64().is_some_and(|size| (1..=most).contains(&size)))
        };
        let known = widget.get("type").and_then(Value::as_str);
        let known =
            known.is_some_and(|kind| matches!(kind, "metric" | "text" | "log" | "alarm" | "explorer"));
        let properties = widget.get("properties").is_some_and(Value::is_object);
        if !known || !properties || !within("width", WIDEST) || !within("height", HIGHEST) {
            return Err(wrong(format!("The widget {place} of the dashboard body is not valid")));
        }
    }
    Ok(())
}

/// GetDashboard: the body as it was written.
pub(super) fn get(s: &mut Scene<'_>, i: &GetDashboardInput) -> Result<GetDashboardOutput, ApiError> {
    let name = required(&i.dashboard_name, "DashboardName")?;
    let found = s.here.cloudwatch.dashboards.get(name).cloned().ok_or_else(|| unknown(name))?;
    if !s.visible(&key(name)) {
        return Err(unknown(name));
    }
    Ok(GetDashboardOutput::builder()
        .dashboard_name(name)
        .dashboard_arn(found.arn)
        .dashboard_body(found.body)
        .build())
}

/// DeleteDashboards: where one cannot be found, none is deleted:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteDashboards.html>.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteDashboardsInput,
) -> Result<DeleteDashboardsOutput, ApiError> {
    for name in i.dashboard_names.as_deref().unwrap_or_default() {
        s.here.cloudwatch.dashboards.remove(name).ok_or_else(|| unknown(name))?;
    }
    Ok(DeleteDashboardsOutput::builder().build())
}
