//! The production stack on moto over HTTP, its state in S3 and DynamoDB there too. Not what moto
//! cannot do: it has no backup selections, so the vault has no schedule; docs/moto-gaps.md.

use super::{Living, Stage};

const PROD: &str = "stacks/prod.yaml";
const STACK: &str = "lighthouse-prod";

const BOOTSTRAP: &str = "bootstrap stacks/prod.yaml";
const PLAN: &str = "plan stacks/prod.yaml --detailed-exitcode";
const APPLY: &str = "apply stacks/prod.yaml --auto-approve";
const DESTROY: &str = "destroy stacks/prod.yaml --auto-approve";

/// The production stack with its surroundings and its place for state; None without moto.
fn bootstrapped(test: &str) -> Option<Stage> {
    let stage = Stage::bare(test)?;
    stage.moto.import_key_pair("lighthouse-prod");
    stage.moto.make_surroundings();
    edit(
        &stage,
        "  purchase: on-demand",
        &format!("  purchase: on-demand\n  image: {}", stage.moto.arm64_image()),
    );
    edit(&stage, "schedule: cron(0 5 * * ? *)", "schedule: none");
    edit(&stage, "protect: true ", "protect: false ");
    stage.run(BOOTSTRAP).expect(0).says("Bootstrap complete!");
    Some(stage)
}

#[track_caller]
fn edit(stage: &Stage, from: &str, to: &str) {
    let text = stage.place.text(PROD);
    assert!(text.contains(from), "the stack file has no `{from}`");
    stage.place.write(PROD, &text.replacen(from, to, 1));
}

/// One of everything that the stack has.
fn whole() -> Living {
    Living {
        instances: 1,
        volumes: 1,
        groups: 1,
        roles: 1,
        alarms: 4,
        topics: 1,
        secrets: 1,
        log_groups: 1,
        ..Living::default()
    }
}

#[test]
fn the_production_stack_lives_a_whole_life() {
    let Some(stage) = bootstrapped("the_production_stack_lives_a_whole_life") else { return };
    stage.run(BOOTSTRAP).expect(0).says("nothing was changed");
    stage.run(PLAN).expect(2).says("Plan: 23 to add, 0 to change, 0 to destroy.");
    stage.run(APPLY).expect(0).says("Apply complete! Resources: 23 added, 0 changed, 0 destroyed.");
    assert_eq!(stage.moto.living(STACK), whole(), "after the apply");
    stage.run(PLAN).expect(0).says("No changes.");
    for (from, to) in [
        ("type: t4g.small", "type: t4g.medium"),
        ("size: 100", "size: 150"),
        ("cpu_percent: 80", "cpu_percent: 85"),
        ("Project: lighthouse", "Project: lantern"),
    ] {
        edit(&stage, from, to);
    }
    stage.run(APPLY).expect(0).says("Resources: 0 added, 17 changed, 0 destroyed.");
    assert_eq!(stage.moto.living(STACK), whole(), "after the change");
    stage.run(PLAN).expect(0).says("No changes.");
    stage.run(DESTROY).expect(0).says("Destroy complete! Resources: 1 added, 0 changed, 22 destroyed.");
    assert_eq!(stage.moto.living(STACK), Living::default(), "after the destroy");
    assert_eq!(stage.moto.snapshots(STACK), 1, "the final snapshot");
    stage.run(DESTROY).expect(0).says("0 destroyed.");
}

/// The state is in S3 by then, and the lease of the dead run has to run out.
#[test]
fn a_killed_apply_of_production_goes_on() {
    let Some(stage) = bootstrapped("a_killed_apply_of_production_goes_on") else { return };
    let mut child = stage.place.command(&stage.env(), APPLY).spawn().unwrap();
    while stage.moto.living(STACK).instances == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it was killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stage.run(APPLY).expect(0).says("Apply complete!");
    assert_eq!(stage.moto.living(STACK), whole());
    stage.run(PLAN).expect(0).says("No changes.");
}
