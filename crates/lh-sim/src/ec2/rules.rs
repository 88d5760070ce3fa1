//! The rules of security groups: authorize, revoke, modify and describe.
//!
//! A permission of the API may stand for many rules, one for each block, group or prefix list:
//! <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>.

use super::query::{Kind, Query, required};
use super::tags;
use crate::filters::one;
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{Group, Peer, Rule, Tags};
use aws_sdk_ec2::operation::authorize_security_group_ingress::{
    AuthorizeSecurityGroupIngressInput, AuthorizeSecurityGroupIngressOutput,
};
use aws_sdk_ec2::operation::describe_security_group_rules::{
    DescribeSecurityGroupRulesInput, DescribeSecurityGroupRulesOutput,
};
use aws_sdk_ec2::operation::modify_security_group_rules::{
    ModifySecurityGroupRulesInput, ModifySecurityGroupRulesOutput,
};
use aws_sdk_ec2::operation::revoke_security_group_ingress::{
    RevokeSecurityGroupIngressInput, RevokeSecurityGroupIngressOutput,
};
use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, ReferencedSecurityGroup, SecurityGroupRule,
    SecurityGroupRuleRequest, UserIdGroupPair,
};
use std::collections::BTreeMap;

/// "Inbound or outbound rules per security group: 60":
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
const MOST: usize = 60;

/// AuthorizeSecurityGroupIngress: all rules or none; a rule that is there already is an error.
pub(crate) fn authorize(
    s: &mut Scene<'_>,
    i: &AuthorizeSecurityGroupIngressInput,
) -> Result<AuthorizeSecurityGroupIngressOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.group_id, "GroupId")?.clone();
    let tags =
        tags::at_creation(i.tag_specifications.as_deref(), "security-group-rule", &["security-group-rule"])?;
    let wanted = match i.ip_permissions.as_deref() {
        Some(permissions) if !permissions.is_empty() => expand(permissions)?,
        _ => vec![plain(&i.ip_protocol, i.from_port, i.to_port, &i.cidr_ip)?],
    };
    let mut made = Vec::new();
    for mut rule in wanted {
        if let Peer::Group(other) = &rule.peer
            && !s.here.groups.contains_key(other)
        {
            return Err(Kind::Group.missing(other));
        }
        rule.id = s.random.id("sgr");
        rule.tags = tags.clone();
        let group = s.here.groups.get_mut(&id).ok_or_else(|| Kind::Group.missing(&id))?;
        add(group, &rule)?;
        s.born(&rule.id);
        made.push(show(s, &id, &rule));
    }
    Ok(AuthorizeSecurityGroupIngressOutput::builder().set_security_group_rules(Some(made)).build())
}

fn add(group: &mut Group, rule: &Rule) -> Result<(), ApiError> {
    if group.rules.values().any(|other| same(other, rule)) {
        return Err(ApiError::new(
            "InvalidPermission.Duplicate",
            format!(
                "the specified rule \"peer: {:?}, {}, from port: {}, to port: {}, ALLOW\" already exists",
                rule.peer, rule.protocol, rule.from_port, rule.to_port
            ),
        ));
    }
    if group.rules.values().filter(|other| !other.egress).count() >= MOST {
        return Err(ApiError::new(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        ));
    }
    group.rules.insert(rule.id.clone(), rule.clone());
    Ok(())
}

/// Rules are the same whatever their descriptions and tags.
fn same(a: &Rule, b: &Rule) -> bool {
    (a.egress, &a.protocol, a.from_port, a.to_port, &a.peer)
        == (b.egress, &b.protocol, b.from_port, b.to_port, &b.peer)
}

fn rule(
    protocol: &str,
    from: Option<i32>,
    to: Option<i32>,
    peer: Peer,
    description: Option<&String>,
) -> Result<Rule, ApiError> {
    let protocol = match protocol {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "all" => "-1",
        other => other,
    };
    let all = protocol == "-1";
    let (from, to) = if all { (-1, -1) } else { (from.unwrap_or(-1), to.unwrap_or(-1)) };
    if matches!(protocol, "tcp" | "udp") && !(0 <= from && from <= to && to <= 65535) {
        return Err(ApiError::invalid(format!(
            "Invalid value for portRange. {from} to {to} is no range of ports"
        )));
    }
    check_block(&peer)?;
    Ok(Rule {
        id: String::new(),
        egress: false,
        protocol: protocol.to_owned(),
        from_port: from,
        to_port: to,
        peer,
        description: description.cloned(),
        tags: Tags::new(),
    })
}

