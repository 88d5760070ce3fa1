//! Spot requests outlive their instances: they are found, and cancelled before anything else.

use std::time::Duration;

use lh_aws::Aws;
use lh_kind::Mutate;

use crate::{
    stage::{Stage, op},
    steps,
};

async fn with_instance() -> Stage {
    let mut stage = Stage::simulated(true).await;
    stage.look_up().await;
    for (kind, props) in steps::stack(true) {
        stage.make(kind, props).await;
        if kind == "instance" {
            break;
        }
    }
    stage
}

async fn live_requests(aws: &Aws) -> usize {
    let answer = aws.clients().ec2.describe_spot_instance_requests().send().await.unwrap();
    let live = |state: &str| matches!(state, "open" | "active" | "disabled");
    answer.spot_instance_requests().iter().filter(|r| r.state().is_some_and(|s| live(s.as_str()))).count()
}

#[tokio::test]
async fn guide_defect_10_a_request_that_outlived_its_instance_is_found_and_cancelled() {
    let stage = with_instance().await;
    let target = stage.made.last().unwrap().target.clone();
    let id = target.id.clone().unwrap();
    stage.aws.clients().ec2.terminate_instances().instance_ids(&id.0).send().await.unwrap();
    stage.pass(Duration::from_secs(1)).await;
    let mut found = None;
    for _ in 0..60 {
        found = stage.see(&target).await;
        if found.as_ref().is_none_or(|found| found.facts["state"] != "shutting-down") {
            break;
        }
        stage.pass(Duration::from_secs(10)).await;
    }
    let found = found.expect("the live request is shown");
    assert!(found.facts["spot_request_id"].is_string(), "{found:?}");
    stage.aws.delete("instance", &op(&target), &found.id, &found.facts).await.unwrap();
    for _ in 0..60 {
        if stage.see(&target).await.is_none() {
            break;
        }
        stage.pass(Duration::from_secs(10)).await;
    }
    assert!(stage.see(&target).await.is_none());
    assert_eq!(live_requests(&stage.aws).await, 0);
}
