//! What the dashboard shows: the alarms above, then what they are about and what explains it.

use lh_model::Resource;
use serde_json::{Value, json};

use super::{alarms, arn};
use crate::{
    desire::{reference, resource},
    stack::{Monitoring, Placed, Stack},
};

/// Widgets are two in a row of the 24 columns that CloudWatch has.
const WIDTH: usize = 12;
const HEIGHT: usize = 6;
/// The alarms' own row above them.
const TOP: usize = 2;

/// The dashboard.
pub(super) fn resource_of(stack: &Stack, monitoring: &Monitoring) -> Resource {
    let origin = &monitoring.dashboard.origin;
    let props = json!({ "name": stack.prefix(), "body": body(stack, monitoring) });
    let mut dashboard = resource("dashboard", "main", origin, props);
    dashboard.origins = [("body".to_owned(), origin.clone())].into();
    dashboard
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>
fn body(stack: &Stack, monitoring: &Monitoring) -> Value {
    let mut widgets = vec![alarm_row(stack, monitoring)];
    for (place, (title, metrics, limit)) in graphs(monitoring).into_iter().enumerate() {
        let mut properties = json!({
            "title": title, "region": stack.region.value, "view": "timeSeries", "stacked": false,
            "period": 300, "stat": "Average", "metrics": metrics,
        });
        if let Some(limit) = limit {
            let line = json!({ "label": "alarm", "value": limit.value });
            properties["annotations"] = json!({ "horizontal": [line] });
        }
        widgets.push(json!({
            "type": "metric", "x": place % 2 * WIDTH, "y": TOP + place / 2 * HEIGHT,
            "width": WIDTH, "height": HEIGHT, "properties": properties,
        }));
    }
    json!({ "widgets": widgets })
}

fn alarm_row(stack: &Stack, monitoring: &Monitoring) -> Value {
    let alarms = alarms(stack, monitoring);
    let arns: Vec<Value> = alarms
        .iter()
        .map(|alarm| arn(stack, "cloudwatch", &format!("alarm:{}", alarm.name(stack))))
        .collect();
    json!({
        "type": "alarm", "x": 0, "y": 0, "width": 2 * WIDTH, "height": TOP,
        "properties": { "title": stack.prefix(), "alarms": arns },
    })
}

/// Title, metrics, and the alarm's threshold where there is one.
type Graph<'a> = (&'static str, Vec<Value>, Option<&'a Placed<u32>>);

fn graphs(monitoring: &Monitoring) -> Vec<Graph<'_>> {
    let instance = || reference("instance", "main", "id");
    let host = |namespace: &str, metric: &str| json!([namespace, metric, "InstanceId", instance()]);
    let volume = |metric: &str, stat: &str| json!(["AWS/EBS", metric, "VolumeId", reference("volume", "data", "id"), { "stat": stat }]);
    let limits = &monitoring.alarms;
    vec![
        ("CPU, percent", vec![host("AWS/EC2", "CPUUtilization")], limits.cpu_percent.as_ref()),
        ("Memory, percent", vec![host("CWAgent", "mem_used_percent")], limits.memory_percent.as_ref()),
        ("Data volume, percent", vec![host("CWAgent", "disk_used_percent")], limits.disk_percent.as_ref()),
        ("CPU credits", vec![host("AWS/EC2", "CPUCreditBalance")], None),
        (
            "Data volume, operations",
            vec![volume("VolumeReadOps", "Sum"), volume("VolumeWriteOps", "Sum")],
            None,
        ),
        ("Data volume, queue", vec![volume("VolumeQueueLength", "Average")], None),
        ("Network, bytes", vec![host("AWS/EC2", "NetworkIn"), host("AWS/EC2", "NetworkOut")], None),
        ("Failed status checks", vec![host("AWS/EC2", "StatusCheckFailed")], None),
    ]
}
