//! Stopping: no new step begins, what runs is recorded, and the next apply goes on from there.

use std::sync::{Arc, Mutex};

use lh::{Cloud, Deployment, Event, Events, Mode, Stop};

use crate::{apply, deployment, stack};

/// Asks to stop when the given number of steps is complete.
struct StopAfter {
    stop: Mutex<Option<Stop>>,
    left: Mutex<usize>,
}

impl Events for StopAfter {
    fn tell(&self, event: Event) {
        let mut left = self.left.lock().unwrap();
        if let (Event::Finished { .. }, Some(stop)) = (event, &*self.stop.lock().unwrap()) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                stop.ask();
            }
        }
    }
}

/// The dev stack, which stops itself after so many steps.
fn stopping(cloud: &Cloud, after: usize) -> Deployment {
    let events = Arc::new(StopAfter { stop: Mutex::default(), left: Mutex::new(after) });
    let deployment = Deployment::new(stack(&[]), cloud.clone()).telling(events.clone());
    *events.stop.lock().unwrap() = Some(deployment.stop());
    deployment
}

#[tokio::test]
async fn a_stopped_apply_is_recorded_and_the_next_one_converges() {
    for after in 1..14 {
        let cloud = Cloud::simulated();
        let stopped = stopping(&cloud, after).apply(|_| true).await.unwrap();
        assert!(stopped.outcome.interrupted, "after {after} steps it was not asked to stop");
        assert!(
            !stopped.outcome.skipped.is_empty() && stopped.outcome.failed.is_empty(),
            "{:?}",
            stopped.outcome
        );
        let recorded = stopped.state.resources.len();
        assert!(recorded >= after, "{recorded} resources are recorded after {after} steps");
        let next = apply(&cloud, &[]).await;
        assert!(next.plan.counts().0 <= 14 - after);
        assert_eq!(next.state.resources.len(), 14);
        let plan = deployment(&cloud, &[]).plan(Mode::Apply).await.unwrap();
        assert!(plan.is_empty(), "{:#?}", plan.steps);
        assert_one_of_each(&cloud);
    }
}

#[tokio::test]
async fn a_stopped_destroy_goes_on() {
    for after in [1, 4, 8, 12] {
        let cloud = Cloud::simulated();
        apply(&cloud, &[]).await;
        let stopped = stopping(&cloud, after).destroy(false, |_| true).await.unwrap();
        assert!(stopped.outcome.interrupted && !stopped.outcome.skipped.is_empty());
        let next = deployment(&cloud, &[]).destroy(false, |_| true).await.unwrap();
        assert!(next.outcome.is_complete(), "{:?}", next.outcome);
        let world = cloud.sim().unwrap().snapshot();
        let region = world.region("us-east-1").unwrap();
        let left =
            (region.volumes.len(), region.addresses.len(), region.parameters.len(), region.snapshots.len());
        assert_eq!(left, (0, 0, 0, 1), "volumes, addresses, parameters, snapshots");
    }
}

#[track_caller]
fn assert_one_of_each(cloud: &Cloud) {
    let world = cloud.sim().unwrap().snapshot();
    let region = world.region("us-east-1").unwrap();
    let found =
        (region.instances.len(), region.volumes.len(), region.addresses.len(), region.spot_requests.len());
    assert_eq!(found, (1, 2, 1, 1), "instances, volumes (data and root), addresses, spot requests");
}
