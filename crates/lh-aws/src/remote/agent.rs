//! Whether the SSM agent of an instance takes commands, and if not, why.

use aws_sdk_ssm::types::{InstanceInformationStringFilter, PingStatus};
use lh_kind::{CloudError, ErrorKind};

use crate::{Clients, error::Named};

/// What to check when an agent does not report.
pub(crate) const CHECK: &str = "the instance must run, its role must have the policy \
    AmazonSSMManagedInstanceCore, its subnet must reach the SSM endpoints (through NAT, a public \
    address or VPC endpoints), and the SSM agent must run on it";

/// The SSM agent of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agent {
    /// It takes commands.
    Online,
    /// It does not; why, and what to check.
    Offline(String),
}

/// The SSM agent of `instance`. An agent that was just started needs a minute or two until AWS
/// shows it.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn agent(clients: &Clients, instance: &str) -> Result<Agent, CloudError> {
    let operation = "ssm:DescribeInstanceInformation";
    let filter = InstanceInformationStringFilter::builder().key("InstanceIds").values(instance).build();
    let filter = filter.map_err(|error| CloudError::new(ErrorKind::Other, operation, error.to_string()))?;
    let request = clients.ssm.describe_instance_information().filters(filter);
    let shown = request.send().await.named(operation)?.instance_information_list.unwrap_or_default();
    let found = shown.into_iter().find(|it| it.instance_id.as_deref() == Some(instance));
    if found.as_ref().is_some_and(|it| it.ping_status == Some(PingStatus::Online)) {
        return Ok(Agent::Online);
    }
    let state = state(clients, instance).await?;
    if state != "running" {
        return Ok(Agent::Offline(format!("the instance {instance} is {state}")));
    }
    let last = found.and_then(|it| it.last_ping_date_time).map(|at| {
        let at = at.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default();
        format!("the SSM agent on {instance} has not been heard since {at}")
    });
    let why = last.unwrap_or_else(|| format!("no SSM agent on {instance} has reported yet"));
    Ok(Agent::Offline(format!("{why}: {CHECK}")))
}

/// The state of an instance, `gone` if there is none.
async fn state(clients: &Clients, instance: &str) -> Result<String, CloudError> {
    let request = clients.ec2.describe_instance_status().instance_ids(instance).include_all_instances(true);
    let shown = match request.send().await.named("ec2:DescribeInstanceStatus") {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok("gone".to_owned()),
        other => other?.instance_statuses.unwrap_or_default(),
    };
    let state = shown.into_iter().next().and_then(|it| it.instance_state).and_then(|it| it.name);
    Ok(state.map_or_else(|| "gone".to_owned(), |name| name.as_str().to_owned()))
}
