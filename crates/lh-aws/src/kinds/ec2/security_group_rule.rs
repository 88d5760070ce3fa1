//! One rule that lets traffic in: from a network or from another security group, to one port.

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, ResourceType, SecurityGroupRule as Described, SecurityGroupRuleRequest,
    SecurityGroupRuleUpdate, UserIdGroupPair,
};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Rules,
    Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    query::{self, Object},
    tags,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, text, unreadable},
};

/// The kind.
pub struct SecurityGroupRule;

/// Wanted properties; exactly one of `cidr` and `source_group` is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The group it belongs to.
    pub group_id: Late<String>,
    /// `tcp`, `udp`, or a protocol number.
    pub protocol: String,
    /// The port.
    pub port: i32,
    /// IPv4 or IPv6 network.
    #[serde(default)]
    pub cidr: Option<String>,
    /// Id of the group whose members may connect.
    #[serde(default)]
    pub source_group: Option<Late<String>>,
    /// Shown in the console.
    #[serde(default)]
    pub description: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The group it belongs to.
    pub group_id: String,
    /// `tcp`, `udp`, or a protocol number.
    pub protocol: String,
    /// The port; a text such as `5432-5440` where somebody made a range of it.
    pub port: Value,
    /// IPv4 or IPv6 network.
    pub cidr: Option<String>,
    /// Id of the group whose members may connect.
    pub source_group: Option<String>,
    /// Shown in the console.
    pub description: Option<String>,
    /// The user's tags.
    pub tags: Tags,
}

