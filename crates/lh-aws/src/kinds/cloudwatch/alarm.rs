//! Alarm on one metric. PutMetricAlarm writes the whole of it, so every change is online.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricAlarm, StateValue, Statistic, Tag};
use futures_util::future::{join, join_all};
use lh_kind::{
    Amount, Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Line, Op, Ops, Price,
    PriceBook, Rules, Seen, Share, Target, change::tag_changes,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, tagged, unreadable},
};

const PUT: &str = "cloudwatch:PutMetricAlarm";
const DESCRIBE: &str = "cloudwatch:DescribeAlarms";
const LIST_TAGS: &str = "cloudwatch:ListTagsForResource";
/// Names that one call takes, and alarms that it answers with (CloudWatch API reference, DescribeAlarms).
const MAX_NAMES: usize = 100;
/// The metric of the one alarm that the guide's formula does not have.
const STATUS_CHECK: &str = "StatusCheckFailed";

/// The kind. Its id is the alarm's name.
pub struct Alarm;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region.
    pub name: String,
    /// Part of each notification.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether its actions are done.
    pub actions_enabled: bool,
    /// What is told of `ALARM`: ARNs of topics.
    #[serde(default)]
    pub alarm_actions: Vec<Late<String>>,
    /// What is told of `OK`.
    #[serde(default)]
    pub ok_actions: Vec<Late<String>>,
    /// What is told of `INSUFFICIENT_DATA`.
    #[serde(default)]
    pub insufficient_data_actions: Vec<Late<String>>,
    /// The metric's namespace, `AWS/EC2`.
    pub namespace: String,
    /// The metric, `CPUUtilization`.
    pub metric: String,
    /// The metric's dimensions: an alarm finds the metric that has exactly these.
    pub dimensions: BTreeMap<String, Late<String>>,
    /// `Average`, `Maximum`, ….
    pub statistic: String,
    /// Seconds of one value.
    pub period: i32,
    /// Values that are looked at.
    pub evaluation_periods: i32,
    /// Values of these that have to be beyond the threshold.
    pub datapoints: i32,
    /// `GreaterThanThreshold`, ….
    pub comparison: String,
    /// In the metric's unit.
    pub threshold: f64,
    /// What a missing value counts as: `missing`, `breaching`, `notBreaching`, `ignore`.
    pub missing_data: String,
    /// How many metrics of its own the host pays for this alarm's sake; a matter of price only.
    #[serde(default)]
    pub custom_metrics: u32,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What CloudWatch shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// Part of each notification.
    pub description: Option<String>,
    /// Whether its actions are done.
    pub actions_enabled: bool,
    /// What is told of `ALARM`.
    pub alarm_actions: Vec<String>,
    /// What is told of `OK`.
    pub ok_actions: Vec<String>,
    /// What is told of `INSUFFICIENT_DATA`.
    pub insufficient_data_actions: Vec<String>,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric; empty for an alarm on an expression.
    pub metric: String,
    /// The metric's dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// `Average`, `Maximum`, …, or a percentile.
    pub statistic: String,
    /// Seconds of one value.
    pub period: i32,
    /// Values that are looked at.
    pub evaluation_periods: i32,
    /// Values of these that have to be beyond the threshold.
    pub datapoints: i32,
    /// `GreaterThanThreshold`, ….
    pub comparison: String,
    /// In the metric's unit.
    pub threshold: f64,
    /// What a missing value counts as.
    pub missing_data: String,
    /// The user's tags.
    pub tags: Tags,
    /// The ARN.
    pub arn: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
}

