//! How much AWS is asked: few requests, and hardly any that wait for one another.

use std::collections::BTreeMap;

use lh::{Cloud, Deployment, Mode, Stack};
use lh_sim::world::{ACCOUNT, Bucket, Hidden, Secret, Topic, World};

use crate::{apply, deployment, kept, many::copies};

const REGION: &str = "us-east-1";

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
async fn a_plan_without_changes_costs_15_requests_and_1_round_at_most() {
    let (requests, rounds) = of_idle_plan(&[]).await;
    assert!(requests <= 15 && rounds <= 1, "{requests} requests in {rounds} rounds");
}

fn prod(cloud: &Cloud, set: &[&str]) -> Deployment {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/prod.yaml");
    let set: Vec<String> = set.iter().map(|part| (*part).to_owned()).collect();
    Deployment::new(Stack::load(file, &set).unwrap(), cloud.clone())
}

/// Applies the whole of prod, its state in S3, and plans it again: the calls of that plan, each with
/// its round, and how many rounds there were.
async fn of_idle_prod(before: impl FnOnce(&mut World), set: &[&str]) -> (Vec<String>, usize) {
    let cloud = Cloud::simulated();
    let sim = cloud.sim().unwrap();
    sim.edit(before);
    prod(&cloud, set).bootstrap().await.unwrap();
    sim.forget_calls();
    kept(&cloud, prod(&cloud, set).apply(|_| true).await);
    sim.forget_calls();
    let plan = prod(&cloud, set).plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    let calls = sim.calls();
    assert!(calls.iter().all(|call| !call.mutating), "a plan changed something");
    let call = |call: &lh_sim::Call| format!("{} {}", call.round, call.action());
    (calls.iter().map(call).collect(), sim.rounds())
}

/// Topic, bucket and secret of prod, as somebody else made them.
fn theirs(world: &mut World) {
    let bucket = Bucket { owner: ACCOUNT.to_owned(), region: REGION.to_owned(), ..Bucket::default() };
    world.s3.buckets.insert("lighthouse-backups-prod".to_owned(), bucket);
    let (topic, secret) = ("lighthouse-prod-alerts", "lighthouse/prod/db/password");
    let region = world.region_mut(REGION);
    let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{topic}");
    region.sns.topics.insert(arn, Topic { name: topic.to_owned(), ..Topic::default() });
    let secret = Secret {
        name: secret.to_owned(),
        arn: format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret}-AbCdEf"),
        description: None,
        kms_key: None,
        value: Hidden("theirs".to_owned()),
        version: "1".to_owned(),
        tags: BTreeMap::default(),
        created_at: 0,
        deleted: None,
    };
    region.secrets.secrets.insert(secret.name.clone(), secret);
}

/// The state's round, and one for all else.
#[tokio::test]
async fn a_plan_of_prod_without_changes_costs_32_requests_and_2_rounds_at_most() {
    let (calls, rounds) = of_idle_prod(|_| (), &[]).await;
    assert!(calls.len() <= 32 && rounds <= 2, "{} in {rounds} rounds: {calls:#?}", calls.len());
}

#[tokio::test]
async fn a_plan_of_prod_on_what_existed_before_costs_28_requests_and_2_rounds_at_most() {
    let (calls, rounds) = of_idle_prod(theirs, &[]).await;
    assert!(calls.len() <= 28 && rounds <= 2, "{} in {rounds} rounds: {calls:#?}", calls.len());
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

#[tokio::test]
async fn three_hundred_and_fifty_resources_cost_30_requests_at_most() {
    let cloud = Cloud::simulated();
    let many = copies(&cloud, &deployment(&cloud, &[]), 50).await;
    let applied = many.apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome.failed);
    assert_eq!(applied.state.resources.len(), 350);
    let sim = cloud.sim().unwrap();
    sim.forget_calls();
    let plan = many.plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.steps);
    let (requests, rounds) = (sim.calls().len(), sim.rounds());
    let calls: Vec<_> = sim.calls().iter().map(|call| format!("{} {}", call.round, call.action())).collect();
    assert!(requests <= 30 && rounds <= 3, "{requests} requests in {rounds} rounds: {calls:#?}");
}
