//! The way of a user through the commands: exact texts and exit codes.

use crate::{place::Place, transcript};

#[test]
fn the_first_plan() {
    transcript::check("plan-first", &Place::new(), &["plan --local stacks/dev.yaml"]);
}

#[test]
fn nothing_is_changed_without_a_terminal_or_approval() {
    let place = Place::new();
    let commands = [
        "apply --local stacks/dev.yaml",
        "destroy --local stacks/dev.yaml",
        "recover --local stacks/dev.yaml",
    ];
    transcript::check("not-approved", &place, &commands);
    assert!(!place.path(".lhctl").exists(), "something was written without approval");
}

#[test]
fn after_an_apply() {
    let place = Place::applied();
    let commands = [
        "plan --local stacks/dev.yaml --detailed-exitcode",
        "apply --local stacks/dev.yaml --auto-approve",
        "state list --local stacks/dev.yaml",
        "state show --local stacks/dev.yaml volume.data",
        "state show --local stacks/dev.yaml volume.nope",
        "output --local stacks/dev.yaml",
        "output --local stacks/dev.yaml --raw volume_id",
        "output --local stacks/dev.yaml --json database_endpoint",
        "output --local stacks/dev.yaml nope",
        "cost --local stacks/dev.yaml",
    ];
    transcript::check("after-apply", &place, &commands);
    place
        .run("local show")
        .expect(0)
        .says("running, t4g.micro, us-east-1a")
        .says("parameter          /lighthouse/dev/db/password value hidden");
}

#[test]
fn before_an_apply_there_is_nothing_to_show() {
    let commands = [
        "state list --local stacks/dev.yaml",
        "output --local stacks/dev.yaml",
        "output --local stacks/dev.yaml --json",
        "output --local stacks/dev.yaml volume_id",
        "recover --local stacks/dev.yaml --auto-approve",
    ];
    transcript::check("before-apply", &Place::new(), &commands);
}

#[test]
fn an_apply_tells_each_step_and_ends_with_counts_and_outputs() {
    let place = Place::new();
    let ended = place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
    assert!(
        ended.out.contains("Apply complete! Resources: 14 added, 0 changed, 0 destroyed.\n\nOutputs:\n\n")
    );
    for address in ["volume.data", "instance.main", "security_group_rule.ssh-203.0.113.7/32"] {
        assert!(ended.err.contains(&format!("create {address}…\n")), "{}", ended.err);
        assert!(ended.err.contains(&format!("✓ create {address} ")), "{}", ended.err);
    }
    assert!(!ended.out.contains('\u{1b}') && !ended.err.contains('\u{1b}'), "colour without a terminal");
}

#[test]
fn changes_end_a_detailed_plan_with_2() {
    let place = Place::new();
    place.run("plan --local stacks/dev.yaml --detailed-exitcode").expect(2);
    place.run("plan --local stacks/dev.yaml").expect(0);
}

#[test]
fn init_writes_a_valid_file_once() {
    let place = Place::new();
    transcript::check("init", &place, &["init lantern", "init lantern", "init Bad_Name", "validate"]);
    place.run("plan --local stacks/lantern.yaml").expect(0).says("lantern-dev in us-east-1");
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let text = place.run(&format!("completions {shell}")).expect(0).out;
        for command in ["plan", "apply", "destroy", "output", "recover", "completions"] {
            assert!(text.contains(command), "the {shell} completions lack {command}");
        }
    }
    place.run("man").expect(0).says(".TH lhctl");
    // 2 would say that a plan found changes.
    place.run("completions tcsh").expect(1).says("possible values: bash");
}

#[test]
fn help_lists_the_exit_codes() {
    place_help("--help", "3 the lock is held");
    place_help("plan --help", "--detailed-exitcode");
}

fn place_help(args: &str, text: &str) {
    Place::new().run(args).expect(0).says(text);
}

#[test]
fn local_reset_forgets_the_world_and_its_states() {
    let place = Place::applied();
    transcript::check("local-reset", &place, &["local reset", "local show", "local reset"]);
    assert!(!place.path(".lhctl/local").exists());
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0).says("14 added");
}