impl Rules for SecurityGroupRule {
    const NAME: &'static str = "security_group_rule";
    const DOC: &'static str =
        "An inbound rule of a security group (EC2 API reference: AuthorizeSecurityGroupIngress)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("group_id", "security group"),
        Field::replace("protocol", "protocol"),
        Field::replace("port", "port"),
        Field::replace("cidr", "network that may connect"),
        Field::replace("source_group", "security group that may connect"),
        Field::online("description", "description"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeSecurityGroupRules"],
        create: &["ec2:AuthorizeSecurityGroupIngress", "ec2:DescribeSecurityGroupRules"],
        update: &["ec2:ModifySecurityGroupRules", "ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:RevokeSecurityGroupIngress"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

impl Object for Described {
    fn id(&self) -> &str {
        self.security_group_rule_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }
}

async fn read(clients: &Clients, question: query::Question) -> Result<Vec<Described>, CloudError> {
    let request = clients.ec2.describe_security_group_rules().set_filters(Some(question));
    let pages = request.into_paginator().items().send();
    pages.try_collect().await.named("ec2:DescribeSecurityGroupRules")
}

fn facts(rule: &Described) -> Facts {
    let own = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    let port = match (rule.from_port(), rule.to_port()) {
        (Some(from), Some(to)) if from == to => from.into(),
        (Some(from), Some(to)) => format!("{from}-{to}").into(),
        _ => Value::Null,
    };
    Facts {
        group_id: own(rule.group_id()).unwrap_or_default(),
        protocol: own(rule.ip_protocol()).unwrap_or_default(),
        port,
        cidr: own(rule.cidr_ipv4()).or_else(|| own(rule.cidr_ipv6())),
        source_group: rule.referenced_group_info().and_then(|group| own(group.group_id())),
        description: own(rule.description()),
        tags: rule.labels().user(),
    }
}

/// Two rules of one group cannot have the same protocol, port and source: this is their key.
fn is_same_rule(facts: &Facts, props: &Props) -> bool {
    let source = props.source_group.as_ref().map(text).filter(|id| !id.is_empty());
    facts.group_id == text(&props.group_id)
        && facts.protocol == props.protocol
        && facts.port == props.port
        && facts.cidr == props.cidr
        && facts.source_group.as_deref() == source
}

fn in_group(rules: &[Described], props: &Props) -> Option<Described> {
    let inbound = rules.iter().filter(|rule| rule.is_egress() != Some(true));
    inbound.into_iter().find(|rule| is_same_rule(&facts(rule), props)).cloned()
}

fn permission(props: &Props, operation: &str) -> Result<IpPermission, CloudError> {
    let described = props.description.clone();
    let permission =
        IpPermission::builder().ip_protocol(&props.protocol).from_port(props.port).to_port(props.port);
    Ok(match (&props.cidr, &props.source_group) {
        (Some(cidr), _) if cidr.contains(':') => {
            let range = Ipv6Range::builder().cidr_ipv6(cidr).set_description(described).build();
            permission.ipv6_ranges(range)
        }
        (Some(cidr), _) => {
            let range = IpRange::builder().cidr_ip(cidr).set_description(described).build();
            permission.ip_ranges(range)
        }
        (None, Some(group)) => {
            let group = known(group, operation, "source_group")?;
            let pair = UserIdGroupPair::builder().group_id(group).set_description(described).build();
            permission.user_id_group_pairs(pair)
        }
        (None, None) => return Err(CloudError::unresolved(operation, "cidr")),
    }
    .build())
}

#[async_trait]
impl Ops for SecurityGroupRule {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        // Recorded rules whose group is known are asked for together with those to be found.
        let groups = targets.iter().filter_map(|target| target.props.group_id.known().cloned());
        let mut questions = query::by("group-id", groups);
        let late = || targets.iter().filter(|target| target.props.group_id.known().is_none());
        let late_ids = late().filter_map(|target| target.id.as_ref()).map(|id| id.0.clone());
        questions.extend(query::by("security-group-rule-id", late_ids));
        questions.extend(query::by_stack(late().filter(|target| target.id.is_none())));
        let rules = match query::gather(questions, |question| read(clients, question)).await {
            Ok(rules) => rules,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target: &Target<Props>| {
            let natural = || in_group(&rules, &target.props).filter(|_| target.id.is_none());
            let Some(rule) = natural().or_else(|| query::find(&rules, target).cloned()) else {
                return Seen::Absent;
            };
            let id = CloudId(rule.id().to_owned());
            Seen::Found(Found { id, owner: rule.labels().owner(&target.stack), facts: facts(&rule) })
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "ec2:AuthorizeSecurityGroupIngress";
        let group = known(&props.group_id, operation, "group_id")?;
        let request = clients
            .ec2
            .authorize_security_group_ingress()
            .group_id(group)
            .ip_permissions(permission(props, operation)?)
            .tag_specifications(tags::specification(ResourceType::SecurityGroupRule, op, &props.tags));
        let refused = match request.send().await.named(operation) {
            Ok(made) => match made.security_group_rules().first() {
                Some(rule) => return Ok(CloudId(rule.id().to_owned())),
                None => None,
            },
            Err(error) if error.kind == ErrorKind::Exists => Some(error),
            Err(error) => return Err(error),
        };
        let rules = read(clients, query::by("group-id", [group.clone()]).concat()).await?;
        let ours = in_group(&rules, props)
            .filter(|rule| refused.is_none() || rule.labels().is_of(&op.stack, &op.identity));
        let lost = || CloudError::new(ErrorKind::NotYet, operation, "AWS does not show the new rule yet");
        ours.map(|rule| CloudId(rule.id().to_owned())).ok_or_else(|| refused.unwrap_or_else(lost))
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        tags::retag(clients, &id.0, diffs).await?;
        if !diffs.iter().any(|diff| diff.field == "description") {
            return Ok(());
        }
        let operation = "ec2:ModifySecurityGroupRules";
        let (v6, v4): (Vec<_>, Vec<_>) = want.cidr.clone().into_iter().partition(|cidr| cidr.contains(':'));
        let mut rule = SecurityGroupRuleRequest::builder()
            .ip_protocol(&want.protocol)
            .from_port(want.port)
            .to_port(want.port)
            .set_cidr_ipv4(v4.into_iter().next())
            .set_cidr_ipv6(v6.into_iter().next())
            .description(want.description.clone().unwrap_or_default());
        if let Some(group) = &want.source_group {
            rule = rule.referenced_group_id(known(group, operation, "source_group")?);
        }
        let update = SecurityGroupRuleUpdate::builder()
            .security_group_rule_id(&id.0)
            .security_group_rule(rule.build())
            .build();
        let request = clients
            .ec2
            .modify_security_group_rules()
            .group_id(known(&want.group_id, operation, "group_id")?)
            .security_group_rules(update);
        request.send().await.named(operation).map(drop)
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        let request = clients
            .ec2
            .revoke_security_group_ingress()
            .group_id(&facts.group_id)
            .security_group_rule_ids(&id.0);
        unless_gone(request.send().await.named("ec2:RevokeSecurityGroupIngress"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_is_known_by_group_protocol_port_and_source() {
        let rule = Described::builder()
            .security_group_rule_id("sgr-1")
            .group_id("sg-1")
            .is_egress(false)
            .ip_protocol("tcp")
            .from_port(5432)
            .to_port(5432)
            .cidr_ipv4("203.0.113.7/32")
            .build();
        let props = |cidr: &str| -> Props {
            serde_json::from_value(json!({"group_id": "sg-1", "protocol": "tcp", "port": 5432, "cidr": cidr}))
                .unwrap()
        };
        assert!(in_group(std::slice::from_ref(&rule), &props("203.0.113.7/32")).is_some());
        assert!(in_group(&[rule], &props("203.0.113.8/32")).is_none());
    }
}
