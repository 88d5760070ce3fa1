//! SNS, CloudWatch and CloudWatch Logs, and their tags as the tagging API shows them.

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic, Tag};
use aws_sdk_resourcegroupstagging::types::TagFilter;
use lh_sim::{Faults, Sim};

use crate::{code, seconds};

macro_rules! client {
    ($service:ident, $sim:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from(&$sim.sdk_config()).interceptor($sim.interceptor()).build(),
        )
    };
}

#[tokio::test]
async fn a_topic_is_its_name_and_its_tags() {
    let sim = Sim::in_memory();
    let sns = client!(aws_sdk_sns, sim);
    let tag = |value: &str| aws_sdk_sns::types::Tag::builder().key("k").value(value).build().unwrap();
    let create = |value: &str| sns.create_topic().name("alerts").tags(tag(value)).send();
    let arn = create("one").await.unwrap().topic_arn.unwrap();
    assert_eq!(create("one").await.unwrap().topic_arn.unwrap(), arn);
    assert_eq!(code(create("two").await), "InvalidParameter");
    assert_eq!(code(sns.create_topic().name("no spaces").send().await), "InvalidParameter");
    sns.delete_topic().topic_arn(&arn).send().await.unwrap();
    sns.delete_topic().topic_arn(&arn).send().await.unwrap();
    assert_eq!(code(sns.get_topic_attributes().topic_arn(&arn).send().await), "NotFound");
    assert_eq!(code(sns.list_tags_for_resource().resource_arn(&arn).send().await), "ResourceNotFound");
}

#[tokio::test]
async fn subscriptions_are_made_once_confirmed_by_their_owner_and_come_in_pages() {
    let sim = Sim::in_memory();
    let sns = client!(aws_sdk_sns, sim);
    let arn = sns.create_topic().name("alerts").send().await.unwrap().topic_arn.unwrap();
    let subscribe =
        |address: String| sns.subscribe().topic_arn(&arn).protocol("email").endpoint(address).send();
    for n in 0..120 {
        let made = subscribe(format!("ops{n}@example.com")).await.unwrap();
        assert_eq!(made.subscription_arn.as_deref(), Some("pending confirmation"));
    }
    subscribe("ops0@example.com".to_owned()).await.unwrap();
    let list = sns.list_subscriptions_by_topic().topic_arn(&arn);
    let page = list.clone().send().await.unwrap();
    assert_eq!((page.subscriptions().len(), page.next_token.is_some()), (100, true));
    let all: Vec<_> = list.clone().into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
    assert_eq!(all.len(), 120);
    assert!(all.iter().all(|one| one.subscription_arn() == Some("PendingConfirmation")));
    let pending = sns.unsubscribe().subscription_arn("PendingConfirmation").send().await;
    assert_eq!(code(pending), "InvalidParameter");
    assert!(sim.edit(|world| world.confirm_subscription("us-east-1", "alerts", "ops7@example.com")));
    assert!(!sim.edit(|world| world.confirm_subscription("us-east-1", "alerts", "nobody@example.com")));
    sim.advance(seconds(48 * 3600));
    let left = list.send().await.unwrap();
    assert_eq!(left.subscriptions().len(), 1, "what nobody confirmed was kept");
    let confirmed = left.subscriptions()[0].subscription_arn().unwrap();
    sns.unsubscribe().subscription_arn(confirmed).send().await.unwrap();
    assert_eq!(code(sns.unsubscribe().subscription_arn(confirmed).send().await), "NotFound");
}