fn check_block(peer: &Peer) -> Result<(), ApiError> {
    let fine = |block: &str, most: u8| {
        block.split_once('/').is_some_and(|(ip, bits)| {
            ip.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_ipv4() == (most == 32))
                && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
        })
    };
    match peer {
        Peer::Ipv4(block) if !fine(block, 32) => {
            Err(ApiError::invalid(format!("CIDR block {block} is malformed")))
        }
        Peer::Ipv6(block) if !fine(block, 128) => {
            Err(ApiError::invalid(format!("CIDR block {block} is malformed")))
        }
        _ => Ok(()),
    }
}

fn plain(
    protocol: &Option<String>,
    from: Option<i32>,
    to: Option<i32>,
    block: &Option<String>,
) -> Result<Rule, ApiError> {
    let block = required(block, "CidrIp")?;
    rule(required(protocol, "IpProtocol")?, from, to, Peer::Ipv4(block.clone()), None)
}

fn expand(permissions: &[IpPermission]) -> Result<Vec<Rule>, ApiError> {
    let mut rules = Vec::new();
    for p in permissions {
        let protocol = required(&p.ip_protocol, "IpProtocol")?;
        let mut push = |peer: Peer, description: Option<&String>| {
            rule(protocol, p.from_port, p.to_port, peer, description).map(|rule| rules.push(rule))
        };
        for range in p.ip_ranges.as_deref().unwrap_or_default() {
            push(Peer::Ipv4(range.cidr_ip.clone().unwrap_or_default()), range.description.as_ref())?;
        }
        for range in p.ipv6_ranges.as_deref().unwrap_or_default() {
            push(Peer::Ipv6(range.cidr_ipv6.clone().unwrap_or_default()), range.description.as_ref())?;
        }
        for pair in p.user_id_group_pairs.as_deref().unwrap_or_default() {
            let id = required(&pair.group_id, "GroupId")?;
            push(Peer::Group(id.clone()), pair.description.as_ref())?;
        }
        for list in p.prefix_list_ids.as_deref().unwrap_or_default() {
            let id = required(&list.prefix_list_id, "PrefixListId")?;
            push(Peer::PrefixList(id.clone()), list.description.as_ref())?;
        }
    }
    if rules.is_empty() {
        return Err(ApiError::missing("IpRanges"));
    }
    Ok(rules)
}

/// RevokeSecurityGroupIngress, by rule ids or by permissions:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html>.
pub(crate) fn revoke(
    s: &mut Scene<'_>,
    i: &RevokeSecurityGroupIngressInput,
) -> Result<RevokeSecurityGroupIngressOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.group_id, "GroupId")?;
    let group = s.here.groups.get_mut(id).ok_or_else(|| Kind::Group.missing(id))?;
    let ids = i.security_group_rule_ids.as_deref().unwrap_or_default();
    if !ids.is_empty() {
        for rule in ids {
            group.rules.remove(rule).ok_or_else(|| Kind::Rule.missing(rule))?;
        }
    } else {
        let gone = match i.ip_permissions.as_deref() {
            Some(permissions) if !permissions.is_empty() => expand(permissions)?,
            _ => vec![plain(&i.ip_protocol, i.from_port, i.to_port, &i.cidr_ip)?],
        };
        for rule in gone {
            let found = group.rules.values().find(|other| same(other, &rule)).map(|it| it.id.clone());
            let found = found.ok_or_else(|| {
                ApiError::new(
                    "InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.",
                )
            })?;
            group.rules.remove(&found);
        }
    }
    Ok(RevokeSecurityGroupIngressOutput::builder().build())
}

/// ModifySecurityGroupRules: a rule is replaced as a whole and keeps its id and tags; the kind of
/// its other side cannot change:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html>.
pub(crate) fn modify(
    s: &mut Scene<'_>,
    i: &ModifySecurityGroupRulesInput,
) -> Result<ModifySecurityGroupRulesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.group_id, "GroupId")?;
    let group = s.here.groups.get_mut(id).ok_or_else(|| Kind::Group.missing(id))?;
    for update in i.security_group_rules.as_deref().unwrap_or_default() {
        let rule_id = required(&update.security_group_rule_id, "SecurityGroupRuleId")?;
        let request = required(&update.security_group_rule, "SecurityGroupRule")?;
        let old = group.rules.get(rule_id).ok_or_else(|| Kind::Rule.missing(rule_id))?.clone();
        let mut new = requested(request)?;
        if std::mem::discriminant(&new.peer) != std::mem::discriminant(&old.peer) {
            return Err(ApiError::invalid("You may not change the source type of a security group rule."));
        }
        new.id = old.id.clone();
        new.egress = old.egress;
        new.tags = old.tags;
        if group.rules.values().any(|other| other.id != new.id && same(other, &new)) {
            return Err(ApiError::new("InvalidPermission.Duplicate", "the specified rule already exists"));
        }
        group.rules.insert(rule_id.clone(), new);
    }
    Ok(ModifySecurityGroupRulesOutput::builder().r#return(true).build())
}

