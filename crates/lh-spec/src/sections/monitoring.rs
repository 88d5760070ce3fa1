//! `monitoring`: alarms, whom they reach, dashboard and logs.

use lh_model::Diagnostic;

use super::{between, needs};
use crate::{
    checks::{dns, names, wrong},
    codes,
    reader::{Checked, Section},
    stack::{Alarms, Monitoring, Placed},
};

/// Days that CloudWatch Logs can keep logs.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
pub(crate) const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(crate) fn read(top: &mut Section, region: Option<&Placed<String>>) -> Option<Monitoring> {
    let mut section = top.section("monitoring", "monitoring: { alarms: { cpu_percent: 80 } }")?;
    let origin = section.origin();
    let alarms =
        section.section("alarms", "alarms: { cpu_percent: 80 }").map(read_alarms).unwrap_or_default();
    let topic = section.text("topic", names::topic);
    if let Some(finding) =
        topic.as_ref().zip(region).and_then(|(topic, region)| elsewhere(topic, &region.value))
    {
        section.report(finding);
    }
    let emails = section.texts("emails", |text| dns::email(text).map(|()| text.to_owned()));
    let dashboard = section.flag("dashboard");
    let log_retention_days = section.whole("log_retention_days", "days", retention);
    let manage = section.flag("manage").is_none_or(|flag| flag.value);
    if section.has("emails") && !section.has("topic") && !manage {
        let reason =
            "E-mail addresses are subscribed to a topic; with `manage: false` and no `topic` there is none";
        needs(&section, "emails", reason, "Name the topic, or remove `manage: false`.");
    }
    if alarms.any() && !section.has("topic") && !section.has("emails") {
        section.report(silent(&section));
    }
    section.finish();
    Some(Monitoring {
        alarms,
        topic,
        emails,
        dashboard: dashboard.unwrap_or(Placed { value: false, origin: origin.clone() }),
        log_retention_days: log_retention_days.unwrap_or(Placed { value: 30, origin: origin.clone() }),
        manage,
        origin,
    })
}

/// CloudWatch tells topics of the alarm's own region only.
fn elsewhere(topic: &Placed<String>, region: &str) -> Option<Diagnostic> {
    let named = topic.value.strip_prefix("arn:")?.split(':').nth(2).filter(|named| *named != region)?;
    let what = format!("The topic is in {named}, and the stack is in {region}");
    Some(
        Diagnostic::error(codes::TOPIC_REGION, what)
            .at(topic.origin.clone())
            .because("An alarm can only tell a topic of its own region")
            .fix(format!("Name a topic in {region}.")),
    )
}

fn read_alarms(mut section: Section) -> Alarms {
    let why = "An alarm's threshold is a percentage";
    let alarms = Alarms {
        cpu_percent: section.whole(
            "cpu_percent",
            "percent",
            between("monitoring.alarms.cpu_percent", 1, 100, why),
        ),
        disk_percent: section.whole(
            "disk_percent",
            "percent",
            between("monitoring.alarms.disk_percent", 1, 100, why),
        ),
        memory_percent: section.whole(
            "memory_percent",
            "percent",
            between("monitoring.alarms.memory_percent", 1, 100, why),
        ),
    };
    section.finish();
    alarms
}

fn retention(days: u32) -> Checked<()> {
    if RETENTIONS.contains(&days) {
        return Ok(());
    }
    let near = RETENTIONS.iter().find(|known| **known > days).or(RETENTIONS.last()).copied().unwrap_or(30);
    let known = RETENTIONS.map(|days| days.to_string()).join(", ");
    wrong(
        codes::LOG_RETENTION,
        format!("Logs cannot be kept for {days} days"),
        format!("CloudWatch Logs keeps them for one of {known} days"),
        format!("Write `log_retention_days: {near}`."),
    )
}

fn silent(section: &Section) -> Diagnostic {
    Diagnostic::warning(codes::SILENT_ALARMS, "The alarms reach nobody")
        .at(section.origin_of("alarms"))
        .because("`monitoring` has neither a `topic` nor `emails`")
        .fix("Add `emails: [ops@example.com]`, or the `topic` that your pager listens to.")
}