#[tokio::test]
async fn an_alarm_is_written_whole_and_keeps_its_tags_and_state() {
    let sim = Sim::in_memory();
    let cloudwatch = client!(aws_sdk_cloudwatch, sim);
    let put = |threshold: f64, tag: &str| {
        cloudwatch
            .put_metric_alarm()
            .alarm_name("cpu")
            .namespace("AWS/EC2")
            .metric_name("CPUUtilization")
            .statistic(Statistic::Average)
            .period(300)
            .evaluation_periods(2)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .threshold(threshold)
            .tags(Tag::builder().key("k").value(tag).build())
    };
    put(80.0, "first").alarm_description("Busy").send().await.unwrap();
    let state = cloudwatch.set_alarm_state().alarm_name("cpu").state_value(StateValue::Alarm);
    state.clone().state_reason("test").send().await.unwrap();
    put(90.0, "ignored").send().await.unwrap();
    let found = cloudwatch.describe_alarms().alarm_names("cpu").alarm_names("none").send().await.unwrap();
    let alarm = &found.metric_alarms()[0];
    assert_eq!((alarm.threshold(), alarm.alarm_description()), (Some(90.0), None));
    assert_eq!(
        (alarm.state_value(), alarm.treat_missing_data()),
        (Some(&StateValue::Alarm), Some("missing"))
    );
    let arn = alarm.alarm_arn().unwrap();
    let tags = cloudwatch.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags()[0].value(), Some("first"));
    for wrong in [
        put(1.0, "x").period(45),
        put(1.0, "x").evaluation_periods(300),
        put(1.0, "x").datapoints_to_alarm(3),
        put(1.0, "x").treat_missing_data("panic"),
        put(1.0, "x").alarm_actions("arn:aws:sns:eu-west-1:123456789012:alerts"),
    ] {
        assert_eq!(code(wrong.send().await), "ValidationError");
    }
    let delete = |name: &str| cloudwatch.delete_alarms().alarm_names("cpu").alarm_names(name).send();
    assert_eq!(code(delete("none").await), "ResourceNotFound");
    assert_eq!(cloudwatch.describe_alarms().send().await.unwrap().metric_alarms().len(), 1);
    cloudwatch.delete_alarms().alarm_names("cpu").send().await.unwrap();
    assert_eq!(code(state.state_reason("test").send().await), "ResourceNotFound");
}

