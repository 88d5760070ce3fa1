//! Topic, subscription, log group, alarm and dashboard, from nothing to nothing; whatever field of
//! them somebody else changes is seen and mended. All through AWS's own calls, so that the same
//! goes for the simulated AWS and, over HTTP, for moto.

use std::{io::Write, time::Duration};

use aws_sdk_cloudwatch::{
    operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder as PutAlarm,
    types::{ComparisonOperator, Dimension, Statistic},
};
use lh_aws::Clients;
use lh_kind::{Change, ErrorKind, Mutate, Observe, Owner, Seen};
use lh_model::Address;
use serde_json::{Value, json};

use lh_testkit::Moto;

use crate::{
    map,
    stage::{Stage, op},
};

const NAME: &str = "contract-test";
const INSTANCE: &str = "i-0123456789abcdef0";

fn to(reference: &str) -> Value {
    json!({ "$ref": reference })
}

fn tags() -> Value {
    json!({ "Name": NAME, "Owner": "ops" })
}

fn topic() -> (&'static str, Value) {
    let account = to("lookup.caller#account");
    let arn = json!({ "$join": ["arn:aws:sns:us-east-1:", account, ":", NAME] });
    ("topic", json!({ "name": NAME, "arn": arn, "tags": tags() }))
}

fn alarm() -> (&'static str, Value) {
    let told = json!([to("topic.main#id")]);
    let props = json!({
        "name": NAME, "description": "Busy", "actions_enabled": true, "alarm_actions": told, "ok_actions": told,
        "insufficient_data_actions": [], "namespace": "AWS/EC2", "metric": "CPUUtilization",
        "dimensions": { "InstanceId": INSTANCE }, "statistic": "Average", "period": 300,
        "evaluation_periods": 2, "datapoints": 2, "comparison": "GreaterThanThreshold", "threshold": 80.0,
        "missing_data": "missing", "tags": tags(),
    });
    ("alarm", props)
}

fn dashboard() -> (&'static str, Value) {
    let text = json!({
        "type": "text", "x": 0, "y": 0, "width": 6, "height": 3, "properties": { "markdown": "Hello" },
    });
    ("dashboard", json!({ "name": NAME, "body": { "widgets": [text] } }))
}

/// Everything of the section `monitoring`, in the order it is made.
fn resources() -> Vec<(&'static str, Value)> {
    let subscription = json!({
        "topic_arn": to("topic.main#id"), "protocol": "email", "endpoint": "ops@example.com",
    });
    vec![
        topic(),
        ("subscription", subscription),
        ("log_group", json!({ "name": NAME, "retention_days": 30, "tags": tags() })),
        alarm(),
        dashboard(),
    ]
}

fn changes() -> Vec<(&'static str, Value)> {
    let tags = json!({ "tags": { "Name": NAME, "Team": "data" } });
    vec![
        ("topic", tags.clone()),
        ("log_group", tags.clone()),
        ("log_group", json!({ "retention_days": 90 })),
        ("log_group", json!({ "retention_days": null })),
        ("log_group", json!({ "retention_days": 7 })),
        ("alarm", tags),
        ("alarm", json!({ "threshold": 90.5, "dimensions": { "InstanceId": "i-0fedcba9876543210" } })),
        ("alarm", json!({ "alarm_actions": [], "ok_actions": [] })),
        ("dashboard", json!({ "body": { "widgets": [], "start": "-PT6H" } })),
    ]
}

/// moto 5.2.1 knows none of the protocols that the SDK speaks with CloudWatch: docs/moto-gaps.md.
fn is_there(stage: &Stage, kind: &str) -> bool {
    stage.sim.is_some() || !matches!(kind, "alarm" | "dashboard")
}

async fn made(mut stage: Stage) -> Stage {
    stage.look_up().await;
    for (kind, props) in resources() {
        if is_there(&stage, kind) {
            stage.make(kind, props).await;
        }
    }
    stage
}

fn confirm(stage: &Stage) {
    let Some(sim) = &stage.sim else { return };
    assert!(sim.edit(|world| world.confirm_subscription("us-east-1", NAME, "ops@example.com")));
}

async fn whole_life(stage: Stage) {
    let mut stage = made(stage).await;
    stage.found_beside_absent().await;
    every_field(&stage).await;
    for (kind, change) in changes() {
        if is_there(&stage, kind) {
            stage.change(kind, change).await;
        }
    }
    confirm(&stage);
    stage.remove_all().await;
}

