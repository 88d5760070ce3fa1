//! Alarms, whom they tell, the log group and the dashboard.

mod dashboard;

use std::collections::BTreeMap;

use lh_model::{Address, Existing, Lookup, Origin, Resource, identity::sha256};
use serde_json::{Value, json};

use super::{iam::fill, lookup, lookups::found, reference, resource, tags};
use crate::stack::{Monitoring, Placed, Stack};

/// Metrics that the host's agent publishes: memory for the instance; disk for the instance, and
/// once more for the instance, path and file system.
const CUSTOM_METRICS: u32 = 3;

/// The resources of the section `monitoring`.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let Some(monitoring) = &stack.monitoring else { return Vec::new() };
    let topic = Topic::of(stack, monitoring);
    let mut resources = vec![log_group(stack, monitoring)];
    resources.extend(topic.resource(stack));
    if let Some(arn) = topic.arn() {
        resources.extend(subscriptions(&topic, &arn, &monitoring.emails));
    }
    resources.extend(alarms(stack, monitoring).iter().map(|alarm| alarm.resource(stack, &topic)));
    resources.extend(monitoring.dashboard.value.then(|| dashboard::resource_of(stack, monitoring)));
    carry_metrics(&mut resources, has_agent_metrics(stack));
    resources
}

/// The name of the log group that the host writes to, where there is one.
pub(super) fn log_group_name(stack: &Stack) -> Option<String> {
    stack.monitoring.as_ref().map(|_| stack.prefix())
}

/// Whether something looks at the disk and memory metrics that only an agent on the host has.
pub(super) fn has_agent_metrics(stack: &Stack) -> bool {
    stack.monitoring.as_ref().is_some_and(|monitoring| {
        let alarms = &monitoring.alarms;
        alarms.disk_percent.is_some() || alarms.memory_percent.is_some() || monitoring.dashboard.value
    })
}

/// The lookup of a topic that must exist already.
pub(super) fn topic_lookup(stack: &Stack) -> Option<Lookup> {
    match Topic::of(stack, stack.monitoring.as_ref()?) {
        Topic::Existing(topic) => Some(lookup("topic", &topic.origin, json!({ "topic": topic.value }))),
        _ => None,
    }
}

/// The ARN of the topic that is told of alarms, where there is one.
pub(super) fn topic_arn(stack: &Stack) -> Option<Value> {
    Topic::of(stack, stack.monitoring.as_ref()?).arn()
}

/// Where alarms go.
enum Topic<'a> {
    /// Nowhere.
    None,
    /// To a topic that is made where it is missing.
    Named(Placed<String>),
    /// To one that must exist: named by its ARN, or not to be managed.
    Existing(&'a Placed<String>),
}

impl<'a> Topic<'a> {
    fn of(stack: &Stack, monitoring: &'a Monitoring) -> Self {
        match &monitoring.topic {
            Some(topic) if topic.value.starts_with("arn:") || !monitoring.manage => Self::Existing(topic),
            Some(topic) => Self::Named(topic.clone()),
            None => match monitoring.emails.first().filter(|_| monitoring.manage) {
                Some(email) => Self::Named(Placed {
                    value: format!("{}-alerts", stack.prefix()),
                    origin: email.origin.clone(),
                }),
                None => Self::None,
            },
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::None => "",
            Self::Named(topic) => &topic.value,
            Self::Existing(topic) => topic.value.rsplit(':').next().unwrap_or_default(),
        }
    }

    fn arn(&self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Named(topic) => Some(reference("topic", &topic.value, "id")),
            Self::Existing(_) => Some(found("topic", "arn")),
        }
    }

    fn origin(&self) -> Option<&Origin> {
        match self {
            Self::None => None,
            Self::Named(topic) => Some(&topic.origin),
            Self::Existing(topic) => Some(&topic.origin),
        }
    }

    /// The topic has its name in its address: another name is another topic, and the one used
    /// before is let go or deleted as it was found or made.
    fn resource(&self, stack: &Stack) -> Option<Resource> {
        let Self::Named(Placed { value: name, origin }) = self else { return None };
        let props = json!({ "name": name, "arn": arn(stack, "sns", name), "tags": tags(stack, name) });
        let mut topic = resource("topic", name, origin, props);
        topic.existing = Existing::Use;
        topic.origins = [("name".to_owned(), origin.clone())].into();
        Some(topic)
    }
}

/// An ARN in the stack's region, of which only the account is not known yet.
fn arn(stack: &Stack, service: &str, rest: &str) -> Value {
    fill(&format!("arn:${{partition}}:{service}:{}:${{account}}:{rest}", stack.region.value))
}

fn subscriptions<'a>(
    topic: &Topic<'a>,
    arn: &Value,
    emails: &'a [Placed<String>],
) -> impl Iterator<Item = Resource> {
    emails.iter().map(move |email| {
        let props = json!({ "topic_arn": arn, "protocol": "email", "endpoint": email.value });
        let name = format!("{}/{}", topic.name(), address_part(&email.value));
        let mut subscription = resource("subscription", &name, &email.origin, props);
        subscription.existing = Existing::Use;
        subscription.origins = [("endpoint".to_owned(), email.origin.clone())].into();
        subscription
    })
}

