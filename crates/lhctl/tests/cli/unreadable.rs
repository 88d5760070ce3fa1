//! One resource that AWS does not let be read: the others are planned for and shown, nothing is
//! believed to be gone, and nothing is changed that could depend on it.

use crate::{
    canonical,
    place::{Place, STATE},
};

const FAULTS: [&str; 2] = ["fail=DescribeAddresses", "deny=DescribeAddresses"];
const GROWN: &str = "--set volume.size=30";

#[test]
fn a_plan_shows_what_can_be_read_and_names_what_cannot() {
    let place = Place::applied();
    for fault in FAULTS {
        let ended = place.faulty(fault, &format!("plan --local stacks/dev.yaml {GROWN}")).expect(1);
        assert!(ended.out.contains("~ volume.data") && ended.out.contains("20 → 30"), "{}", ended.out);
        assert!(ended.out.contains("= elastic_ip.main: It could not be read: nothing is planned for it."));
        assert!(!ended.out.contains("instance.main"), "what needs it is as it was:\n{}", ended.out);
        ended
            .says("error[E0601]: elastic_ip.main could not be read: ec2:DescribeAddresses: ")
            .says("--> stacks/dev.yaml:12:14")
            .says("`--target ADDR` of plan and apply goes on with what does not need it.")
            .says("This plan is refused");
        let same = place.faulty(fault, "plan --local stacks/dev.yaml --detailed-exitcode").expect(1);
        same.says("Nothing is to be changed in what could be read.");
    }
}

#[test]
fn nothing_is_changed_beside_it_but_what_is_asked_for() {
    let place = Place::applied();
    let before = (canonical::world(&place), place.id("elastic_ip.main"));
    for fault in FAULTS {
        for command in [format!("apply {GROWN}"), "destroy".to_owned(), "destroy --retain-data".to_owned()] {
            let ended = place.faulty(fault, &format!("{command} --local stacks/dev.yaml --auto-approve"));
            ended.expect(1).says("error[E0601]: elastic_ip.main").says("Nothing was changed.");
            canonical::assert_same(&command, &canonical::world(&place), &before.0);
            assert_eq!(place.id("elastic_ip.main"), before.1);
        }
    }
    let apply = format!("apply {GROWN} --local stacks/dev.yaml --auto-approve --target");
    place.faulty(FAULTS[0], &format!("{apply} elastic_ip_association.main")).expect(1).says("E0601");
    place.faulty(FAULTS[0], &format!("{apply} volume.data")).expect(0).says("0 added, 1 changed");
    assert_eq!(place.id("elastic_ip.main"), before.1, "it is still recorded");
    place.run("destroy --local stacks/dev.yaml --auto-approve").expect(0);
}

/// The creation may have taken effect, nobody can tell: it stays open, whatever the stack file says by
/// then, until it can be read.
#[test]
fn a_creation_that_nobody_can_see_holds_up_a_destroy() {
    let place = Place::new();
    place.faulty("fail=AllocateAddress", "apply --local stacks/dev.yaml --auto-approve").expect(1);
    for set in ["", "--set network.public_ip=false"] {
        for command in ["destroy", "apply"] {
            let command = format!("{command} --local stacks/dev.yaml --auto-approve {set}");
            place.faulty("fail=DescribeAddresses", &command).expect(1).says("error[E0601]: elastic_ip.main");
        }
    }
    assert_eq!(place.holds("volumes").len(), 2, "the data volume and the root volume stand");
    place.run("destroy --local stacks/dev.yaml --auto-approve").expect(0).says("Destroy complete!");
    let state = place.text(STATE);
    assert!(!state.contains("elastic_ip.main\": {\n"), "{state}");
    assert_eq!(place.holds("addresses").len(), 0);
}
