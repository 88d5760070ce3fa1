//! What concerns a plan as a whole: destroying, refusals, headline, money, lint, fingerprint.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

mod support;

use lh_plan::{Act, Headline, Mode, Plan, StepId};
use lh_testkit::{Bench, ToyCloud, ToyStack};
use serde_json::json;
use support::*;

fn stack() -> ToyStack {
    ToyStack::reference()
}

fn headline(plan: &Plan) -> Headline {
    let cloud = ToyCloud::default();
    let holds_data =
        |kind: &str| lh_kind::RuleBook::rules(&cloud, kind).is_none_or(|rules| rules.holds_data());
    Headline::of(plan, &holds_data)
}

#[tokio::test]
async fn destroying_goes_backwards_and_copies_data_last() {
    let bench = applied(&stack()).await;
    let plan = destroy(&bench, &stack(), DESTROY).await;
    is_sound(&plan);
    let order = |words: &str| place(&plan, words);
    for (earlier, later) in [
        ("delete mount.data", "delete server.main"),
        ("delete mount.data", "create copy.final-data-0"),
        ("delete server.main", "create copy.final-data-0"),
        ("create copy.final-data-0", "delete disk.data"),
        ("delete rule.db", "delete group.main"),
        ("delete server.main", "delete group.main"),
        ("delete address.main", "delete server.main"),
    ] {
        assert!(order(earlier) < order(later), "{earlier}, {later}: {:?}", words(&plan));
    }
    let delete = step(&plan, Act::Delete, "disk.data");
    assert!(delete.requires.contains(&StepId::new(Act::Create, &"copy.final-data-0".parse().unwrap())));
    assert!(plan.notes.iter().any(|note| note.text.contains("copy.final-data-0")));
    assert!(headline(&plan).data_at_risk.contains("disk.data, secret.password deleted"));
    assert_eq!(headline(&plan).downtime, "the database goes away for good");
    bench.settle(&stack().0, DESTROY).await;
    assert!(destroy(&bench, &stack(), DESTROY).await.is_empty());
}

#[tokio::test]
async fn destroying_with_retained_data_deletes_none() {
    let bench = applied(&stack()).await;
    let plan = destroy(&bench, &stack(), RETAIN).await;
    is_sound(&plan);
    assert!(words(&plan).contains(&"retain disk.data".to_owned()));
    assert!(words(&plan).contains(&"retain secret.password".to_owned()));
    bench.settle(&stack().0, RETAIN).await;
    let left: Vec<String> = bench.cloud.census().into_iter().map(|(address, _)| address).collect();
    assert_eq!(left, ["disk.data", "secret.password"]);
    assert!(destroy(&bench, &stack(), RETAIN).await.is_empty());
    // And the next apply takes them again.
    let again = plan_of(&bench, &stack()).await;
    assert!(words(&again).contains(&"adopt disk.data".to_owned()));
}

async fn plan_of(bench: &Bench, stack: &ToyStack) -> Plan {
    support::plan(bench, stack).await
}

#[tokio::test]
async fn what_is_protected_is_not_destroyed() {
    let bench = applied(&stack()).await;
    let mut protected = stack();
    protected.0.protect = true;
    assert_eq!(codes(&destroy(&bench, &protected, DESTROY).await), ["E0620"]);
    assert!(plan_of(&bench, &protected).await.refusals.is_empty());
}

#[tokio::test]
async fn another_account_and_another_region_are_refused() {
    let bench = applied(&stack()).await;
    let mut other = stack();
    other.0.account = Some("999999999999".to_owned());
    assert_eq!(codes(&plan_of(&bench, &other).await), ["E0608"]);
    let mut other = stack();
    other.0.region = "eu-west-1".to_owned();
    let plan = plan_of(&bench, &other).await;
    assert_eq!(codes(&plan), ["E0609"]);
    let mut lost = stack();
    lost.0.lookups.push(lh_model::Lookup { name: "nowhere".into(), query: Default::default(), origin: None });
    assert_eq!(codes(&plan_of(&bench, &lost).await), ["E0500"]);
}

#[tokio::test]
async fn a_kind_nobody_knows_and_a_circle_are_refused_and_nothing_panics() {
    let unknown = stack().with("gadget.x", json!({}));
    assert_eq!(codes(&plan_of(&Bench::new(), &unknown).await), ["E0610"]);
    let circle = stack().after("group.main", "server.main");
    assert_eq!(codes(&plan_of(&Bench::new(), &circle).await), ["E0607"]);
}