/// An e-mail address as part of a resource's. What would not survive in it is told apart by a digest.
fn address_part(email: &str) -> String {
    if email.chars().all(|c| c.is_ascii_alphanumeric() || "@.-_".contains(c)) {
        return email.to_owned();
    }
    let digest = sha256(email.as_bytes());
    format!("{email}-{}", digest.get(..8).unwrap_or_default())
}

fn log_group(stack: &Stack, monitoring: &Monitoring) -> Resource {
    let days = &monitoring.log_retention_days;
    let name = stack.prefix();
    let props = json!({ "name": name, "retention_days": days.value, "tags": tags(stack, &name) });
    let mut group = resource("log_group", "main", &monitoring.origin, props);
    group.origins = [("retention_days".to_owned(), days.origin.clone())].into();
    group
}

/// One alarm, before it has its place among the resources.
struct Alarm<'a> {
    /// The last part of its name, and its address.
    word: &'static str,
    what: String,
    namespace: &'static str,
    metric: &'static str,
    statistic: &'static str,
    period: u32,
    comparison: &'static str,
    threshold: f64,
    missing_data: &'static str,
    /// Whether missing data is told of: nobody watches then.
    tells_silence: bool,
    origin: &'a Origin,
}

/// The alarms asked for, and the one on the status checks, which every monitored server has.
fn alarms<'a>(stack: &Stack, monitoring: &'a Monitoring) -> Vec<Alarm<'a>> {
    let percent = |word, name: &str, namespace, metric, limit: &'a Option<Placed<u32>>| {
        let limit = limit.as_ref()?;
        Some(Alarm {
            word,
            what: format!("{name} of {} over {} % for 10 minutes", stack.prefix(), limit.value),
            namespace,
            metric,
            statistic: "Average",
            // EC2 gives a value of CPU use every five minutes.
            period: 300,
            comparison: "GreaterThanThreshold",
            threshold: f64::from(limit.value),
            missing_data: "missing",
            // EC2 always knows the CPU of what runs; an agent can fall silent.
            tells_silence: namespace == "CWAgent",
            origin: &limit.origin,
        })
    };
    let wanted = &monitoring.alarms;
    let status = Alarm {
        word: "status",
        what: format!("Status checks of {} fail, or it does not run", stack.prefix()),
        namespace: "AWS/EC2",
        metric: "StatusCheckFailed",
        statistic: "Maximum",
        period: 60,
        comparison: "GreaterThanOrEqualToThreshold",
        threshold: 1.0,
        // An instance that is gone has no failed checks, and no checks at all.
        missing_data: "breaching",
        tells_silence: false,
        origin: &monitoring.origin,
    };
    [
        percent("cpu", "CPU use", "AWS/EC2", "CPUUtilization", &wanted.cpu_percent),
        percent("disk", "Use of the data volume", "CWAgent", "disk_used_percent", &wanted.disk_percent),
        percent("memory", "Memory use", "CWAgent", "mem_used_percent", &wanted.memory_percent),
        Some(status),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Alarm<'_> {
    fn name(&self, stack: &Stack) -> String {
        format!("{}-{}", stack.prefix(), self.word)
    }

    fn resource(&self, stack: &Stack, topic: &Topic) -> Resource {
        let name = self.name(stack);
        let told: Vec<Value> = topic.arn().into_iter().collect();
        let props = json!({
            "name": name,
            "description": self.what,
            "actions_enabled": true,
            "alarm_actions": told,
            "ok_actions": told,
            "insufficient_data_actions": if self.tells_silence { told.clone() } else { Vec::new() },
            "namespace": self.namespace,
            "metric": self.metric,
            "dimensions": { "InstanceId": reference("instance", "main", "id") },
            "statistic": self.statistic,
            "period": self.period,
            "evaluation_periods": 2,
            "datapoints": 2,
            "comparison": self.comparison,
            "threshold": self.threshold,
            "missing_data": self.missing_data,
            "tags": tags(stack, &name),
        });
        let mut alarm = resource("alarm", self.word, self.origin, props);
        let actions = ["alarm_actions", "ok_actions", "insufficient_data_actions"];
        let told = topic.origin().into_iter().flat_map(|origin| actions.map(|field| (field, origin)));
        let own = [("threshold", self.origin), ("description", self.origin)];
        let origins = told.chain(own).map(|(field, origin)| (field.to_owned(), origin.clone()));
        alarm.origins = origins.collect::<BTreeMap<_, _>>();
        alarm
    }
}

/// The host publishes its metrics once, whoever looks at them: one resource carries their price.
fn carry_metrics(resources: &mut [Resource], are_published: bool) {
    let carriers = ["alarm.disk", "alarm.memory", "dashboard.main"];
    let addresses: Vec<Address> = carriers.iter().filter_map(|text| text.parse().ok()).collect();
    let place = addresses.iter().find_map(|one| resources.iter().position(|r| r.address == *one));
    if let Some(carrier) = place.and_then(|place| resources.get_mut(place)).filter(|_| are_published) {
        carrier.props.insert("custom_metrics".to_owned(), json!(CUSTOM_METRICS));
    }
}
