//! Security groups, their rules, key pairs and tags.

use crate::{REGION, code, ec2, filter, launch, seconds, tagged};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::builders::IpPermissionBuilder;
use aws_sdk_ec2::types::{
    IpPermission, IpRange, ResourceType, SecurityGroupRuleRequest, SecurityGroupRuleUpdate, Tag,
    UserIdGroupPair,
};
use lh_sim::Sim;

async fn default_vpc(ec2: &Client) -> String {
    let answer = ec2.describe_vpcs().filters(filter("isDefault", "true")).send().await.unwrap();
    answer.vpcs()[0].vpc_id.clone().unwrap()
}

async fn group(ec2: &Client, name: &str) -> String {
    let vpc = default_vpc(ec2).await;
    let request = ec2.create_security_group().group_name(name).description("d").vpc_id(vpc);
    let request = request.tag_specifications(tagged(ResourceType::SecurityGroup, "Name", name));
    request.send().await.unwrap().group_id.unwrap()
}

fn postgres() -> IpPermissionBuilder {
    IpPermission::builder().ip_protocol("tcp").from_port(5432).to_port(5432)
}

fn from_block(block: &str) -> IpPermission {
    let range = IpRange::builder().cidr_ip(block).description("office").build();
    postgres().ip_ranges(range).build()
}

fn from_group(id: &str) -> IpPermission {
    let pair = UserIdGroupPair::builder().group_id(id).build();
    postgres().user_id_group_pairs(pair).build()
}

#[tokio::test]
async fn a_name_is_unique_in_a_vpc_and_new_groups_let_everything_out() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = group(&ec2, "db").await;
    let vpc = default_vpc(&ec2).await;
    let again = ec2.create_security_group().group_name("db").description("d").vpc_id(vpc).send().await;
    assert_eq!(code(again), "InvalidGroup.Duplicate");
    let found = ec2.describe_security_groups().filters(filter("group-name", "d?")).send().await.unwrap();
    let shown = &found.security_groups()[0];
    assert_eq!(shown.group_id(), Some(id.as_str()));
    assert_eq!(shown.ip_permissions_egress()[0].ip_protocol(), Some("-1"));
    assert!(shown.ip_permissions().is_empty());
}

#[tokio::test]
async fn rules_are_added_once_changed_in_place_and_revoked_by_id() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = group(&ec2, "db").await;
    let authorize = |permission| {
        ec2.authorize_security_group_ingress()
            .group_id(&id)
            .ip_permissions(permission)
            .tag_specifications(tagged(ResourceType::SecurityGroupRule, "stack", "s"))
            .send()
    };
    let made = authorize(from_block("10.0.0.0/8")).await.unwrap();
    let rule = made.security_group_rules()[0].security_group_rule_id.clone().unwrap();
    assert_eq!(code(authorize(from_block("10.0.0.0/8")).await), "InvalidPermission.Duplicate");
    assert_eq!(code(authorize(from_block("10.0.0.0/33")).await), "InvalidParameterValue");
    let new = SecurityGroupRuleRequest::builder()
        .ip_protocol("tcp")
        .from_port(5432)
        .to_port(5432)
        .cidr_ipv4("10.1.0.0/16")
        .build();
    let update =
        SecurityGroupRuleUpdate::builder().security_group_rule_id(&rule).security_group_rule(new).build();
    ec2.modify_security_group_rules().group_id(&id).security_group_rules(update).send().await.unwrap();
    let found = ec2
        .describe_security_group_rules()
        .filters(filter("group-id", &id))
        .filters(filter("tag:stack", "s"))
        .send()
        .await
        .unwrap();
    let shown = &found.security_group_rules()[0];
    assert_eq!((shown.cidr_ipv4(), shown.description()), (Some("10.1.0.0/16"), None));
    ec2.revoke_security_group_ingress().group_id(&id).security_group_rule_ids(&rule).send().await.unwrap();
    let gone = ec2.revoke_security_group_ingress().group_id(&id).ip_permissions(from_block("10.1.0.0/16"));
    assert_eq!(code(gone.send().await), "InvalidPermission.NotFound");
}

