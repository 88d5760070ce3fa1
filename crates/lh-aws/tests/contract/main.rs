//! The contract of every kind, kept against the simulated AWS, and over HTTP against moto where
//! `LHCTL_TEST_MOTO` names a `moto_server`.

// A test that cannot go on should panic where it stands, in its helpers as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod backup;
mod monitoring;
mod named;
mod named_lookups;
mod spot;
mod stage;
mod steps;

use std::{collections::BTreeSet, io::Write, time::Duration};

use futures_util::future::{join, join_all};
use lh_kind::{Observe, Probe, Seen};
use lh_model::{Lookup, Map};
use lh_testkit::Moto;
use serde_json::{Value, json};
use stage::Stage;

fn map(value: Value) -> Map {
    value.as_object().cloned().unwrap()
}

/// Everything dev has, from nothing to nothing, with each promise of the contract on the way.
async fn whole_life(stage: &mut Stage) {
    stage.look_up().await;
    for (kind, props) in steps::stack(stage.spot) {
        stage.make(kind, props).await;
    }
    stage.found_beside_absent().await;
    for (kind, change) in steps::changes(stage.spot) {
        stage.change(kind, change).await;
    }
    stage.remove_all().await;
}

#[tokio::test]
async fn the_simulated_aws_spot() {
    whole_life(&mut Stage::simulated(true).await).await;
}

#[tokio::test]
async fn the_simulated_aws_on_demand() {
    whole_life(&mut Stage::simulated(false).await).await;
}

#[tokio::test]
async fn an_emulator_over_http() {
    let Some(program) = std::env::var_os("LHCTL_TEST_MOTO") else {
        // Past the test harness, which would keep a passing test's words to itself.
        let text = "SKIPPED an_emulator_over_http: needs LHCTL_TEST_MOTO=path/to/moto_server";
        let _ = writeln!(std::io::stderr(), "{text}");
        return;
    };
    let moto = Moto::start(&program);
    whole_life(&mut Stage::over_http(&moto.url()).await).await;
}

#[tokio::test]
async fn looking_at_an_unchanged_stack_takes_fifteen_calls_at_once() {
    let mut stage = Stage::simulated(true).await;
    let pins = stage.look_up().await;
    // A snapshot is made only when a stack is destroyed.
    for (kind, props) in steps::stack(true).into_iter().filter(|(kind, _)| *kind != "snapshot") {
        stage.make(kind, props).await;
    }
    let sim = stage.sim.clone().unwrap();
    sim.forget_calls();
    let probes: Vec<Probe> =
        pins.into_iter().map(|(lookup, answer)| Probe { lookup, pinned: Some(answer) }).collect();
    let kinds: BTreeSet<&str> = stage.made.iter().map(|made| made.target.address.kind()).collect();
    let targets: Vec<(&str, Vec<_>)> = kinds
        .into_iter()
        .map(|kind| {
            let of_kind = stage.made.iter().filter(|made| made.target.address.kind() == kind);
            (kind, of_kind.map(|made| made.target.clone()).collect())
        })
        .collect();
    let looks = join_all(targets.iter().map(|(kind, targets)| stage.aws.observe(kind, targets)));
    let (answers, seen) = join(stage.aws.look_up(&probes), looks).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(seen.iter().flatten().all(|seen| matches!(seen, Seen::Found(_))), "{seen:?}");
    let calls: Vec<_> = sim.calls().into_iter().map(|call| call.operation).collect();
    assert!(calls.len() <= 15, "{} calls: {calls:?}", calls.len());
    assert_eq!(sim.rounds(), 1, "{calls:?}");
}

#[tokio::test]
async fn what_is_missing_is_told_with_what_is_there() {
    let stage = Stage::simulated(false).await;
    let probe = |name: &str, query: Value| Probe {
        lookup: Lookup { name: name.to_owned(), query: map(query), origin: None },
        pinned: None,
    };
    let network = |vpc: &str, kind: &str| probe("network", json!({"vpc": vpc, "instance_type": kind}));
    let answers = stage
        .aws
        .look_up(&[
            probe("key_pair", json!({"key_name": "lighthouse-dav"})),
            network("lighthouse-prod", "t4g.micro"),
            network("default", "z9g.mega"),
            probe("image", json!({"image": "ami-00000000000000000"})),
            probe("parameter", json!({"name": "/nowhere"})),
            probe("moon", json!({})),
        ])
        .await;
    let findings: Vec<_> = answers.into_iter().map(|answer| answer.unwrap_err()).collect();
    let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["E0557", "E0552", "E0559", "E0555", "E0558", "E0550"]);
    assert!(
        findings[0].reason.as_ref().unwrap().contains("the key pairs `lighthouse-dev`, `lighthouse-prod`"),
        "{findings:?}"
    );
    assert!(findings[1].reason.as_ref().unwrap().contains("the VPCs `lighthouse-prod-vpc`"), "{findings:?}");
}

#[tokio::test]
async fn a_secret_is_revealed_only_when_asked_for() {
    let mut stage = Stage::simulated(false).await;
    let (kind, props) = steps::stack(false).into_iter().find(|(kind, _)| *kind == "parameter").unwrap();
    stage.make(kind, props).await;
    let name = stage.made[0].target.id.clone().unwrap().0;
    let value = stage.aws.reveal(&lh_model::SecretRef::Parameter(name)).await.unwrap();
    assert_eq!(value.expose().len(), 43);
    let missing = stage.aws.reveal(&lh_model::SecretRef::Parameter("/none".into())).await;
    assert_eq!(missing.err().map(|error| error.kind), Some(lh_kind::ErrorKind::NotFound));
    stage.pass(Duration::from_secs(1)).await;
}