#[tokio::test]
async fn dashboards_and_log_groups_have_their_rules() {
    let sim = Sim::in_memory();
    let cloudwatch = client!(aws_sdk_cloudwatch, sim);
    let put = |body: &str| cloudwatch.put_dashboard().dashboard_name("d").dashboard_body(body).send();
    assert_eq!(code(put("no JSON").await), "InvalidParameterInput");
    assert_eq!(code(put(r#"{"widgets": [{"type": "text", "width": 25}]}"#).await), "InvalidParameterInput");
    put(r#"{"widgets":  []}"#).await.unwrap();
    let found = cloudwatch.get_dashboard().dashboard_name("d").send().await.unwrap();
    assert_eq!(found.dashboard_body(), Some(r#"{"widgets":  []}"#));
    cloudwatch.delete_dashboards().dashboard_names("d").send().await.unwrap();
    assert_eq!(code(cloudwatch.get_dashboard().dashboard_name("d").send().await), "ResourceNotFound");

    let logs = client!(aws_sdk_cloudwatchlogs, sim);
    let create = || logs.create_log_group().log_group_name("g").tags("k", "v").send();
    create().await.unwrap();
    assert_eq!(code(create().await), "ResourceAlreadyExistsException");
    let retain = |days| logs.put_retention_policy().log_group_name("g").retention_in_days(days).send();
    assert_eq!(code(retain(31).await), "InvalidParameterException");
    retain(30).await.unwrap();
    let found = logs.describe_log_groups().log_group_identifiers("g").log_group_identifiers("none");
    let group = found.send().await.unwrap().log_groups.unwrap().remove(0);
    assert_eq!(group.retention_in_days(), Some(30));
    let tags = |arn: &str| logs.list_tags_for_resource().resource_arn(arn).send();
    assert_eq!(tags(group.log_group_arn().unwrap()).await.unwrap().tags.unwrap()["k"], "v");
    assert_eq!(code(tags(group.arn().unwrap()).await), "InvalidParameterException");
    logs.delete_log_group().log_group_name("g").send().await.unwrap();
    assert_eq!(
        code(logs.delete_retention_policy().log_group_name("g").send().await),
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn the_tagging_api_shows_all_of_them_later_than_their_services() {
    let sim = Sim::in_memory();
    sim.set_faults(Faults { lag: 1, ..Faults::default() });
    let tag = aws_sdk_sns::types::Tag::builder().key("stack").value("s").build().unwrap();
    let topic = client!(aws_sdk_sns, sim).create_topic().name("alerts").tags(tag).send().await.unwrap();
    let logs = client!(aws_sdk_cloudwatchlogs, sim);
    logs.create_log_group().log_group_name("g").tags("stack", "s").send().await.unwrap();
    let tagging = client!(aws_sdk_resourcegroupstagging, sim);
    let filter = TagFilter::builder().key("stack").values("s").build();
    let get = tagging.get_resources().resource_type_filters("sns").resource_type_filters("logs");
    let get = get.tag_filters(filter);
    assert!(get.clone().send().await.unwrap().resource_tag_mapping_list().is_empty());
    let shown = get.send().await.unwrap();
    let arns: Vec<_> =
        shown.resource_tag_mapping_list().iter().filter_map(|one| one.resource_arn()).collect();
    assert_eq!(arns, ["arn:aws:logs:us-east-1:123456789012:log-group:g", topic.topic_arn().unwrap()]);
}

/// CloudWatch evaluates alarms by itself, overrules what it was told, and keeps the history.
#[tokio::test]
async fn an_alarm_is_evaluated_back_and_its_history_tells_what_it_did() {
    let sim = Sim::in_memory();
    let instance = crate::running(&sim, &crate::ec2(&sim)).await;
    let topic = client!(aws_sdk_sns, sim).create_topic().name("alerts").send().await.unwrap();
    let cloudwatch = client!(aws_sdk_cloudwatch, sim);
    let put = |name: &str, missing: &str| {
        cloudwatch
            .put_metric_alarm()
            .alarm_name(name)
            .namespace("AWS/EC2")
            .metric_name("CPUUtilization")
            .dimensions(
                aws_sdk_cloudwatch::types::Dimension::builder().name("InstanceId").value(&instance).build(),
            )
            .statistic(Statistic::Average)
            .period(300)
            .evaluation_periods(2)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .threshold(80.0)
            .treat_missing_data(missing)
            .alarm_actions(topic.topic_arn().unwrap())
    };
    put("cpu", "missing").send().await.unwrap();
    put("gone", "breaching").alarm_actions("arn:aws:sns:us-east-1:123456789012:none").send().await.unwrap();
    let state = async |name: &str| {
        let found = cloudwatch.describe_alarms().alarm_names(name).send().await.unwrap();
        found.metric_alarms()[0].state_value().unwrap().as_str().to_owned()
    };
    assert_eq!(state("cpu").await, "INSUFFICIENT_DATA");
    sim.advance(seconds(60));
    assert_eq!(state("cpu").await, "OK");
    let told = cloudwatch.set_alarm_state().alarm_name("cpu").state_value(StateValue::Alarm);
    told.state_reason("test").send().await.unwrap();
    assert_eq!(state("cpu").await, "ALARM");
    sim.advance(seconds(60));
    assert_eq!(state("cpu").await, "OK");
    let history = async |name: &str| {
        let found = cloudwatch.describe_alarm_history().alarm_name(name).send().await.unwrap();
        let items = found.alarm_history_items().iter();
        items.map(|item| item.history_summary().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let action = format!("Successfully executed action {}", topic.topic_arn().unwrap());
    let wanted = [
        "Alarm updated from ALARM to OK",
        &action,
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ];
    assert_eq!(history("cpu").await, wanted);
    // An instance that does not run has no metrics; what that counts as, the alarm says.
    crate::ec2(&sim).stop_instances().instance_ids(&instance).send().await.unwrap();
    sim.advance(seconds(120));
    assert_eq!((state("cpu").await, state("gone").await), ("INSUFFICIENT_DATA".into(), "ALARM".into()));
    assert!(
        history("gone")
            .await
            .contains(&"Failed to execute action arn:aws:sns:us-east-1:123456789012:none".to_owned())
    );
}