/// That exactly `fields` are seen to differ from what was applied, and that they are mended.
async fn mended(stage: &Stage, kind: &str, fields: &[&str]) {
    let made = stage.made.iter().find(|made| made.target.address.kind() == kind).unwrap();
    let (target, rules) = (&made.target, stage.aws.book().rules(kind).unwrap());
    let found = stage.see(target).await.unwrap();
    let Change::InPlace(diffs, _) = rules.diff(&target.props, &found.facts, Some(&target.props)) else {
        panic!("{kind} {fields:?} was not seen: {found:?}")
    };
    let seen: Vec<&str> = diffs.iter().map(|diff| diff.field.as_str()).collect();
    assert_eq!(seen, fields, "{kind}");
    let id = target.id.clone().unwrap();
    stage.aws.update(kind, &op(target), &id, &target.props, &diffs).await.unwrap();
    let after = stage.see(target).await.unwrap();
    assert_eq!(after.owner, Owner::Stack(target.identity.clone()), "{kind} {fields:?}");
    let left = rules.diff(&target.props, &after.facts, Some(&target.props));
    assert_eq!(left, Change::Same(vec![]), "{kind} {fields:?}");
}

/// The alarm as it was made, to be sent again with one thing otherwise.
fn as_made(clients: &Clients, topic: &str) -> PutAlarm {
    clients
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(NAME)
        .alarm_description("Busy")
        .actions_enabled(true)
        .alarm_actions(topic)
        .ok_actions(topic)
        .namespace("AWS/EC2")
        .metric_name("CPUUtilization")
        .dimensions(Dimension::builder().name("InstanceId").value(INSTANCE).build())
        .statistic(Statistic::Average)
        .period(300)
        .evaluation_periods(2)
        .datapoints_to_alarm(2)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .threshold(80.0)
        .treat_missing_data("missing")
}

async fn alarm_fields(stage: &Stage, topic: &str) {
    let other = Dimension::builder().name("InstanceId").value("i-0fedcba9876543210").build();
    type Edit = fn(PutAlarm) -> PutAlarm;
    let edits: [(&str, Edit); 13] = [
        ("description", |it| it.alarm_description("Idle")),
        ("actions_enabled", |it| it.actions_enabled(false)),
        ("alarm_actions", |it| it.set_alarm_actions(Some(Vec::new()))),
        ("ok_actions", |it| it.set_ok_actions(Some(Vec::new()))),
        ("namespace", |it| it.namespace("CWAgent")),
        ("metric", |it| it.metric_name("NetworkIn")),
        ("statistic", |it| it.statistic(Statistic::Maximum)),
        ("period", |it| it.period(60)),
        ("evaluation_periods", |it| it.evaluation_periods(3)),
        ("datapoints", |it| it.datapoints_to_alarm(1)),
        ("comparison", |it| it.comparison_operator(ComparisonOperator::LessThanThreshold)),
        ("threshold", |it| it.threshold(99.0)),
        ("missing_data", |it| it.treat_missing_data("breaching")),
    ];
    let clients = stage.aws.clients();
    for (field, edit) in edits {
        edit(as_made(clients, topic)).send().await.unwrap();
        mended(stage, "alarm", &[field]).await;
    }
    as_made(clients, topic).set_dimensions(Some(vec![other])).send().await.unwrap();
    mended(stage, "alarm", &["dimensions"]).await;
    as_made(clients, topic).insufficient_data_actions(topic).send().await.unwrap();
    mended(stage, "alarm", &["insufficient_data_actions"]).await;
}

