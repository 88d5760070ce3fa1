//! How much AWS is asked: few requests, and hardly any that wait for one another.

use lh::{Cloud, Mode};

use crate::{apply, deployment};

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