fn requested(r: &SecurityGroupRuleRequest) -> Result<Rule, ApiError> {
    let peer = if let Some(block) = &r.cidr_ipv4 {
        Peer::Ipv4(block.clone())
    } else if let Some(block) = &r.cidr_ipv6 {
        Peer::Ipv6(block.clone())
    } else if let Some(group) = &r.referenced_group_id {
        Peer::Group(group.clone())
    } else {
        Peer::PrefixList(required(&r.prefix_list_id, "CidrIpv4")?.clone())
    };
    rule(required(&r.ip_protocol, "IpProtocol")?, r.from_port, r.to_port, peer, r.description.as_ref())
}

/// DescribeSecurityGroupRules.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeSecurityGroupRulesInput,
) -> Result<DescribeSecurityGroupRulesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::Rule,
        ids: i.security_group_rule_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &["group-id", "security-group-rule-id"],
    };
    let all: BTreeMap<String, (String, Rule)> = s
        .here
        .groups
        .values()
        .flat_map(|g| g.rules.values().map(|r| (r.id.clone(), (g.id.clone(), r.clone()))))
        .collect();
    let found = query.run(
        s,
        &all,
        |(_, rule)| &rule.tags,
        |(group, rule), name| if name == "group-id" { one(group) } else { one(&rule.id) },
    )?;
    let shown = found.iter().map(|(group, rule)| show(s, group, rule)).collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeSecurityGroupRulesOutput::builder()
        .set_security_group_rules(Some(page))
        .set_next_token(next)
        .build())
}

fn show(s: &Scene<'_>, group: &str, rule: &Rule) -> SecurityGroupRule {
    let shown = SecurityGroupRule::builder()
        .security_group_rule_id(&rule.id)
        .security_group_rule_arn(s.arn("ec2", &format!("security-group-rule/{}", rule.id)))
        .group_id(group)
        .group_owner_id(s.account)
        .is_egress(rule.egress)
        .ip_protocol(&rule.protocol)
        .from_port(rule.from_port)
        .to_port(rule.to_port)
        .set_description(rule.description.clone())
        .set_tags(Some(tags::show(&rule.tags)));
    match &rule.peer {
        Peer::Ipv4(block) => shown.cidr_ipv4(block),
        Peer::Ipv6(block) => shown.cidr_ipv6(block),
        Peer::PrefixList(id) => shown.prefix_list_id(id),
        Peer::Group(id) => shown.referenced_group_info(
            ReferencedSecurityGroup::builder().group_id(id).user_id(s.account).build(),
        ),
    }
    .build()
}

/// The rules of one direction, as DescribeSecurityGroups shows them: one permission for each
/// protocol and range of ports.
pub(super) fn permissions(s: &Scene<'_>, group: &Group, egress: bool) -> Vec<IpPermission> {
    let mut by_ports: BTreeMap<(String, i32, i32), Vec<&Rule>> = BTreeMap::new();
    for rule in group.rules.values().filter(|rule| rule.egress == egress) {
        by_ports.entry((rule.protocol.clone(), rule.from_port, rule.to_port)).or_default().push(rule);
    }
    by_ports
        .into_iter()
        .map(|((protocol, from, to), rules)| {
            // Permissions for all protocols have no ports.
            let ports = protocol != "-1";
            let shown = IpPermission::builder()
                .set_from_port(ports.then_some(from))
                .set_to_port(ports.then_some(to))
                .ip_protocol(protocol);
            rules
                .into_iter()
                .fold(shown, |shown, rule| {
                    let text = rule.description.clone();
                    match &rule.peer {
                        Peer::Ipv4(b) => {
                            shown.ip_ranges(IpRange::builder().cidr_ip(b).set_description(text).build())
                        }
                        Peer::Ipv6(b) => {
                            shown.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(b).set_description(text).build())
                        }
                        Peer::PrefixList(id) => shown.prefix_list_ids(
                            PrefixListId::builder().prefix_list_id(id).set_description(text).build(),
                        ),
                        Peer::Group(id) => shown.user_id_group_pairs(
                            UserIdGroupPair::builder()
                                .group_id(id)
                                .user_id(s.account)
                                .set_description(text)
                                .build(),
                        ),
                    }
                })
                .build()
        })
        .collect()
}