async fn every_field(stage: &Stage) {
    let clients = stage.aws.clients();
    let arn = |kind: &str| {
        let made = stage.made.iter().find(|made| made.target.address.kind() == kind).unwrap();
        made.facts["arn"].as_str().unwrap().to_owned()
    };
    let topic = arn("topic");
    let tag = aws_sdk_sns::types::Tag::builder().key("Owner").value("nobody").build().unwrap();
    clients.sns.tag_resource().resource_arn(&topic).tags(tag).send().await.unwrap();
    mended(stage, "topic", &["tags.Owner"]).await;
    // Tags of ownership that went with the others come back with them.
    let untag = clients.sns.untag_resource().resource_arn(&topic);
    untag.tag_keys("Owner").tag_keys("lhctl:id").send().await.unwrap();
    mended(stage, "topic", &["tags.Owner"]).await;

    clients.logs.put_retention_policy().log_group_name(NAME).retention_in_days(1).send().await.unwrap();
    mended(stage, "log_group", &["retention_days"]).await;
    clients.logs.delete_retention_policy().log_group_name(NAME).send().await.unwrap();
    mended(stage, "log_group", &["retention_days"]).await;
    let tags = [("Owner".to_owned(), "nobody".to_owned())];
    let request = clients.logs.tag_resource().resource_arn(arn("log_group"));
    request.set_tags(Some(tags.into())).send().await.unwrap();
    mended(stage, "log_group", &["tags.Owner"]).await;

    if !is_there(stage, "alarm") {
        return;
    }
    alarm_fields(stage, &topic).await;
    let untag = clients.cloudwatch.untag_resource().resource_arn(arn("alarm"));
    untag.tag_keys("Owner").send().await.unwrap();
    mended(stage, "alarm", &["tags.Owner"]).await;

    let found = clients.cloudwatch.get_dashboard().dashboard_name(NAME).send().await.unwrap();
    let body = found.dashboard_body.unwrap();
    let put = |body: String| clients.cloudwatch.put_dashboard().dashboard_name(NAME).dashboard_body(body);
    put(body.replace("Hello", "Good-bye")).send().await.unwrap();
    mended(stage, "dashboard", &["body"]).await;
    // Somebody who writes a dashboard anew removes the line of ownership too.
    put(r#"{"widgets": []}"#.to_owned()).send().await.unwrap();
    mended(stage, "dashboard", &["body"]).await;
    // The same in other words is no difference.
    let value: Value = serde_json::from_str(&body).unwrap();
    put(format!("{value:#}")).send().await.unwrap();
    let made = stage.made.iter().find(|made| made.target.address.kind() == "dashboard").unwrap();
    assert_eq!(stage.see(&made.target).await.unwrap().facts, made.facts);
}

#[tokio::test]
async fn the_whole_life_of_monitoring() {
    whole_life(Stage::simulated(false).await).await;
}

#[tokio::test]
async fn the_whole_life_of_monitoring_over_http() {
    let Some(program) = std::env::var_os("LHCTL_TEST_MOTO") else {
        let text =
            "SKIPPED the_whole_life_of_monitoring_over_http: needs LHCTL_TEST_MOTO=path/to/moto_server";
        let _ = writeln!(std::io::stderr(), "{text}");
        return;
    };
    let moto = Moto::start(&program);
    whole_life(Stage::over_http(&moto.url()).await).await;
}

#[tokio::test]
async fn a_subscription_waits_for_its_owner_and_is_asked_for_once() {
    let stage = made(Stage::simulated(false).await).await;
    let sim = stage.sim.clone().unwrap();
    let made = stage.made.iter().find(|made| made.target.address.kind() == "subscription").unwrap();
    let rules = stage.aws.book().rules("subscription").unwrap();
    let seen = async || stage.see(&made.target).await;
    let asked = || {
        let world = sim.snapshot();
        world.region("us-east-1").unwrap().sns.topics.values().next().unwrap().subscriptions[0].asked
    };
    let before = asked();
    let pending = seen().await.unwrap();
    assert!(rules.notice(&pending.facts).unwrap().contains("ops@example.com has not confirmed"));
    assert!(rules.expires(&pending.facts).is_some());
    assert_eq!(rules.ready(&pending.facts), lh_kind::Readiness::Ready);
    assert_eq!(asked(), before, "looking sent another mail");
    // Confirmed, it is the same resource, of which there is nothing more to say.
    confirm(&stage);
    let confirmed = seen().await.unwrap();
    assert_eq!(confirmed.id, pending.id);
    assert_eq!((rules.notice(&confirmed.facts), rules.expires(&confirmed.facts)), (None, None));
    stage.pass(Duration::from_secs(49 * 3600)).await;
    assert!(seen().await.is_some());
    // Another, never confirmed, is dropped by AWS after two days.
    let mut other = made.target.clone();
    other.address = Address::new("subscription", "other");
    other.id = None;
    other.props.insert("endpoint".to_owned(), json!("dev@example.com"));
    stage.aws.create("subscription", &op(&other), &other.props).await.unwrap();
    assert!(stage.see(&other).await.is_some());
    stage.pass(Duration::from_secs(49 * 3600)).await;
    assert!(stage.see(&other).await.is_none());
}

#[tokio::test]
async fn what_is_anothers_is_recognised_and_never_overwritten() {
    let mut stage = Stage::simulated(false).await;
    stage.look_up().await;
    let clients = stage.aws.clients().clone();
    let topic_arn = format!("arn:aws:sns:us-east-1:123456789012:{NAME}");
    clients.sns.create_topic().name(NAME).send().await.unwrap();
    clients.logs.create_log_group().log_group_name(NAME).send().await.unwrap();
    as_made(&clients, &topic_arn).threshold(50.0).send().await.unwrap();
    let theirs = r#"{"widgets": []}"#;
    clients.cloudwatch.put_dashboard().dashboard_name(NAME).dashboard_body(theirs).send().await.unwrap();
    for (kind, props) in resources().into_iter().filter(|(kind, _)| *kind != "subscription") {
        let mut target = stage.target(kind, props);
        for actions in ["alarm_actions", "ok_actions"] {
            target.props.entry(actions).and_modify(|told| *told = json!([topic_arn]));
        }
        assert_eq!(stage.see(&target).await.unwrap().owner, Owner::Other, "{kind}");
        let refused = stage.aws.create(kind, &op(&target), &target.props).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Exists, "{kind}: {refused}");
    }
    let alarms = clients.cloudwatch.describe_alarms().send().await.unwrap();
    assert_eq!(alarms.metric_alarms()[0].threshold(), Some(50.0));
    let body = clients.cloudwatch.get_dashboard().dashboard_name(NAME).send().await.unwrap();
    assert_eq!(body.dashboard_body(), Some(theirs));
}

