//! One change in the spec or in the cloud, and the plan that comes of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

mod support;

use lh_kind::{Effect, ErrorKind};
use lh_model::{Identity, StackId};
use lh_plan::{Act, Mode};
use lh_testkit::{Bench, ToyStack, stack::reference};
use serde_json::{Value, json};
use support::*;

fn stack() -> ToyStack {
    ToyStack::reference()
}

#[tokio::test]
async fn an_empty_state_creates_everything_after_what_it_needs() {
    let plan = plan(&Bench::new(), &stack()).await;
    is_sound(&plan);
    assert_eq!(plan.counts(), (8, 0, 0));
    for (earlier, later) in [
        ("group.main", "rule.ssh"),
        ("group.main", "server.main"),
        ("disk.data", "server.main"),
        ("server.main", "mount.data"),
        ("disk.data", "mount.data"),
        ("server.main", "address.main"),
    ] {
        assert!(place(&plan, &format!("create {earlier}")) < place(&plan, &format!("create {later}")));
    }
    assert_eq!(plan.account.as_deref(), Some("123456789012"));
    assert_eq!(plan.pins.len(), 2);
}

#[tokio::test]
async fn each_property_changes_as_its_field_says() {
    type Case = (&'static str, &'static str, Value, &'static [&'static str], Effect, u32);
    let cases: [Case; 5] = [
        ("disk.data", "size", json!(30), &["update disk.data"], Effect::Online, 0),
        ("rule.db", "note", json!("x"), &["update rule.db"], Effect::Online, 0),
        ("server.main", "type", json!("large"), &["update server.main"], Effect::StopStart, 60),
        ("rule.db", "port", json!(1), &["create rule.db", "delete rule.db"], Effect::Replace, 0),
        (
            "mount.data",
            "device",
            json!("/dev/c"),
            &["create mount.data", "delete mount.data"],
            Effect::Replace,
            0,
        ),
    ];
    for (address, field, value, steps, effect, downtime) in cases {
        let bench = applied(&stack()).await;
        let changed = stack().set(address, field, value.clone());
        let plan = plan(&bench, &changed).await;
        is_sound(&plan);
        assert_eq!(sorted(&plan), steps, "{address} {field}");
        let last = plan.steps.last().unwrap();
        assert_eq!((last.effect, last.downtime_seconds), (effect, downtime), "{address} {field}");
        let change = last.changes.iter().find(|change| change.field == field).unwrap();
        assert_eq!(change.new, value);
        assert!(!change.old.is_null());
        bench.apply(&changed.0).await;
        assert!(support::plan(&bench, &changed).await.is_empty(), "{address} {field}");
    }
}

#[tokio::test]
async fn what_matters_at_creation_only_is_told_and_not_acted_on() {
    let bench = applied(&stack()).await;
    let plan = plan(&bench, &stack().set("server.main", "user_data", json!("other"))).await;
    assert!(plan.is_empty());
    assert!(plan.notes[0].text.contains("user_data differs"), "{:?}", plan.notes);
}

#[tokio::test]
async fn what_would_lose_data_is_refused_with_the_line() {
    let bench = applied(&stack()).await;
    for (field, value, code) in [("size", json!(10), "E0605"), ("zone", json!("b"), "E0606")] {
        let plan = plan(&bench, &stack().set("disk.data", field, value)).await;
        assert_eq!(codes(&plan), [code]);
        assert_eq!(plan.refusals[0].origin.as_ref().map(|origin| origin.line), Some(4));
        assert!(plan.refusals[0].reason.is_some() && plan.refusals[0].fix.is_some());
        assert!(plan.is_empty(), "{:?}", words(&plan));
    }
}

#[tokio::test]
async fn a_new_server_takes_its_mount_and_its_address_with_it() {
    let bench = applied(&stack()).await;
    let changed = stack().set("server.main", "image", json!("image-2"));
    let plan = plan(&bench, &changed).await;
    is_sound(&plan);
    let steps = ["create mount.data", "create server.main", "delete mount.data", "delete server.main"];
    assert_eq!(sorted(&plan)[..4], steps);
    assert_eq!(sorted(&plan)[4..], ["update address.main"]);
    let order = |words: &str| place(&plan, words);
    assert!(order("delete mount.data") < order("delete server.main"));
    assert!(order("delete server.main") < order("create server.main"));
    assert!(order("create server.main") < order("create mount.data"));
    assert!(order("create server.main") < order("update address.main"));
    let server = step(&plan, Act::Create, "server.main");
    assert_eq!((server.generation, server.downtime_seconds), (1, 180));
    assert!(server.reason.contains("image"), "{}", server.reason);
    let address = step(&plan, Act::Update, "address.main");
    assert_eq!(address.changes[0].new, reference("server.main", "id"), "known only after apply");
    bench.apply(&changed.0).await;
    assert!(support::plan(&bench, &changed).await.is_empty());
}

