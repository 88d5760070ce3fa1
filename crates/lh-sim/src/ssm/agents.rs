//! DescribeInstanceInformation: the instances whose agents have reported.

use super::invalid;
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::{self, Limits};
use crate::scene::Scene;
use crate::world::Agent;
use aws_sdk_ssm::operation::describe_instance_information::{
    DescribeInstanceInformationInput, DescribeInstanceInformationOutput,
};
use aws_sdk_ssm::types::{InstanceInformation, PingStatus, PlatformType, ResourceType};

/// "Valid range: minimum 5, maximum 50."
const PAGES: Limits = Limits { least: 5, most: 50, usual: 50 };

/// DescribeInstanceInformation, by either kind of filter; an agent that reported once and does not
/// now has lost its connection:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>.
pub(super) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeInstanceInformationInput,
) -> Result<DescribeInstanceInformationOutput, ApiError> {
    let old = i.instance_information_filter_list.as_deref().unwrap_or_default();
    let new = i.filters.as_deref().unwrap_or_default();
    if !old.is_empty() && !new.is_empty() {
        return Err(invalid("Filters and InstanceInformationFilterList cannot be used together."));
    }
    let mut filters: Vec<(&str, &[String])> = Vec::new();
    filters.extend(old.iter().map(|filter| (filter.key.as_str(), &filter.value_set[..])));
    filters.extend(new.iter().map(|filter| (filter.key.as_str(), &filter.values[..])));
    for (key, values) in &filters {
        let known = ["InstanceIds", "PingStatus", "PlatformTypes", "ResourceType"].contains(key);
        if !known || values.is_empty() {
            let code = "InvalidInstanceInformationFilterValue";
            return Err(ApiError::new(code, format!("The filter {key} is not valid.")));
        }
    }
    let here = &s.here.instances;
    let there = |id: &String| here.get(id).is_some_and(|it| !it.state.ending());
    let shown = s.here.agents.iter().filter(|(id, agent)| {
        there(id)
            && filters.iter().all(|(key, values)| values.iter().any(|value| value == look(id, agent, key)))
    });
    let shown = shown.map(|(id, agent)| show(s, id, agent)).collect();
    let (page, next) = paging::page(shown, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let answer = DescribeInstanceInformationOutput::builder().set_instance_information_list(Some(page));
    Ok(answer.set_next_token(next).build())
}

fn look<'a>(id: &'a str, agent: &Agent, key: &str) -> &'a str {
    match key {
        "InstanceIds" => id,
        "PingStatus" if agent.online => "Online",
        "PingStatus" => "ConnectionLost",
        "PlatformTypes" => "Linux",
        _ => "EC2Instance",
    }
}

fn show(s: &Scene<'_>, id: &str, agent: &Agent) -> InstanceInformation {
    let status = if agent.online { PingStatus::Online } else { PingStatus::ConnectionLost };
    InstanceInformation::builder()
        .instance_id(id)
        .ping_status(status)
        .last_ping_date_time(date(agent.last_ping))
        .agent_version("3.3.0.0")
        .platform_type(PlatformType::Linux)
        .platform_name("Ubuntu")
        .resource_type(ResourceType::Ec2Instance)
        .set_ip_address(s.here.instances.get(id).map(|it| it.private_ip.clone()))
        .build()
}
