//! Monitoring from the stack file to AWS and back: what is made, told, changed and left alone.

use lh::{Act, Cloud, Mode, Plan};
use lh_sim::World;

use crate::{apply, deployment};

const MONITORING: &str = "monitoring={ alarms: { cpu_percent: 80, disk_percent: 80, memory_percent: 90 }, topic: alerts, emails: [ops@example.com], dashboard: true }";
const REGION: &str = "us-east-1";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:alerts";

async fn plan(cloud: &Cloud, set: &[&str]) -> Plan {
    let plan = deployment(cloud, set).plan(Mode::Apply).await.unwrap();
    assert_eq!(plan.refusals, vec![]);
    plan
}

fn edit<R>(cloud: &Cloud, change: impl FnOnce(&mut World) -> R) -> R {
    cloud.sim().unwrap().edit(change)
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.to_string()).collect()
}

#[tokio::test]
async fn a_monitored_stack_is_made_and_tells_who_has_not_confirmed() {
    let cloud = Cloud::simulated();
    let applied = deployment(&cloud, &[MONITORING]).apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome.failed);
    assert!(applied.notices[0].text.contains("ops@example.com has not confirmed"), "{:?}", applied.notices);
    let output = |name: &str| {
        let found = applied.outputs.iter().find(|output| output.name == name);
        found.and_then(|output| output.value.clone()).unwrap()
    };
    assert_eq!(output("alarm_sns_topic_arn"), TOPIC);
    assert!(output("cloudwatch_dashboard_url").ends_with("/lighthouse-dev-timescaledb"));
    let world = cloud.sim().unwrap().snapshot();
    let here = world.region(REGION).unwrap();
    let instance = here.instances.keys().next().unwrap();
    assert_eq!(here.cloudwatch.alarms.len(), 4);
    assert!(here.cloudwatch.alarms.values().all(|alarm| alarm.dimensions["InstanceId"] == *instance));
    assert!(here.cloudwatch.alarms.values().all(|alarm| alarm.alarm_actions == [TOPIC]));
    assert_eq!(here.logs.groups["lighthouse-dev-timescaledb"].retention_days, Some(30));

    // Pending is a fact, not a difference: it is told, and no second mail is sent.
    let again = plan(&cloud, &[MONITORING]).await;
    assert!(again.is_empty(), "{:?}", steps(&again));
    assert!(again.notes.iter().any(|note| note.text.contains("has not confirmed")));
    assert!(edit(&cloud, |world| world.confirm_subscription(REGION, "alerts", "ops@example.com")));
    let confirmed = plan(&cloud, &[MONITORING]).await;
    assert!(confirmed.is_empty() && confirmed.notes.is_empty(), "{:?}", confirmed.notes);
}

#[tokio::test]
async fn the_guides_monitoring_costs_two_dollars_thirty() {
    let monitored = plan(&Cloud::simulated(), &[MONITORING]).await.cost_after;
    let plain = plan(&Cloud::simulated(), &[]).await.cost_after;
    assert_eq!(monitored.unknown, plain.unknown);
    let cents = |amount: lh_kind::Amount| amount.0;
    assert_eq!(cents(monitored.guide_total()) - cents(plain.guide_total()), 23_000);
    // Beyond the guide: the alarm on status checks, three metrics of the host, a free dashboard.
    assert_eq!(cents(monitored.total()) - cents(plain.total()), 23_000 + 1_000 + 9_000);
}

#[tokio::test]
async fn a_replaced_instance_is_watched_by_the_same_alarms() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[MONITORING]).await;
    let on_demand = [MONITORING, "instance.purchase=on-demand", "instance.spot=null"];
    let change = plan(&cloud, &on_demand).await;
    let changed = |address: &str| {
        change.steps.iter().any(|s| s.id.act == Act::Update && s.id.address.to_string() == address)
    };
    assert!(["alarm.cpu", "alarm.status", "dashboard.main"].into_iter().all(changed), "{:?}", steps(&change));
    assert!(!change.steps.iter().any(|s| s.id.act == Act::Delete && s.id.address.kind() == "alarm"));
    apply(&cloud, &on_demand).await;
    assert!(plan(&cloud, &on_demand).await.is_empty());
}

#[tokio::test]
async fn a_topic_that_existed_is_used_and_stays_with_its_subscribers() {
    let cloud = Cloud::simulated();
    edit(&cloud, |world| {
        let subscription = lh_sim::world::Subscription {
            arn: format!("{TOPIC}:1"),
            protocol: "email".to_owned(),
            endpoint: "ops@example.com".to_owned(),
            confirmed: true,
            asked: 1,
            asked_at: 0,
        };
        let topic = lh_sim::world::Topic {
            name: "alerts".to_owned(),
            subscriptions: vec![subscription],
            ..Default::default()
        };
        world.region_mut(REGION).sns.topics.insert(TOPIC.to_owned(), topic);
    });
    let first = plan(&cloud, &[MONITORING]).await;
    let used: Vec<String> = steps(&first).into_iter().filter(|step| step.starts_with("use ")).collect();
    assert_eq!(used, ["use topic.alerts", "use subscription.alerts/ops_example.com"]);
    apply(&cloud, &[MONITORING]).await;
    assert!(plan(&cloud, &[MONITORING]).await.is_empty());
    // Another topic is another resource: the alarms move to it, and the old one is let go.
    let other = MONITORING.replace("topic: alerts", "topic: pager");
    apply(&cloud, &[&other]).await;
    assert!(plan(&cloud, &[&other]).await.is_empty());
    let gone = deployment(&cloud, &[&other]).destroy(false, |_| true).await.unwrap();
    assert!(gone.outcome.is_complete(), "{:?}", gone.outcome.failed);
    let world = cloud.sim().unwrap().snapshot();
    let here = world.region(REGION).unwrap();
    assert_eq!(here.sns.topics.keys().collect::<Vec<_>>(), [TOPIC]);
    assert_eq!(here.sns.topics[TOPIC].subscriptions.len(), 1);
    assert!(here.cloudwatch.alarms.is_empty() && here.cloudwatch.dashboards.is_empty());
    assert!(here.logs.groups.is_empty());
}

#[tokio::test]
async fn a_pending_subscription_is_forgotten_where_aws_cannot_delete_it() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[MONITORING]).await;
    let without = MONITORING.replace("emails: [ops@example.com], ", "");
    let change = plan(&cloud, &[&without]).await;
    assert_eq!(steps(&change), ["forget subscription.alerts/ops_example.com"]);
    assert!(change.notes[0].text.contains("48 hours"), "{:?}", change.notes);
    apply(&cloud, &[&without]).await;
    assert!(plan(&cloud, &[&without]).await.is_empty());
}
