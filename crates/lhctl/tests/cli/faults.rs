//! An AWS that throttles, fails, loses answers and shows things late: the run completes, or the
//! next one does.

use crate::{
    enumeration::{Scenario, each},
    place::Place,
};

const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";
const DESTROY: &str = "destroy --local stacks/dev.yaml --auto-approve";

#[test]
fn an_unsteady_aws_is_borne_without_help() {
    let scenario = Scenario::new(Place::new(), APPLY);
    let faults = ["throttle=3", "lag=2", "page=1", "lag=1,throttle=5,server-error=7,page=2", "latency=3ms"];
    each(&faults, |faults| scenario.completes(faults));
}

#[test]
fn any_lost_answer_is_made_good() {
    let scenario = Scenario::new(Place::new(), APPLY);
    let lost: Vec<String> = (1..=scenario.calls).map(|call| format!("lose={call}")).collect();
    each(&lost, |faults| scenario.bears(faults));
}

#[test]
fn any_lost_request_is_made_good() {
    let scenario = Scenario::new(Place::new(), APPLY);
    let lost: Vec<String> = (1..=scenario.calls).step_by(2).map(|call| format!("drop={call}")).collect();
    each(&lost, |faults| scenario.bears(faults));
}

#[test]
fn everything_at_once_is_made_good() {
    let scenario = Scenario::new(Place::new(), APPLY);
    let faults = [
        "server-error=4",
        "lose=2,lose=7,throttle=3,lag=2",
        "lose=5,drop=9,server-error=4,lag=1",
        "lose=12,lose=13,throttle=4,server-error=5,lag=2,page=1",
    ];
    each(&faults, |faults| scenario.bears(faults));
}

#[test]
fn a_destroy_in_an_unsteady_aws() {
    let scenario = Scenario::new(Place::applied(), DESTROY);
    let lost = (1..=scenario.calls).step_by(2).map(|call| format!("lose={call}"));
    let faults: Vec<String> =
        lost.chain(["throttle=3".to_owned(), "server-error=4,lag=2".to_owned()]).collect();
    each(&faults, |faults| scenario.bears(faults));
}

#[test]
fn a_denied_call_points_at_the_line_and_the_next_run_goes_on() {
    let place = Place::new();
    let ended = place.faulty("deny=CreateVolume", APPLY).expect(1);
    ended
        .says("error[E0700]: create volume.data failed: ")
        .says("CreateVolume")
        .says("--> stacks/dev.yaml:20:1")
        .says("Apply failed. Resources: ")
        .says("mend the cause and run the command again to go on.");
    place.run(APPLY).expect(0).says("Apply complete!");
    let whole = Place::applied();
    crate::canonical::assert_same("AWS", &crate::canonical::world(&place), &crate::canonical::world(&whole));
}

#[test]
fn a_denied_read_is_told_and_nothing_is_created_blindly() {
    for operation in ["DescribeVolumes", "DescribeInstances", "GetRole", "DescribeAddresses"] {
        let place = Place::new();
        let ended = place.faulty(&format!("deny={operation}"), APPLY);
        assert_ne!(ended.code, Some(0), "{operation} is denied");
        assert!(ended.err.contains(operation), "{}", ended.err);
        assert!(
            !place.path(crate::place::STATE).exists() || place.holds("volumes").is_empty(),
            "{operation}"
        );
    }
}

#[test]
fn faults_that_cannot_be_understood_are_refused() {
    Place::new()
        .faulty("lag=two", "plan --local stacks/dev.yaml")
        .expect(1)
        .says("`lag=two` is not understood");
}
