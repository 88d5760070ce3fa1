//! Many stacks are planned together, and as each would be alone.

use lh::{Cloud, Deployment, Fleet, Mode};

use crate::{apply, deployment};

/// Stacks of the same file under other names, applied.
async fn stacks(cloud: &Cloud, count: usize) -> Vec<Deployment> {
    let mut all = Vec::new();
    for n in 0..count {
        let name = format!("name=stack{n}");
        let parameter = format!("database.password.ssm=/stack{n}/password");
        let stack = [name.as_str(), parameter.as_str(), "state.path=null", "state.bucket=lighthouse-state"];
        let key = format!("state.key=stack{n}.json");
        let set: Vec<&str> =
            stack.into_iter().chain([key.as_str(), "state.lock_table=lighthouse-locks"]).collect();
        let one = deployment(cloud, &set);
        if n == 0 {
            one.bootstrap().await.unwrap();
        }
        assert!(one.apply(|_| true).await.unwrap().outcome.is_complete());
        all.push(one);
    }
    all
}

#[tokio::test]
async fn five_stacks_cost_hardly_more_than_one_and_plan_as_each_alone() {
    let cloud = Cloud::simulated();
    let all = stacks(&cloud, 5).await;
    let sim = cloud.sim().unwrap();
    let volume = all[2].state().await.unwrap().resources[&"volume.data".parse().unwrap()].id.0.clone();
    sim.edit(|world| {
        world.regions.get_mut("us-east-1").unwrap().volumes.get_mut(&volume).unwrap().throughput = Some(200);
    });

    let mut alone = Vec::new();
    for one in &all {
        alone.push(one.plan(Mode::Apply).await.unwrap());
    }
    sim.forget_calls();
    all[2].plan(Mode::Apply).await.unwrap();
    let (one, one_rounds) = (sim.calls().len(), sim.rounds());
    sim.forget_calls();
    let together: Vec<_> = all.iter().collect::<Fleet<'_>>().plan(Mode::Apply).await;
    let (five, rounds) = (sim.calls().len(), sim.rounds());

    for (plan, alone) in together.into_iter().zip(&alone) {
        let (plan, alone) = (plan.unwrap(), alone.clone());
        assert_eq!(plan.fingerprint, alone.fingerprint);
        assert_eq!((plan.stack, plan.steps, plan.drift), (alone.stack, alone.steps, alone.drift));
    }
    assert_eq!(alone[2].steps.len(), 1);
    assert!(alone.iter().enumerate().all(|(n, plan)| n == 2 || plan.is_empty()));
    // IAM has no reading of many, and each state is an object of its own.
    assert!(five < 3 * one, "one stack costs {one} requests, five cost {five}");
    assert!(rounds <= one_rounds, "{rounds} rounds, {one_rounds} for one");
}

#[tokio::test]
async fn what_is_wrong_with_one_stack_is_told_of_it_alone() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    // Its state is in a bucket that nobody made.
    let state =
        ["name=other", "state.path=null", "state.bucket=nowhere", "state.key=k", "state.lock_table=locks"];
    let (good, bad) = (deployment(&cloud, &[]), deployment(&cloud, &state));
    let plans = [&bad, &good].into_iter().collect::<Fleet<'_>>().plan(Mode::Apply).await;
    assert!(plans[0].as_ref().is_err_and(|error| error.to_string().contains("nowhere")));
    assert!(plans[1].as_ref().unwrap().is_empty());
}

#[tokio::test]
async fn stacks_of_several_regions_are_asked_for_where_they_are() {
    let cloud = Cloud::simulated();
    let west = ["name=west", "region=us-west-2"];
    let all = [deployment(&cloud, &[]), deployment(&cloud, &west)];
    let plans = all.iter().collect::<Fleet<'_>>().plan(Mode::Apply).await;
    let regions: Vec<_> = plans.into_iter().map(|plan| plan.map(|plan| plan.region)).collect();
    assert_eq!(regions[0].as_ref().unwrap(), "us-east-1");
    assert_eq!(regions[1].as_ref().unwrap(), "us-west-2");
}

#[tokio::test]
async fn no_stack_is_no_plan() {
    assert!(Vec::<&Deployment>::new().into_iter().collect::<Fleet<'_>>().plan(Mode::Apply).await.is_empty());
}