#[tokio::test]
async fn a_group_in_use_or_named_by_another_cannot_go() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let (db, app) = (group(&ec2, "db").await, group(&ec2, "app").await);
    let delete = |id: &str| ec2.delete_security_group().group_id(id).send();
    let named = ec2.authorize_security_group_ingress().group_id(&db).ip_permissions(from_group(&app));
    named.send().await.unwrap();
    assert_eq!(code(delete(&app).await), "DependencyViolation");
    let run = launch(&sim, &ec2).await.security_group_ids(&db).send().await.unwrap();
    let instance = run.instances()[0].instance_id().unwrap().to_owned();
    assert_eq!(code(delete(&db).await), "DependencyViolation");
    ec2.terminate_instances().instance_ids(instance).send().await.unwrap();
    assert_eq!(code(delete(&db).await), "DependencyViolation", "until it is terminated");
    sim.advance(seconds(15));
    delete(&db).await.unwrap();
    delete(&app).await.unwrap();
    let default =
        ec2.describe_security_groups().filters(filter("group-name", "default")).send().await.unwrap();
    let default = default.security_groups()[0].group_id().unwrap().to_owned();
    assert_eq!(code(delete(&default).await), "CannotDelete");
}

#[tokio::test]
async fn a_group_has_sixty_rules_at_most() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = group(&ec2, "db").await;
    let ranges = (0..61).map(|n| IpRange::builder().cidr_ip(format!("10.0.{n}.0/24")).build()).collect();
    let many = postgres().set_ip_ranges(Some(ranges)).build();
    let answer = ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(many).send().await;
    assert_eq!(code(answer), "RulesPerSecurityGroupLimitExceeded");
    let world = sim.snapshot();
    let rules = &world.region(REGION).unwrap().groups[&id].rules;
    assert_eq!(rules.len(), 1, "a refused call adds none of its rules");
}

#[tokio::test]
async fn tags_are_added_filtered_and_removed() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let id = group(&ec2, "db").await;
    let tag = |key: &str| Tag::builder().key(key).value("1").build();
    ec2.create_tags().resources(&id).tags(tag("owner")).send().await.unwrap();
    let rows = || async {
        let answer = ec2.describe_tags().filters(filter("resource-id", &id)).send().await.unwrap();
        answer.tags().iter().filter_map(|it| it.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rows().await, ["Name", "owner"]);
    let reserved = ec2.create_tags().resources(&id).tags(tag("aws:mine")).send().await;
    assert_eq!(code(reserved), "InvalidParameterValue");
    let many = (0..50).map(|n| tag(&n.to_string())).collect();
    assert_eq!(code(ec2.create_tags().resources(&id).set_tags(Some(many)).send().await), "TagLimitExceeded");
    let other_value = Tag::builder().key("owner").value("2").build();
    ec2.delete_tags().resources(&id).tags(other_value).send().await.unwrap();
    ec2.delete_tags().resources(&id).tags(Tag::builder().key("Name").build()).send().await.unwrap();
    assert_eq!(rows().await, ["owner"]);
    let missing = ec2.create_tags().resources("vol-0").tags(tag("owner")).send().await;
    assert_eq!(code(missing), "InvalidVolume.NotFound");
}

#[tokio::test]
async fn a_key_pair_is_imported_once() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    let import = |text: &str| {
        let material = aws_sdk_ec2::primitives::Blob::new(text.as_bytes());
        ec2.import_key_pair().key_name("mine").public_key_material(material).send()
    };
    assert_eq!(code(import("nonsense").await), "InvalidKey.Format");
    import("ssh-ed25519 AAAA me").await.unwrap();
    assert_eq!(code(import("ssh-ed25519 AAAA me").await), "InvalidKeyPair.Duplicate");
    let found = ec2.describe_key_pairs().key_names("mine").include_public_key(true).send().await.unwrap();
    assert_eq!(found.key_pairs()[0].public_key(), Some("ssh-ed25519 AAAA me"));
}