#[tokio::test]
async fn what_leaves_the_spec_goes_and_what_holds_data_stays() {
    let bench = applied(&stack()).await;
    let less = stack().without("mount.data").without("disk.data").without("secret.password");
    let less = less.set("server.main", "user_data", json!(""));
    let plan = plan(&bench, &less).await;
    is_sound(&plan);
    assert_eq!(sorted(&plan), ["delete mount.data", "retain disk.data", "retain secret.password"]);
    assert!(plan.notes.iter().any(|note| note.text.contains("lhctl release")));
    assert_eq!(plan.cost_after.total(), plan.cost_before.total(), "what is retained is paid for");
    bench.apply(&less.0).await;
    let after = support::plan(&bench, &less).await;
    assert!(after.is_empty(), "{:?}", words(&after));
    assert_eq!(after.cost_before.text(), after.cost_after.text());
    assert!(!bench.cloud.ids("disk.data").is_empty());

    let plan = support::plan(&bench, &stack()).await;
    assert_eq!(sorted(&plan), ["adopt disk.data", "adopt secret.password", "create mount.data"]);
    bench.apply(&stack().0).await;
    assert!(support::plan(&bench, &stack()).await.is_empty());
    assert!(!bench.state(&stack().0).await.resources[&"disk.data".parse().unwrap()].retained);
}

#[tokio::test]
async fn what_others_own_is_refused_or_used() {
    let secret = "secret.password".parse().unwrap();
    let theirs = Some((StackId::new("other", "test"), Identity::derive("l", &secret, 0)));
    for owner in [None, theirs] {
        let bench = Bench::new();
        bench.cloud.plant(&secret, owner, json!({"name": "password", "tags": {"Theirs": "x"}}));
        assert_eq!(codes(&plan(&bench, &stack()).await), ["E0603"]);

        let using = stack().using("secret.password");
        let plan = plan(&bench, &using).await;
        assert!(step(&plan, Act::Use, "secret.password").calls.is_empty());
        bench.apply(&using.0).await;
        let after = support::plan(&bench, &using).await;
        assert!(after.is_empty());
        assert_eq!(after.cost_before.text(), after.cost_after.text());
        // Never changed, never deleted.
        let wished = using.clone().set("secret.password", "tags.Owner", json!("me"));
        assert!(support::plan(&bench, &wished).await.is_empty());
        assert_eq!(
            sorted(&support::plan(&bench, &using.clone().without("secret.password")).await),
            ["forget secret.password"]
        );
        bench.settle(&using.0, DESTROY).await;
        assert_eq!(bench.cloud.ids("secret.password").len(), 1);
    }
}

#[tokio::test]
async fn a_kind_that_cannot_be_read_refuses_the_plan() {
    let bench = applied(&stack()).await;
    bench.cloud.fail("toy:DescribeDisk", ErrorKind::Denied, 100);
    let plan = plan(&bench, &stack().without("disk.data").without("mount.data")).await;
    assert!(codes(&plan).contains(&"E0601"), "{:?}", plan.refusals);
    assert_eq!(codes(&destroy(&bench, &stack(), DESTROY).await), ["E0601"]);
}

