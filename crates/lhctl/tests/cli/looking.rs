//! `doctor`, `status`, and the chapters of `verify` about AWS: what a user sees, and exit codes.

use crate::place::Place;

#[test]
fn doctor_is_a_checklist_that_changes_nothing() {
    let place = Place::new();
    let fine = place.run("doctor --local stacks/dev.yaml").expect(0);
    for text in [
        "Checklist of lighthouse-dev",
        "✓ account",
        "✓ egress",
        "ec2:RunInstances is allowed",
        "- quotas",
        "0 failed",
    ] {
        assert!(fine.out.contains(text), "no `{text}` in\n{}", fine.out);
    }
    assert_eq!(place.holds("instances"), Vec::<serde_json::Value>::new());
    let lost = place.run("doctor --local stacks/dev.yaml --set ssh.key_name=nobodys").expect(1);
    let row = lost.out.split("✗ key-pair").nth(1).unwrap();
    assert!(row.contains("(E0557).") && row.contains("at --set") && row.contains("fix:"), "{row}");
    let denied = place.faulty("deny=RunInstances", "doctor --local stacks/dev.yaml --json").expect(1).json();
    let checks = denied["checks"].as_array().unwrap();
    let row = checks.iter().find(|check| check["name"] == "permissions").unwrap();
    assert_eq!((&denied["holds"], &row["outcome"]), (&false.into(), &"failed".into()));
    // The production stack, whose private subnet reaches the internet through NAT.
    let prod = place.run("doctor --local stacks/prod.yaml");
    assert!(prod.out.contains("by nat-"), "{}\n{}", prod.out, prod.err);
}

#[test]
fn status_is_a_line_a_part_and_red_is_one() {
    let place = Place::new();
    place.run("status --local stacks/dev.yaml").expect(0).says("- state           not applied yet");
    let place = Place::applied();
    // Nobody started a database beside it, which is the one thing that is wrong.
    let told = place.run("status --local stacks/dev.yaml").expect(1);
    for text in [
        "lighthouse-dev  us-east-1",
        "✓ instance",
        "running for",
        "✓ spot",
        "active, fulfilled",
        "✓ volume",
        "in-use",
        "✗ database        not ready",
        "✓ disk",
        "dollars a month",
    ] {
        assert!(told.out.contains(text), "no `{text}` in\n{}", told.out);
    }
    place.meddle(|region| {
        let volumes = region["volumes"].as_object_mut().unwrap();
        volumes.retain(|_, volume| volume["tags"]["lhctl:resource"] != "volume.data");
    });
    let red = place.run("status --local stacks/dev.yaml").expect(1);
    assert!(red.out.contains("✗ volume") && red.out.contains("is gone"), "{}", red.out);
    let json = place.run("status --local stacks/dev.yaml --json").expect(1).json();
    assert_eq!((&json[0]["fine"], &json[0]["parts"][4]["standing"]), (&false.into(), &"red".into()));
}

#[test]
fn verify_goes_on_to_aws_where_the_database_is_not_reached() {
    let place = Place::applied();
    let told = place.run("verify --local stacks/dev.yaml").expect(1);
    for text in [
        "✗ connection",
        "lhctl local database",
        "- recovery-points",
        "- alarms",
        "✓ shell",
        "Run Command on i-",
    ] {
        assert!(told.out.contains(text), "no `{text}` in\n{}", told.out);
    }
    let url = "--database-url postgresql://postgres@127.0.0.1:1/lighthouse?sslmode=disable";
    place.run(&format!("verify {url}")).expect(1).says("A database URL was given, so AWS is not asked");
    place.run(&format!("verify --test-alarm {url}")).expect(1).says("--test-alarm tries an alarm in AWS");
    place.run("verify --local stacks/dev.yaml --skip shel").expect(1).says("There is no check `shel`.");
}
