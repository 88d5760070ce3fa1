//! How much AWS is asked: few requests, and hardly any that wait for one another.

use lh::{Cloud, Deployment, Mode, SavedPlan, Stack};
use serde_json::{Value, json};

use crate::{apply, deployment, kept};

/// Requests and rounds of a plan, after the stack was applied with the same overrides.
async fn of_idle_plan(set: &[&str]) -> (usize, usize) {
    let cloud = Cloud::simulated();
    apply(&cloud, set).await;
    let sim = cloud.sim().unwrap();
    sim.forget_calls();
    let plan = deployment(&cloud, set).plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    (sim.calls().len(), sim.rounds())
}

#[tokio::test]
async fn a_plan_without_changes_costs_16_requests_and_2_rounds_at_most() {
    let (requests, rounds) = of_idle_plan(&[]).await;
    assert!(requests <= 16 && rounds <= 2, "{requests} requests in {rounds} rounds");
}

/// The whole of prod, its state in S3, everything managed. Two rounds are the state's: its journal
/// is listed when the snapshot is known. `docs/performance.md` compares this with the budget.
#[tokio::test]
async fn a_plan_of_prod_without_changes_costs_35_requests_and_4_rounds_at_most() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/prod.yaml");
    let cloud = Cloud::simulated();
    let prod = || Deployment::new(Stack::load(file, &[]).unwrap(), cloud.clone());
    prod().bootstrap().await.unwrap();
    cloud.sim().unwrap().forget_calls();
    kept(&cloud, prod().apply(|_| true).await);
    let sim = cloud.sim().unwrap();
    sim.forget_calls();
    let plan = prod().plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    let calls: Vec<_> =
        sim.calls().into_iter().map(|call| format!("{} {}", call.round, call.operation)).collect();
    assert!(calls.len() <= 35 && sim.rounds() <= 4, "{} in {} rounds: {calls:#?}", calls.len(), sim.rounds());
}

#[tokio::test]
async fn fifty_rules_cost_no_more_rounds_than_one() {
    let sources: Vec<String> = (0..50).map(|n| format!("203.0.113.{n}/32")).collect();
    let many = format!("network.allow_postgres_from=[{}]", sources.join(", "));
    let one = of_idle_plan(&[]).await;
    assert_eq!(of_idle_plan(&[&many]).await, one);
}

#[tokio::test]
async fn a_first_plan_looks_up_more_and_changes_nothing() {
    let cloud = Cloud::simulated();
    deployment(&cloud, &[]).plan(Mode::Apply).await.unwrap();
    let sim = cloud.sim().unwrap();
    let (requests, rounds) = (sim.calls().len(), sim.rounds());
    assert!(requests <= 24 && rounds <= 4, "{requests} requests in {rounds} rounds");
    assert!(sim.calls().iter().all(|call| !call.mutating), "a plan changed something");
}

#[tokio::test]
async fn outputs_without_secrets_ask_nothing() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    cloud.sim().unwrap().forget_calls();
    let outputs = deployment(&cloud, &[]).outputs().await.unwrap();
    assert!(outputs.iter().any(|output| output.name == "volume_id"));
    assert_eq!(cloud.sim().unwrap().calls(), []);
    let secret = deployment(&cloud, &[]).output("database_connection_string").await.unwrap();
    assert!(secret.expose().starts_with("postgresql://"));
    assert_eq!(cloud.sim().unwrap().calls().len(), 1);
}

/// A stack of `count` copies of a volume, a parameter, and a group with four rules: seven
/// resources each, through a saved plan, which holds what is wanted as it is.
async fn copies(cloud: &Cloud, count: usize) -> Deployment {
    let made = deployment(cloud, &[]);
    let plan = made.plan(Mode::Apply).await.unwrap();
    let vpc = plan.pins["network"].answer["vpc_id"].clone();
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
    let mut all = vec![
        resource("volume", &name, volume),
        resource("parameter", &name, parameter),
        resource("security_group", &name, group),
    ];
    all.extend((0..4).map(|rule| {
        let group = json!({ "$ref": format!("security_group.{name}#id") });
        let rule = json!({ "group_id": group, "protocol": "tcp", "port": 5432 + rule, "cidr": "192.0.2.0/24", "description": "rule", "tags": tags });
        resource("security_group_rule", &format!("{name}-{}", rule["port"]), rule)
    }));
    all
}

#[tokio::test]
async fn three_hundred_and_fifty_resources_cost_30_requests_at_most() {
    let cloud = Cloud::simulated();
    let many = copies(&cloud, 50).await;
    let applied = many.apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome.failed);
    assert_eq!(applied.state.resources.len(), 350);
    let sim = cloud.sim().unwrap();
    sim.forget_calls();
    let plan = many.plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    let (requests, rounds) = (sim.calls().len(), sim.rounds());
    assert!(requests <= 30 && rounds <= 3, "{requests} requests in {rounds} rounds");
}
