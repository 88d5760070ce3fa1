//! Verification of what AWS does for a stack: backups, alarms, who is told, the way to the host.
//! The chapters about SQL are `lh-db`'s; both are joined in one report.

mod alarms;
mod backups;
mod subscriptions;

pub(crate) use backups::complete;

use futures_util::future::join_all;
use lh_aws::inspect::Inspector;
use lh_db::{Check, Problem, Verdict};
use lh_kind::CloudError;
use lh_model::Map;
use lh_state::{Record, State};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{
    Deployment, Error,
    host::{HostSight, Silence},
};

/// Every check of AWS: its name, as `--skip` takes it, and its chapter.
pub const CLOUD_CHECKS: &[(&str, &str)] = &[
    ("recovery-points", "backups"),
    ("dump", "backups"),
    ("drill", "backups"),
    ("alarms", "alarms"),
    ("alarm-test", "alarms"),
    ("subscriptions", "alarms"),
    ("shell", "shell access"),
];

/// What to verify of what AWS does.
#[derive(Clone, Debug, Default)]
pub struct CloudOptions {
    /// Names of checks to skip.
    pub skip: Vec<String>,
    /// Whether an alarm is tried, which tells everybody who is subscribed.
    pub test_alarm: bool,
}

/// The checks of AWS, where AWS is not asked.
pub fn without_cloud(reason: &str) -> Vec<Check> {
    CLOUD_CHECKS.iter().map(|(name, chapter)| Check::skipped(name, chapter, reason)).collect()
}

/// What the checks of one stack work on.
struct Scene<'d> {
    deployment: &'d Deployment,
    state: State,
    inspector: Inspector,
    /// What the host says: asked once, for all checks.
    host: OnceCell<Result<HostSight, Silence>>,
    /// The time, in seconds since 1970.
    now: i64,
}

impl Deployment {
    /// Verifies what AWS does for the stack: a check each, in the order of [`CLOUD_CHECKS`]. It
    /// changes nothing, save that an alarm is tried where that is asked for.
    ///
    /// # Errors
    /// When the state cannot be read. What AWS does not tell is a failed check.
    pub async fn verify_cloud(&self, options: &CloudOptions) -> Result<Vec<Check>, Error> {
        let clients = self.cloud.clients(self.stack().region()).await?;
        let inspector = match options.test_alarm {
            true => Inspector::trying_alarms(clients),
            false => Inspector::new(clients),
        };
        let (state, now) = (self.state().await?, self.cloud.now());
        let scene = Scene { deployment: self, state, inspector, host: OnceCell::new(), now };
        let check = async |(name, chapter): &(&str, &str)| {
            if options.skip.iter().any(|skip| skip == name) {
                return Check::skipped(name, chapter, format!("--skip {name}"));
            }
            Check::of(name, chapter, scene.check(name, options.test_alarm).await)
        };
        Ok(join_all(CLOUD_CHECKS.iter().map(check)).await)
    }
}

impl Deployment {
    /// Whether everybody whom alarms should reach has agreed, for the checklist of the doctor.
    pub(crate) async fn check_subscriptions(&self, state: &State) -> Verdict {
        let clients = self.cloud.clients(self.stack().region()).await;
        let clients = clients.map_err(|error| Problem::failed(error.to_string(), "Mend that first."))?;
        let (inspector, host, now) = (Inspector::new(clients), OnceCell::new(), self.cloud.now());
        Scene { deployment: self, state: state.clone(), inspector, host, now }.subscriptions().await
    }
}

impl Scene<'_> {
    async fn check(&self, name: &str, test_alarm: bool) -> Verdict {
        match name {
            "recovery-points" => self.recovery_points().await,
            "dump" => self.dump().await,
            "drill" => self.drill().await,
            "alarms" => self.alarms().await,
            "alarm-test" if test_alarm => self.alarm_test().await,
            "alarm-test" => Err(Problem::Skipped(
                "Not asked for; --test-alarm runs it, and sends what an alarm sends".to_owned(),
            )),
            "subscriptions" => self.subscriptions().await,
            _ => self.shell().await,
        }
    }

    /// The recorded resources of a kind; a reason to skip if the stack file asks for none, or none
    /// was made yet.
    fn records(&self, kind: &str, section: &str) -> Result<Vec<&Record>, Problem> {
        let found = self
            .state
            .resources
            .iter()
            .filter(|(address, record)| address.kind() == kind && !record.retained);
        let found: Vec<&Record> = found.map(|(_, record)| record).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let desired = &self.deployment.stack().desired.resources;
        Err(Problem::Skipped(match desired.iter().any(|wanted| wanted.address.kind() == kind) {
            true => "It was not applied yet".to_owned(),
            false => format!("The stack file does not ask for it: see `{section}`"),
        }))
    }

    async fn host(&self) -> &Result<HostSight, Silence> {
        self.host.get_or_init(|| self.deployment.host_sight()).await
    }

    /// Whether the instance takes scripts, shown by one that only looks.
    async fn shell(&self) -> Verdict {
        match self.host().await {
            Ok(sight) => Ok(vec![sight.way.clone(), sight.who.clone()]),
            Err(silence) => Err(Problem::failed(silence.reason.clone(), silence.fix.clone())),
        }
    }
}

/// A call to AWS that failed, as a check that does not hold.
fn unanswered(error: &CloudError) -> Problem {
    let fix = error.advice().unwrap_or("Mend what AWS says, then verify again.");
    Problem::failed(format!("AWS did not answer the question: {error}"), fix)
}

/// A text among properties; empty if there is none.
pub(crate) fn text<'m>(map: &'m Map, name: &str) -> &'m str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A time for people: `2026-03-04T05:00:00Z`.
pub(crate) fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

/// A length of time for people, as one number: `3 days`.
pub(crate) fn span(seconds: i64) -> String {
    let (number, unit) = match seconds.max(0) {
        s if s < 120 => (s, "second"),
        s if s < 2 * 3600 => (s / 60, "minute"),
        s if s < 2 * 86_400 => (s / 3600, "hour"),
        s => (s / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// Bytes for people.
pub(crate) fn size(bytes: i64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    let bytes = bytes as f64;
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} bytes") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_one_number() {
        let spans = [
            (1, "1 second"),
            (119, "119 seconds"),
            (7199, "119 minutes"),
            (90_000, "25 hours"),
            (200_000, "2 days"),
        ];
        assert!(spans.iter().all(|(seconds, text)| span(*seconds) == *text));
        assert_eq!(
            (size(12), size(1536), size(3 << 30)),
            ("12 bytes".into(), "1.5 KiB".into(), "3.0 GiB".into())
        );
    }
}
