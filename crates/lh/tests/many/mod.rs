//! A stack of hundreds of resources, for the tests of budgets.

use lh::{Cloud, Deployment, Mode, SavedPlan};
use serde_json::{Value, json};

/// A stack of `count` copies of a volume, three alarms, a parameter, a log group and a security
/// group, through a saved plan of `made`, which holds what is wanted as it is.
pub async fn copies(cloud: &Cloud, made: &Deployment, count: usize) -> Deployment {
    let plan = made.plan(Mode::Apply).await.unwrap();
    let mut pins = made.state().await.unwrap().pins;
    pins.extend(plan.pins.clone());
    let vpc = pins["network"].answer["vpc_id"].clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.plan");
    made.save(plan).write(&file).unwrap();
    let mut saved: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    saved["desired"]["resources"] = (0..count).flat_map(|n| copy(n, &vpc)).collect();
    saved["desired"]["outputs"] = json!([]);
    std::fs::write(&file, saved.to_string()).unwrap();
    Deployment::new(SavedPlan::read(&file).unwrap().stack(), cloud.clone())
}

fn copy(n: usize, vpc: &Value) -> Vec<Value> {
    let tags = json!({ "Owner": "test" });
    let resource = |kind: &str, name: &str, props: Value| json!({ "address": format!("{kind}.{name}"), "props": props, "origin": null, "existing": "refuse" });
    let name = format!("n{n}");
    let group = json!({ "name": name, "description": "one of many", "vpc_id": vpc, "tags": tags });
    let volume = json!({ "zone": "us-east-1a", "size": 10, "type": "gp3", "encrypted": true, "tags": tags });
    let parameter = json!({ "name": format!("/many/{n}"), "generate": true, "tags": tags });
    let log_group = json!({ "name": format!("/many/{n}"), "retention_days": 30, "tags": tags });
    let alarm = |metric: &str| {
        let name = format!("{name}-{metric}");
        let props = json!({
            "name": name, "actions_enabled": true, "namespace": "Many", "metric": metric,
            "dimensions": { "Copy": n.to_string() }, "statistic": "Average", "period": 300,
            "evaluation_periods": 2, "datapoints": 2, "comparison": "GreaterThanThreshold",
            "threshold": 80.0, "missing_data": "missing", "tags": tags,
        });
        resource("alarm", &name, props)
    };
    vec![
        resource("volume", &name, volume),
        alarm("cpu"),
        alarm("disk"),
        alarm("memory"),
        resource("parameter", &name, parameter),
        resource("log_group", &name, log_group),
        resource("security_group", &name, group),
    ]
}
