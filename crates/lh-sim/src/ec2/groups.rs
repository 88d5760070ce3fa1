//! Security groups. Their rules are in `rules`.

use super::query::{Kind, Query, required};
use super::{rules, tags};
use crate::filters::one;
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{self, Group, Peer};
use aws_sdk_ec2::operation::create_security_group::{CreateSecurityGroupInput, CreateSecurityGroupOutput};
use aws_sdk_ec2::operation::delete_security_group::{DeleteSecurityGroupInput, DeleteSecurityGroupOutput};
use aws_sdk_ec2::operation::describe_security_groups::{
    DescribeSecurityGroupsInput, DescribeSecurityGroupsOutput,
};
use aws_sdk_ec2::types::SecurityGroup;

/// DescribeSecurityGroups.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeSecurityGroupsInput,
) -> Result<DescribeSecurityGroupsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    for name in i.group_names.as_deref().unwrap_or_default() {
        if !s.here.groups.values().any(|group| group.name == *name) {
            return Err(Kind::Group.missing(name));
        }
    }
    let query = Query {
        kind: Kind::Group,
        ids: i.group_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &["group-id", "group-name", "vpc-id", "description", "owner-id"],
    };
    let all = s.here.groups.clone();
    let account = s.account.to_owned();
    let found = query.run(
        s,
        &all,
        |group| &group.tags,
        |group, name| match name {
            "group-id" => one(&group.id),
            "group-name" => one(&group.name),
            "vpc-id" => one(&group.vpc_id),
            "owner-id" => one(&account),
            _ => one(&group.description),
        },
    )?;
    let names = i.group_names.as_deref().unwrap_or_default();
    let shown = found
        .iter()
        .filter(|group| names.is_empty() || names.contains(&group.name))
        .map(|group| show(s, group))
        .collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeSecurityGroupsOutput::builder().set_security_groups(Some(page)).set_next_token(next).build())
}

fn show(s: &Scene<'_>, group: &Group) -> SecurityGroup {
    SecurityGroup::builder()
        .group_id(&group.id)
        .group_name(&group.name)
        .description(&group.description)
        .vpc_id(&group.vpc_id)
        .owner_id(s.account)
        .security_group_arn(s.arn("ec2", &format!("security-group/{}", group.id)))
        .set_ip_permissions(Some(rules::permissions(s, group, false)))
        .set_ip_permissions_egress(Some(rules::permissions(s, group, true)))
        .set_tags(Some(tags::show(&group.tags)))
        .build()
}

/// CreateSecurityGroup: a name is unique in its VPC, `sg-` names and `default` are reserved:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>.
pub(crate) fn create(
    s: &mut Scene<'_>,
    i: &CreateSecurityGroupInput,
) -> Result<CreateSecurityGroupOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let name = required(&i.group_name, "GroupName")?;
    let description = required(&i.description, "GroupDescription")?;
    let tags = tags::at_creation(i.tag_specifications.as_deref(), "security-group", &["security-group"])?;
    let vpc_id = match &i.vpc_id {
        Some(id) if s.here.vpcs.contains_key(id) => id.clone(),
        Some(id) => return Err(Kind::Vpc.missing(id)),
        None => default_vpc(s)?,
    };
    if name.starts_with("sg-") || name == "default" {
        return Err(ApiError::invalid(format!("Value ({name}) for parameter GroupName is reserved")));
    }
    if s.here.groups.values().any(|group| group.vpc_id == vpc_id && group.name == *name) {
        return Err(ApiError::new(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{vpc_id}'"),
        ));
    }
    let mut group = world::start::group(s.random, &vpc_id, name, description);
    group.tags = tags;
    s.born(&group.id);
    let answer = CreateSecurityGroupOutput::builder()
        .group_id(&group.id)
        .security_group_arn(s.arn("ec2", &format!("security-group/{}", group.id)))
        .set_tags(Some(tags::show(&group.tags)))
        .build();
    s.here.groups.insert(group.id.clone(), group);
    Ok(answer)
}

fn default_vpc(s: &Scene<'_>) -> Result<String, ApiError> {
    s.here
        .vpcs
        .values()
        .find(|vpc| vpc.is_default)
        .map(|vpc| vpc.id.clone())
        .ok_or_else(|| ApiError::new("VPCIdNotSpecified", "No default VPC for this user"))
}

/// DeleteSecurityGroup: not while an instance has it or a rule of another group names it:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html>.
pub(crate) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteSecurityGroupInput,
) -> Result<DeleteSecurityGroupOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.group_id, "GroupId")?;
    let group = s.here.groups.get(id).ok_or_else(|| Kind::Group.missing(id))?;
    if group.name == "default" {
        return Err(ApiError::new(
            "CannotDelete",
            format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"),
        ));
    }
    // The network interface of an instance goes when the instance is terminated, not before.
    let on_instance = s.here.instances.values().any(|instance| {
        instance.state != world::InstanceState::Terminated && instance.launch.groups.contains(id)
    });
    let named = s
        .here
        .groups
        .values()
        .filter(|other| other.id != *id)
        .any(|other| other.rules.values().any(|rule| rule.peer == Peer::Group(id.clone())));
    if on_instance || named {
        return Err(ApiError::new("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    s.here.groups.remove(id);
    Ok(DeleteSecurityGroupOutput::builder().group_id(id).build())
}
