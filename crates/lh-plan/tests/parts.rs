//! Plans of a part of the stack, and plans that take what AWS shows into the state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

mod support;

use lh_engine::{Session, Stop};
use lh_model::Address;
use lh_plan::{Mode, Plan, Scope};
use lh_testkit::{Bench, ToyStack, bench::holder};
use serde_json::json;
use support::*;

async fn within(bench: &Bench, stack: &ToyStack, scope: &Scope) -> Plan {
    let session = Session::read(bench.ports(), &stack.0).await.unwrap();
    session.plan_within(&stack.0, scope).await.unwrap()
}

fn only(targets: &[&str]) -> Scope {
    let targets: Vec<Address> = targets.iter().map(|target| target.parse().unwrap()).collect();
    Scope { targets, ..Mode::Apply.into() }
}

async fn part(bench: &Bench, stack: &ToyStack, targets: &[&str]) -> Plan {
    let plan = within(bench, stack, &only(targets)).await;
    is_sound(&plan);
    plan
}

/// Carries out what `scope` plans.
async fn run(bench: &Bench, stack: &ToyStack, scope: &Scope) -> Plan {
    let mut session = Session::lock(bench.ports(), &stack.0, holder()).await.unwrap();
    let plan = session.plan_within(&stack.0, scope).await.unwrap();
    let outcome = session.execute(&plan, &Stop::default()).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    session.close().await.unwrap();
    plan
}

#[tokio::test]
async fn a_target_comes_with_what_it_needs_and_nothing_else() {
    let (bench, stack) = (Bench::new(), ToyStack::reference());
    assert_eq!(sorted(&part(&bench, &stack, &["disk.data"]).await), ["create disk.data"]);
    assert_eq!(
        sorted(&part(&bench, &stack, &["mount.data"]).await),
        ["create disk.data", "create group.main", "create mount.data", "create server.main"]
    );
    let two = part(&bench, &stack, &["disk.data", "rule.db"]).await;
    assert_eq!(sorted(&two), ["create disk.data", "create group.main", "create rule.db"]);
    assert_eq!(two.targets.len(), 2, "the plan says what it is for");
}

#[tokio::test]
async fn parts_one_after_another_make_the_whole() {
    let (bench, stack) = (Bench::new(), ToyStack::reference());
    for address in ["disk.data", "mount.data", "rule.ssh", "rule.db", "address.main", "secret.password"] {
        run(&bench, &stack, &only(&[address])).await;
    }
    assert!(plan(&bench, &stack).await.is_empty());
    assert_eq!(bench.cloud.census().len(), 8);
}

#[tokio::test]
async fn changes_elsewhere_are_left_out_with_their_cost() {
    let bench = applied(&ToyStack::reference()).await;
    let other = ToyStack::reference().set("disk.data", "size", json!(100)).set("rule.db", "note", json!("x"));
    let rule = part(&bench, &other, &["rule.db"]).await;
    assert_eq!(words(&rule), ["update rule.db"]);
    assert_eq!(rule.cost_after.total(), rule.cost_before.total(), "the disk does not grow in this plan");
    assert_ne!(plan(&bench, &other).await.cost_after.total(), rule.cost_before.total());
}

#[tokio::test]
async fn what_is_replaced_takes_along_what_must_go_before_it() {
    let bench = applied(&ToyStack::reference()).await;
    let other = ToyStack::reference().set("group.main", "description", json!("other"));
    let plan = part(&bench, &other, &["group.main"]).await;
    assert!(words(&plan).contains(&"delete rule.db".to_owned()), "{:?}", words(&plan));
    assert!(place(&plan, "delete rule.db") < place(&plan, "delete group.main"));
    assert!(!words(&plan).iter().any(|step| step.contains("secret")));
}

#[tokio::test]
async fn what_left_the_spec_can_be_a_target() {
    let bench = applied(&ToyStack::reference()).await;
    let less = ToyStack::reference().without("rule.db").without("rule.ssh");
    assert_eq!(words(&part(&bench, &less, &["rule.db"]).await), ["delete rule.db"]);
}

#[tokio::test]
async fn an_unknown_target_is_refused_with_the_nearest() {
    let (bench, stack) = (Bench::new(), ToyStack::reference());
    let plan = within(&bench, &stack, &only(&["disk.dat"])).await;
    assert_eq!(codes(&plan), ["E0612"]);
    assert!(
        plan.refusals[0].fix.as_ref().unwrap().contains("Did you mean `disk.data`?"),
        "{:?}",
        plan.refusals
    );
}

#[tokio::test]
async fn a_refresh_records_what_is_there_and_changes_nothing() {
    let bench = applied(&ToyStack::reference()).await;
    let stack = ToyStack::reference();
    bench.cloud.edit("disk.data", "size", json!(30));
    bench.cloud.edit("disk.data", "tags.Owner", json!("them"));
    bench.cloud.edit("disk.data", "tags.Foreign", json!("x"));
    bench.cloud.vanish("rule.db");
    let (census, refresh) = (bench.cloud.census(), Mode::Refresh.into());
    let shown = within(&bench, &stack, &refresh).await;
    is_sound(&shown);
    assert_eq!(sorted(&shown), ["forget rule.db", "refresh disk.data"]);
    let drift = shown.drift.iter().find(|drift| drift.field == "size").unwrap();
    assert_eq!((&drift.recorded, &drift.actual, &drift.wanted), (&json!(20), &json!(30), &json!(20)));
    bench.cloud.take_log();
    run(&bench, &stack, &refresh).await;
    assert!(
        bench.cloud.take_log().iter().all(|call| call.starts_with("toy:Describe") || call.contains("LookUp"))
    );
    assert_eq!(bench.cloud.census(), census);
    let state = bench.state(&stack.0).await;
    let record = &state.resources[&"disk.data".parse().unwrap()];
    assert_eq!(record.inputs["size"], json!(30));
    assert_eq!(record.inputs["tags"], json!({"Owner": "them"}), "a tag of others is not made ours");
    assert!(!state.resources.contains_key(&"rule.db".parse().unwrap()));
    assert!(within(&bench, &stack, &refresh).await.is_empty(), "refreshed once is refreshed");
    // The next plan says what the file asks for otherwise: it is no drift any more.
    let next = plan(&bench, &stack.set("disk.data", "size", json!(30))).await;
    assert!(next.drift.is_empty(), "{:?}", next.drift);
    assert_eq!(sorted(&next), ["create rule.db", "update disk.data"]);
}