impl Rules for Alarm {
    const NAME: &'static str = "alarm";
    const DOC: &'static str = "An alarm on one metric (CloudWatch API reference: PutMetricAlarm)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in account and region"),
        Field::online("description", "description"),
        Field::online("actions_enabled", "whether its actions are done"),
        Field::online("alarm_actions", "topics that are told of the alarm"),
        Field::online("ok_actions", "topics that are told of its end"),
        Field::online("insufficient_data_actions", "topics that are told of missing data"),
        Field::online("namespace", "the metric's namespace"),
        Field::online("metric", "metric"),
        Field::online("dimensions", "the metric's dimensions"),
        Field::online("statistic", "statistic"),
        Field::online("period", "seconds of one value"),
        Field::online("evaluation_periods", "values that are looked at"),
        Field::online("datapoints", "values that have to be beyond the threshold"),
        Field::online("comparison", "comparison with the threshold"),
        Field::online("threshold", "threshold, in the metric's unit"),
        Field::online("missing_data", "what a missing value counts as"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[DESCRIBE, LIST_TAGS, tagged::GET_RESOURCES],
        // Creating with tags takes the permission to tag.
        create: &[PUT, "cloudwatch:TagResource", DESCRIBE, LIST_TAGS],
        update: &[PUT, "cloudwatch:TagResource", "cloudwatch:UntagResource", DESCRIBE],
        delete: &["cloudwatch:DeleteAlarms"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(props: &Map, book: &PriceBook) -> Price {
        estimate(props, book).map_or_else(|unknown| unknown, Price::Known)
    }
}

fn estimate(props: &Map, book: &PriceBook) -> Result<Vec<Line>, Price> {
    let metric = props.get("metric").and_then(Value::as_str).unwrap_or_default();
    let share = if metric == STATUS_CHECK { Share::Extra } else { Share::Guide };
    let monthly = Amount::dollars(book.find(&["alarm"])?);
    let mut lines = vec![Line { what: format!("alarm on {metric}"), monthly, share }];
    lines.extend(custom_metrics(props, book)?);
    Ok(lines)
}

/// The line of the metrics that the host publishes for the resource with these properties.
pub(crate) fn custom_metrics(props: &Map, book: &PriceBook) -> Result<Option<Line>, Price> {
    let count = props.get("custom_metrics").and_then(Value::as_u64).unwrap_or_default();
    if count == 0 {
        return Ok(None);
    }
    #[allow(clippy::cast_precision_loss)]
    let monthly = Amount::dollars(book.find(&["custom_metric"])? * count as f64);
    Ok(Some(Line { what: format!("{count} custom metrics of the host"), monthly, share: Share::Extra }))
}

/// The alarms of these names, as far as they exist.
async fn read(clients: &Clients, names: Vec<String>) -> Result<Vec<MetricAlarm>, CloudError> {
    let most = i32::try_from(MAX_NAMES).unwrap_or(i32::MAX);
    let request = clients.cloudwatch.describe_alarms().set_alarm_names(Some(names)).max_records(most);
    let pages: Vec<_> = request.into_paginator().send().try_collect().await.named(DESCRIBE)?;
    Ok(pages.into_iter().flat_map(|page| page.metric_alarms.unwrap_or_default()).collect())
}

async fn read_one(clients: &Clients, name: &str) -> Result<Option<MetricAlarm>, CloudError> {
    let found = read(clients, vec![name.to_owned()]).await?;
    Ok(found.into_iter().find(|one| one.alarm_name() == Some(name)))
}

async fn read_labels(clients: &Clients, arn: &str) -> Result<Labels, CloudError> {
    match clients.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await.named(LIST_TAGS) {
        Ok(answer) => Ok(Labels::new(answer.tags().iter().map(|tag| (tag.key(), tag.value())))),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Labels::default()),
        Err(error) => Err(error),
    }
}

fn name_of(target: &Target<Props>) -> &String {
    target.id.as_ref().map_or(&target.props.name, |id| &id.0)
}

type ByName = BTreeMap<String, MetricAlarm>;

async fn read_all(clients: &Clients, targets: &[Target<Props>]) -> Result<ByName, CloudError> {
    let names: BTreeSet<&String> = targets.iter().map(name_of).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let mut all = ByName::new();
    for answer in join_all(names.chunks(MAX_NAMES).map(|chunk| read(clients, chunk.to_vec()))).await {
        let named = |one: MetricAlarm| (one.alarm_name().unwrap_or_default().to_owned(), one);
        all.extend(answer?.into_iter().map(named));
    }
    Ok(all)
}

fn facts(alarm: &MetricAlarm, labels: &Labels) -> Facts {
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let dimension = |one: &Dimension| (own(one.name()), own(one.value()));
    let periods = alarm.evaluation_periods().unwrap_or_default();
    Facts {
        name: own(alarm.alarm_name()),
        description: alarm.alarm_description().filter(|text| !text.is_empty()).map(str::to_owned),
        actions_enabled: alarm.actions_enabled().unwrap_or(true),
        alarm_actions: alarm.alarm_actions().to_vec(),
        ok_actions: alarm.ok_actions().to_vec(),
        insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
        namespace: own(alarm.namespace()),
        metric: own(alarm.metric_name()),
        dimensions: alarm.dimensions().iter().map(dimension).collect(),
        statistic: own(alarm.statistic().map(Statistic::as_str).or(alarm.extended_statistic())),
        period: alarm.period().unwrap_or_default(),
        evaluation_periods: periods,
        // Not told apart by AWS: without a wish, all of them have to be.
        datapoints: alarm.datapoints_to_alarm().unwrap_or(periods),
        comparison: own(alarm.comparison_operator().map(ComparisonOperator::as_str)),
        threshold: alarm.threshold().unwrap_or_default(),
        missing_data: alarm.treat_missing_data().unwrap_or("missing").to_owned(),
        tags: labels.user(),
        arn: own(alarm.alarm_arn()),
        state: own(alarm.state_value().map(StateValue::as_str)),
    }
}

fn list(tags: impl IntoIterator<Item = (String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Writes the whole alarm. Tags count only where it does not exist yet.
async fn put(clients: &Clients, props: &Props, tags: Option<Vec<Tag>>) -> Result<(), CloudError> {
    let actions = |arns: &[Late<String>], field: &str| -> Result<Vec<String>, CloudError> {
        arns.iter().map(|arn| known(arn, PUT, field).cloned()).collect()
    };
    let mut dimensions = Vec::new();
    for (name, value) in &props.dimensions {
        dimensions.push(Dimension::builder().name(name).value(known(value, PUT, "dimensions")?).build());
    }
    let request = clients
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(&props.name)
        .set_alarm_description(props.description.clone())
        .actions_enabled(props.actions_enabled)
        .set_alarm_actions(Some(actions(&props.alarm_actions, "alarm_actions")?))
        .set_ok_actions(Some(actions(&props.ok_actions, "ok_actions")?))
        .set_insufficient_data_actions(Some(actions(
            &props.insufficient_data_actions,
            "insufficient_data_actions",
        )?))
        .namespace(&props.namespace)
        .metric_name(&props.metric)
        .set_dimensions(Some(dimensions))
        .statistic(Statistic::from(props.statistic.as_str()))
        .period(props.period)
        .evaluation_periods(props.evaluation_periods)
        .datapoints_to_alarm(props.datapoints)
        .comparison_operator(ComparisonOperator::from(props.comparison.as_str()))
        .threshold(props.threshold)
        .treat_missing_data(&props.missing_data)
        .set_tags(tags);
    request.send().await.named(PUT).map(drop)
}

#[async_trait]
impl Ops for Alarm {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let (alarms, common) = join(read_all(clients, targets), tagged::read(clients, targets)).await;
        let alarms = match alarms {
            Ok(alarms) => alarms,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let found = |target: &Target<Props>| alarms.get(name_of(target));
        let arn = |alarm: &MetricAlarm| alarm.alarm_arn().unwrap_or_default().to_owned();
        let expected = targets
            .iter()
            .filter_map(|target| Some((arn(found(target)?), tagged::of_target(target, &target.props.tags))));
        let common = tagged::as_expected(common, expected);
        let arns = targets.iter().filter_map(|target| found(target).map(arn));
        let labels =
            tagged::complete(&common, arns, async |arn: String| read_labels(clients, &arn).await).await;
        let look = |target: &Target<Props>| {
            let Some(alarm) = found(target) else { return Seen::Absent };
            let labels = match labels.get(&arn(alarm)) {
                Some(Err(error)) => return Seen::Unreadable(error.clone()),
                Some(Ok(labels)) => labels.clone(),
                None => Labels::default(),
            };
            let (id, owner) = (CloudId(name_of(target).clone()), labels.owner(&target.stack));
            Seen::Found(Found { id, owner, facts: facts(alarm, &labels) })
        };
        targets.iter().map(look).collect()
    }

    /// PutMetricAlarm would overwrite another's alarm of this name without a word: it is looked
    /// for first.
    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        if let Some(alarm) = read_one(clients, &props.name).await? {
            let arn = alarm.alarm_arn().unwrap_or_default();
            if !read_labels(clients, arn).await?.is_of(&op.stack, &op.identity) {
                let text = format!("an alarm {} exists already and is another's", props.name);
                return Err(CloudError::new(ErrorKind::Exists, PUT, text));
            }
        }
        put(clients, props, Some(list(op.all_tags(&props.tags)))).await?;
        Ok(CloudId(props.name.clone()))
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        if diffs.iter().any(|diff| !diff.field.starts_with("tags.")) {
            put(clients, want, None).await?;
        }
        let (set, gone) = tag_changes(diffs);
        if set.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let missing = || CloudError::new(ErrorKind::NotFound, DESCRIBE, format!("{id} does not exist"));
        let alarm = read_one(clients, &id.0).await?.ok_or_else(missing)?;
        let arn = alarm.alarm_arn().unwrap_or_default();
        if !set.is_empty() {
            let tags = list(op.all_tags(&want.tags));
            let request = clients.cloudwatch.tag_resource().resource_arn(arn).set_tags(Some(tags));
            request.send().await.named("cloudwatch:TagResource")?;
        }
        if !gone.is_empty() {
            let request = clients.cloudwatch.untag_resource().resource_arn(arn).set_tag_keys(Some(gone));
            request.send().await.named("cloudwatch:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.cloudwatch.delete_alarms().alarm_names(&id.0);
        unless_gone(request.send().await.named("cloudwatch:DeleteAlarms"))
    }
}
