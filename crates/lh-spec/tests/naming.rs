//! What a stack names: groups, keys, secrets, zones, and what it makes of those that are missing.
#![allow(clippy::unwrap_used)]

mod world;

use lh_model::{Desired, Existing, Map, OutputPart, Reference, Resource, value::resolve};
use lh_spec::desire;
use serde_json::{Value, json};
use world::{BASE, World};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDMXmqY0g0H8lVgnUZ9Jm3Q2y8V0p0yG8d5l1V0cD2q";

fn desired(world: &World, text: &str, set: &[&str]) -> Desired {
    let loaded = world_with(world, text).load_with("stacks/s.yaml", set);
    assert_eq!(loaded.diagnostics, vec![]);
    desire(&loaded.stack.unwrap())
}

fn world_with(world: &World, text: &str) -> World {
    world.clone().with("stacks/s.yaml", text)
}

fn prod() -> Desired {
    desired(&World::new(), &world::reference("prod"), &["backup=null", "monitoring=null"])
}

fn resource<'a>(desired: &'a Desired, address: &str) -> &'a Resource {
    desired.resources.iter().find(|r| r.address.to_string() == address).unwrap()
}

fn query<'a>(desired: &'a Desired, name: &str) -> &'a Map {
    &desired.lookups.iter().find(|lookup| lookup.name == name).unwrap().query
}

fn shown(value: &Value) -> String {
    let name = |r: &Reference| Some(json!(format!("<{r}>")));
    lh_model::value::text_of(&resolve(value, &name))
}

fn output(desired: &Desired, name: &str) -> String {
    let output = desired.outputs.iter().find(|o| o.name == name).unwrap();
    let part = |part: &OutputPart| match part {
        OutputPart::Value(value) => shown(value),
        OutputPart::Secret(secret) => format!("<{secret}>"),
    };
    output.parts.iter().map(part).collect()
}

#[test]
fn prod_lets_the_members_of_a_security_group_in() {
    let prod = prod();
    let rule = resource(&prod, "security_group_rule.postgres-lighthouse-prod-backend-sg");
    let group = "lookup.security_group/lighthouse-prod-backend-sg#id";
    assert_eq!(rule.props["source_group"], json!({ "$ref": group }));
    assert!(!rule.props.contains_key("cidr"));
    assert_eq!(rule.origins["source_group"].to_string(), "stacks/s.yaml:15:43");
    let asked = query(&prod, "security_group/lighthouse-prod-backend-sg");
    let wanted = json!({ "group": "lighthouse-prod-backend-sg", "vpc": "lighthouse-prod-vpc" });
    assert_eq!(Value::Object(asked.clone()), wanted);
}

#[test]
fn names_that_no_address_can_hold_stay_apart() {
    let groups = "vpc: default, security_groups: [my group, my_group]";
    let desired = desired(&World::new(), &BASE.replace("vpc: default", groups), &[]);
    let names: Vec<&str> = desired
        .lookups
        .iter()
        .filter(|lookup| lookup.name.starts_with("security_group/"))
        .map(|lookup| lookup.name.as_str())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let shown = shown(&resource(&desired, "instance.main").props["security_group_ids"]);
    for name in names {
        assert!(shown.contains(&format!("<lookup.{name}#id>")), "{shown}");
    }
}

#[test]
fn a_secret_is_made_where_it_is_missing_and_used_where_it_is_there() {
    let prod = prod();
    let secret = resource(&prod, "secret.password");
    assert_eq!(secret.existing, Existing::Use);
    assert_eq!(secret.props["name"], "lighthouse/prod/db/password");
    assert_eq!(secret.props["kms_key"], Value::Null);
    assert!(resource(&prod, "instance.main").after.contains(&secret.address));
    assert!(prod.lookups.iter().all(|lookup| lookup.name != "secret"));
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
    for password in
        ["{ secret: lighthouse/prod/db/password, manage: false }", &format!("{{ secret: '{arn}' }}")]
    {
        let set = format!("database.password={password}");
        let desired =
            desired(&World::new(), &world::reference("prod"), &["backup=null", "monitoring=null", &set]);
        assert!(desired.resources.iter().all(|r| r.address.kind() != "secret"), "{password}");
        assert!(query(&desired, "secret").contains_key("name"), "{password}");
    }
}

