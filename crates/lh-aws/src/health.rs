//! Whether an instance runs and passes EC2's own checks. Whether anything useful runs on it is not
//! known here.

use aws_sdk_ec2::types::{InstanceStatus, SummaryStatus};
use base64::{Engine, engine::general_purpose::STANDARD};
use lh_kind::{CloudError, ErrorKind};
use lh_model::CloudId;

use crate::{Clients, error::Named};

const CALL: &str = "ec2:DescribeInstanceStatus";

/// An instance as EC2 sees it from outside:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does not run: its state, in EC2's words.
    NotRunning(String),
    /// It runs, and not all checks have ended: what they say.
    Checking(String),
    /// It runs, and a check failed: what they say.
    Impaired(String),
    /// It runs and passes all checks.
    Sound,
}

/// The health of the instance `id`.
///
/// # Errors
/// When EC2 does not know it or cannot be asked.
pub async fn health(clients: &Clients, id: &CloudId) -> Result<Health, CloudError> {
    let request = clients.ec2.describe_instance_status().instance_ids(&id.0).include_all_instances(true);
    let answer = request.send().await.named(CALL)?;
    let status = answer.instance_statuses().first();
    status
        .map(judge)
        .ok_or_else(|| CloudError::new(ErrorKind::NotFound, CALL, format!("EC2 shows no instance {id}")))
}

/// The serial console of the instance `id`, as far as EC2 keeps it (64 KB): what the host says of
/// itself before anything on it can be asked.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html>
///
/// # Errors
/// When EC2 does not know it or cannot be asked.
pub async fn console(clients: &Clients, id: &CloudId) -> Result<String, CloudError> {
    // The latest output: else it is that of the last start or stop. Nitro instances have it.
    let request = clients.ec2.get_console_output().instance_id(&id.0).latest(true);
    let answer = request.send().await.named("ec2:GetConsoleOutput")?;
    let text = answer.output().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn judge(status: &InstanceStatus) -> Health {
    let state = status.instance_state().and_then(|state| state.name());
    let state = state.map_or("unknown", |state| state.as_str());
    if state != "running" {
        return Health::NotRunning(state.to_owned());
    }
    let checks = [("instance", status.instance_status()), ("system", status.system_status())];
    let checks = checks.map(|(name, summary)| (name, summary.and_then(|summary| summary.status())));
    let said = |(name, status): &(&str, Option<&SummaryStatus>)| {
        format!("{name} {}", status.map_or("unknown", |status| status.as_str()))
    };
    let all = checks.iter().map(said).collect::<Vec<_>>().join(", ");
    let is = |wanted: SummaryStatus| checks.iter().any(|(_, status)| *status == Some(&wanted));
    if is(SummaryStatus::Impaired) {
        Health::Impaired(all)
    } else if checks.iter().all(|(_, status)| *status == Some(&SummaryStatus::Ok)) {
        Health::Sound
    } else {
        Health::Checking(all)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{InstanceState, InstanceStateName, InstanceStatusSummary};

    use super::*;

    fn of(state: InstanceStateName, checks: SummaryStatus) -> Health {
        let summary = || InstanceStatusSummary::builder().status(checks.clone()).build();
        let state = InstanceState::builder().name(state).build();
        let status = InstanceStatus::builder().instance_state(state);
        judge(&status.instance_status(summary()).system_status(summary()).build())
    }

    #[test]
    fn only_a_running_instance_whose_checks_are_through_is_sound() {
        assert_eq!(
            of(InstanceStateName::Stopped, SummaryStatus::Ok),
            Health::NotRunning("stopped".to_owned())
        );
        let checking = of(InstanceStateName::Running, SummaryStatus::Initializing);
        assert_eq!(checking, Health::Checking("instance initializing, system initializing".to_owned()));
        assert!(matches!(of(InstanceStateName::Running, SummaryStatus::Impaired), Health::Impaired(_)));
        assert_eq!(of(InstanceStateName::Running, SummaryStatus::Ok), Health::Sound);
    }
}