#[tokio::test]
async fn looking_at_all_of_monitoring_takes_five_calls_at_once_and_at_many_hardly_more() {
    let stage = made(Stage::simulated(false).await).await;
    let sim = stage.sim.clone().unwrap();
    sim.forget_calls();
    let looks = stage.made.iter().map(|made| {
        let kind = made.target.address.kind();
        stage.aws.observe(kind, std::slice::from_ref(&made.target))
    });
    let seen = futures_util::future::join_all(looks).await;
    assert!(seen.iter().flatten().all(|seen| matches!(seen, Seen::Found(_))), "{seen:?}");
    assert_eq!((sim.calls().len(), sim.rounds()), (5, 1), "{:?}", sim.calls());

    let many: Vec<_> = (0..150)
        .map(|n| {
            let (kind, props) = alarm();
            let mut target = stage.target(kind, props);
            target.address = Address::new(kind, &n.to_string());
            target.props.extend(map(json!({ "name": format!("{NAME}-{n}") })));
            target
        })
        .collect();
    for target in &many {
        stage.aws.create("alarm", &op(target), &target.props).await.unwrap();
    }
    sim.forget_calls();
    let seen = stage.aws.observe("alarm", &many).await;
    assert!(seen.iter().all(|seen| matches!(seen, Seen::Found(_))));
    // Two for the alarms, two pages of tags.
    assert!(sim.calls().len() <= 4, "{} calls", sim.calls().len());
}

#[tokio::test]
async fn a_topic_that_must_exist_is_looked_up_by_name_and_arn() {
    let stage = Stage::simulated(false).await;
    stage.aws.clients().sns.create_topic().name("pager").send().await.unwrap();
    let arn = "arn:aws:sns:us-east-1:123456789012:pager";
    let probe = |topic: &str| lh_kind::Probe {
        lookup: lh_model::Lookup {
            name: "topic".to_owned(),
            query: map(json!({ "topic": topic })),
            origin: None,
        },
        pinned: None,
    };
    let answers = stage.aws.look_up(&[probe("pager"), probe(arn), probe("pgaer")]).await;
    assert_eq!(answers[0].as_ref().unwrap()["arn"], arn);
    assert_eq!(answers[1].as_ref().unwrap()["arn"], arn);
    let missing = answers[2].as_ref().unwrap_err();
    assert_eq!(missing.code, "E0569");
    assert!(missing.reason.as_ref().unwrap().contains("`pager`"), "{missing:?}");
    // An answer that state holds costs one call, and is checked.
    let pinned = lh_kind::Probe { pinned: answers[0].clone().ok(), ..probe("pager") };
    let sim = stage.sim.as_ref().unwrap();
    sim.forget_calls();
    assert!(stage.aws.look_up(std::slice::from_ref(&pinned)).await[0].is_ok());
    assert_eq!(sim.calls().len(), 1);
    stage.aws.clients().sns.delete_topic().topic_arn(arn).send().await.unwrap();
    assert!(stage.aws.look_up(&[pinned]).await[0].is_err());
}