#[tokio::test]
async fn lint_sees_what_a_broken_hand_does_to_a_plan() {
    let bench = applied(&stack()).await;
    let sound = destroy(&bench, &stack(), DESTROY).await;
    type Break = fn(&mut Plan);
    let breaks: [(&str, Break); 7] = [
        ("comes before", |plan| plan.steps.reverse()),
        ("planned twice", |plan| plan.steps.push(plan.steps[0].clone())),
        ("lists no operation", |plan| plan.steps[0].calls.clear()),
        ("no id", |plan| plan.steps[0].cloud_id = None),
        ("delete data in an apply", |plan| plan.mode = Mode::Apply),
        ("to be retained", |plan| plan.mode = RETAIN),
        ("before its last copy", |plan| plan.steps.iter_mut().for_each(|step| step.requires.clear())),
    ];
    for (fault, broken) in breaks {
        let mut plan = sound.clone();
        broken(&mut plan);
        let faults = lh_plan::lint(&plan, &bench.cloud);
        assert!(faults.iter().any(|found| found.contains(fault)), "{fault}: {faults:?}");
    }
}

#[tokio::test]
async fn the_fingerprint_stands_still_and_moves_with_what_is_managed() {
    let bench = applied(&stack()).await;
    let print = plan_of(&bench, &stack()).await.fingerprint;
    assert_eq!(plan_of(&bench, &stack()).await.fingerprint, print);
    for (address, field, value) in [
        ("disk.data", "size", json!(99)),
        ("secret.password", "tags.X", json!("y")),
        ("rule.db", "note", json!("")),
    ] {
        let bench = applied(&stack()).await;
        assert_eq!(plan_of(&bench, &stack()).await.fingerprint, print, "ids are the toy's own");
        bench.cloud.edit(address, field, value);
        assert_ne!(plan_of(&bench, &stack()).await.fingerprint, print, "{address} {field}");
    }
    let bench = applied(&stack()).await;
    bench.cloud.vanish("address.main");
    assert_ne!(plan_of(&bench, &stack()).await.fingerprint, print);
}

#[tokio::test]
async fn an_unknown_price_is_never_counted_as_zero() {
    let bench = applied(&stack()).await;
    let plan = plan_of(&bench, &stack().set("server.main", "type", json!("giant"))).await;
    assert_eq!(plan.cost_before.text(), "15.65");
    assert_eq!(plan.cost_after.text(), "at least 5.65");
    assert_eq!(plan.cost_after.unknown.len(), 1);
    let money = headline(&plan).money;
    assert!(
        money.contains("→ at least $5.65 a month") && money.contains("unknown: no price of giant"),
        "{money}"
    );
}

#[tokio::test]
async fn the_headline_says_it_in_words() {
    let bench = Bench::new();
    let first = headline(&plan_of(&bench, &stack()).await);
    assert_eq!(first.data_at_risk, "none");
    assert_eq!(first.downtime, "none");
    assert_eq!(first.money, "$0.00 → $15.65 a month (+15.65)");
    assert_eq!(
        first.blast_radius,
        "8 resources of 7 kinds in account 123456789012, us-east-1, only stack toy-test"
    );
    bench.apply(&stack().0).await;
    let none = headline(&plan_of(&bench, &stack()).await);
    assert_eq!(none.money, "$15.65 a month, unchanged");
    assert_eq!(none.blast_radius, "nothing in AWS changes");
    let larger = plan_of(&bench, &stack().set("server.main", "type", json!("large"))).await;
    assert_eq!(headline(&larger).downtime, "about 60 seconds");
    assert_eq!(headline(&larger).money, "$15.65 → $25.65 a month (+10.00)");
    let newer = plan_of(&bench, &stack().set("server.main", "image", json!("i"))).await;
    assert_eq!(headline(&newer).downtime, "about 3 minutes");
    let less = plan_of(&bench, &stack().without("mount.data").without("secret.password")).await;
    assert_eq!(headline(&less).data_at_risk, "none lost; secret.password retained");
    bench.cloud.vanish("disk.data");
    let lost = headline(&plan_of(&bench, &stack()).await);
    assert_eq!(lost.data_at_risk, "disk.data already gone from AWS");
}