#[test]
fn a_record_names_the_address_that_clients_can_reach() {
    let prod = prod();
    let record = resource(&prod, "dns_record.database");
    assert_eq!(record.existing, Existing::Refuse);
    let wanted = json!({
        "zone_id": { "$ref": "lookup.hosted_zone#id" },
        "name": "db.karmacadabra.ultravioletadao.xyz",
        "value": { "$ref": "instance.main#private_ip" }, "ttl": 60, "marked": true,
    });
    assert_eq!(Value::Object(record.props.clone()), wanted);
    assert_eq!(query(&prod, "hosted_zone")["zone"], "ultravioletadao.xyz");
    assert_eq!(output(&prod, "database_endpoint"), "db.karmacadabra.ultravioletadao.xyz:5432");
    assert_eq!(
        output(&prod, "database_connection_string"),
        "postgresql://postgres:<Secrets Manager secret lighthouse/prod/db/password>@db.karmacadabra.ultravioletadao.xyz:5432/lighthouse?sslmode=require"
    );
    let text = format!("{BASE}dns: {{ zone: example.com, record: DB.Example.com., ttl: 300 }}\n");
    let public = desired(&World::new(), &text, &[]);
    let record = resource(&public, "dns_record.database");
    assert_eq!(record.props["value"], json!({ "$ref": "elastic_ip.main#public_ip" }));
    assert_eq!((&record.props["name"], &record.props["ttl"]), (&json!("db.example.com"), &json!(300)));
    assert!(record.needs().iter().any(|need| need.kind() == "elastic_ip_association"));
}

#[test]
fn named_keys_are_looked_up_once_with_their_line() {
    let text = BASE.replace("size: 20", "size: 20, kms_key: alias/lighthouse").replace(
        "ssm: /lighthouse/dev/db/password, generate: true",
        "secret: s/db, kms_key: alias/lighthouse",
    );
    let desired = desired(&World::new(), &text, &[]);
    let keys: Vec<_> = desired.lookups.iter().filter(|l| l.name.starts_with("kms_key/")).collect();
    assert_eq!(keys.len(), 1);
    let wanted = json!({ "key": "alias/lighthouse", "region": "us-east-1" });
    assert_eq!(Value::Object(keys[0].query.clone()), wanted);
    let arn = json!({ "$ref": "lookup.kms_key/alias/lighthouse#arn" });
    assert_eq!(resource(&desired, "secret.password").props["kms_key"], arn);
}

#[test]
fn a_public_key_is_imported_from_the_text_or_from_its_file() {
    let world = World::new()
        .with("stacks/keys/id.pub", format!("{KEY} me@here\n"))
        .with("/home/me/.ssh/id.pub", format!("{KEY}\n"))
        .env("HOME", "/home/me");
    for (key, file) in [
        ("keys/id.pub", "stacks/keys/id"),
        ("~/.ssh/id.pub", "~/.ssh/id"),
        (KEY, "~/.ssh/lighthouse-dev.pem"),
    ] {
        let text = BASE.replace("allow_from", &format!("public_key: '{key}', allow_from"));
        let desired = desired(&world, &text, &[]);
        let pair = resource(&desired, "key_pair.main");
        assert_eq!((&pair.props["name"], &pair.props["public_key"]), (&json!("lighthouse-dev"), &json!(KEY)));
        assert_eq!(pair.existing, Existing::Use);
        assert!(desired.lookups.iter().all(|lookup| lookup.name != "key_pair"));
        assert!(output(&desired, "ssh_command").starts_with(&format!("ssh -i {file} ubuntu@")));
    }
}

#[test]
fn a_file_without_a_public_key_is_refused_and_not_quoted() {
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n";
    let world = World::new().with("stacks/id", private);
    let text = BASE.replace("allow_from", "public_key: id, allow_from");
    let found = world_with(&world, &text).load("stacks/s.yaml").diagnostics;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, "E0222");
    let told = format!("{found:?}");
    assert!(!told.contains("OPENSSH") && !told.contains("c2VjcmV0"), "{told}");
}
