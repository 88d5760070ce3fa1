//! What is wrong in a stack file: every mistake, with its place, its reason and its fix.

use crate::{place::Place, transcript};

#[test]
fn the_reference_stacks_are_valid() {
    transcript::check("validate-reference", &Place::new(), &["validate", "validate stacks/prod.yaml --json"]);
}

#[test]
fn every_mistake_of_a_file_is_told_at_once_and_underlined() {
    let place = Place::new();
    place.edit("type: t4g.micro", "type: t3.micro");
    place.edit("allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: [203.0.113.7/33, 0.0.0.0/0]");
    place.edit("  size: 20 ", "  siez: 20 ");
    transcript::check("validate-mistakes", &place, &["validate stacks/dev.yaml"]);
}

#[test]
fn a_misspelt_type_is_met_with_the_nearest_one() {
    let place = Place::new();
    place.edit("type: t4g.micro", "type: t4g.smal");
    transcript::check("validate-misspelt-type", &place, &["validate stacks/dev.yaml"]);
}

#[test]
fn an_override_is_pointed_at_on_the_command_line() {
    let commands = ["validate stacks/dev.yaml --set instance.type=t3.micro --set volume.size=0"];
    transcript::check("validate-override", &Place::new(), &commands);
}

#[test]
fn an_invalid_file_ends_every_command_with_4_and_no_change() {
    let place = Place::new();
    place.edit("t4g.micro", "t3.micro");
    for command in ["plan", "apply --auto-approve", "destroy --auto-approve", "output", "state list", "cost"]
    {
        place.run(&format!("{command} --local stacks/dev.yaml")).expect(4).says("error[E0402]");
    }
    assert!(!place.path(".lhctl").exists(), "an invalid file left something behind");
}

#[test]
fn a_missing_file_and_a_missing_folder_are_told_plainly() {
    let place = Place::new();
    transcript::check("missing-stack", &place, &["plan --local stacks/nope.yaml", "validate stacks"]);
    std::fs::remove_dir_all(place.path("stacks")).unwrap();
    transcript::check("missing-folder", &place, &["plan --local"]);
}

#[test]
fn prod_is_planned_whole_once_its_state_has_a_place() {
    transcript::check(
        "plan-prod",
        &Place::new(),
        &["bootstrap --local stacks/prod.yaml", "plan --local stacks/prod.yaml"],
    );
}