#[tokio::test]
async fn drift_is_told_three_ways_for_every_field() {
    for (address, field, by_hand, wanted) in [
        ("group.main", "description", json!("x"), json!("all")),
        ("rule.db", "note", json!("x"), json!("db")),
        ("rule.db", "port", json!(7), json!(5432)),
        ("disk.data", "size", json!(25), json!(30)),
        ("disk.data", "zone", json!("z"), json!("a")),
        ("server.main", "type", json!("huge"), json!("small")),
        ("server.main", "image", json!("x"), json!("image-1")),
        ("mount.data", "device", json!("x"), json!("/dev/b")),
        ("secret.password", "tags.Owner", json!("x"), json!("test")),
        ("server.main", "tags.Owner", json!("x"), json!("test")),
    ] {
        let bench = applied(&stack()).await;
        bench.cloud.edit(address, field, by_hand.clone());
        let wished = if field == "size" { stack().set(address, field, wanted.clone()) } else { stack() };
        let plan = plan(&bench, &wished).await;
        is_sound(&plan);
        let recorded = if field == "size" { json!(20) } else { wanted.clone() };
        assert_eq!(plan.drift.len(), 1, "{address} {field}: {:?}", plan.drift);
        let drift = &plan.drift[0];
        assert_eq!((drift.address.to_string().as_str(), drift.field.as_str()), (address, field));
        assert_eq!((&drift.recorded, &drift.actual, &drift.wanted), (&recorded, &by_hand, &wanted));
        assert_ne!(plan.is_empty(), plan.refusals.is_empty(), "{address} {field}: undone or refused");
        let reason = plan.steps.first().filter(|step| step.id.act == Act::Update).map(|s| s.reason.as_str());
        if let (Some(reason), true) = (reason, field != "size") {
            assert!(reason.contains("outside lhctl"), "{address} {field}: {reason}");
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_drift_and_made_again_under_another_identity() {
    let bench = applied(&stack()).await;
    bench.cloud.vanish("server.main");
    let plan = plan(&bench, &stack()).await;
    is_sound(&plan);
    let lost = plan.drift.iter().find(|drift| drift.address.kind() == "server").unwrap();
    assert_eq!((lost.field.as_str(), &lost.actual), ("id", &Value::Null));
    assert_eq!(step(&plan, Act::Create, "server.main").generation, 1);
    bench.apply(&stack().0).await;
    assert!(support::plan(&bench, &stack()).await.is_empty());
    bench.cloud.vanish("rule.db");
    let plan = support::plan(&bench, &stack().without("rule.db")).await;
    assert_eq!(words(&plan), ["forget rule.db"]);
}

#[tokio::test]
async fn tags_of_others_are_left_alone() {
    let bench = applied(&stack()).await;
    bench.cloud.edit("disk.data", "tags.Theirs", json!("x"));
    assert!(plan(&bench, &stack()).await.is_empty());
    let retagged = stack().set("disk.data", "tags", json!({"New": "y"}));
    let plan = plan(&bench, &retagged).await;
    let mut fields: Vec<String> = plan.steps[0].changes.iter().map(|c| c.field.clone()).collect();
    fields.sort();
    assert_eq!(fields, ["tags.New", "tags.Owner"]);
    bench.apply(&retagged.0).await;
    let there = bench.cloud.census().into_iter().find(|(address, _)| address == "disk.data").unwrap();
    assert_eq!(there.1["tags"], json!({"New": "y", "Theirs": "x"}));
}

#[tokio::test]
async fn a_new_rule_stands_before_the_old_one_goes_unless_that_is_a_circle() {
    let group = reference("group.main", "id");
    let rule = json!({"group": group, "port": 1, "note": "", "tags": {}});
    let bench = applied(&stack()).await;
    let plan = plan(&bench, &stack().without("rule.db").with("rule.new", rule.clone())).await;
    is_sound(&plan);
    assert_eq!(words(&plan), ["create rule.new", "delete rule.db"]);
    assert_eq!(requires(&plan, Act::Delete, "rule.db"), ["create rule.new"]);

    // The group is replaced: the old rule has to go first, so that the group can.
    let alone = stack().without("server.main").without("mount.data").without("address.main");
    let bench = applied(&alone).await;
    let changed =
        alone.without("rule.db").with("rule.new", rule).set("group.main", "description", json!("x"));
    let plan = support::plan(&bench, &changed).await;
    is_sound(&plan);
    assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
    assert!(place(&plan, "delete rule.db") < place(&plan, "create rule.new"));
    bench.apply(&changed.0).await;
    assert!(support::plan(&bench, &changed).await.is_empty());
}

#[tokio::test]
async fn what_nobody_uses_any_more_goes_after_its_user_has_changed() {
    let other = json!({"name": "other", "description": "", "tags": {}});
    let bench = applied(&stack().with("group.other", other.clone())).await;
    bench
        .apply(
            &stack().with("group.other", other).set("server.main", "group", reference("group.other", "id")).0,
        )
        .await;
    let plan = plan(&bench, &stack()).await;
    is_sound(&plan);
    assert_eq!(words(&plan), ["update server.main", "delete group.other"]);
    assert_eq!(requires(&plan, Act::Delete, "group.other"), ["update server.main"]);
    assert_eq!(bench.run(&stack().0, Mode::Apply, false).await.unwrap().outcome.failed.len(), 0);
}
