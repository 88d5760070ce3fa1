//! The sections of the stack file, in the order of `sections/`.

use serde_json::{Value, json};

use super::words::{choice, flag, list, section, text, whole, whole_or, with_default};
use crate::{
    checks::{gp3, tags as tag_rules},
    instance_types,
    sections::{backup as backups, monitoring as monitors},
};

pub(super) fn state() -> Value {
    let keys = json!({
        "path": with_default(text("A local file, locked by the operating system; relative to this file.", None), Some(".lhctl/<environment>.json")),
        "bucket": text("The S3 bucket that holds the state, in the place of `path`; with `key` and `lock_table`.", Some((3, 63))),
        "key": text("The key of the state in the bucket.", Some((1, 1024))),
        "lock_table": text("The DynamoDB table that locks it, with the hash key LockID.", Some((3, 255))),
        "region": text("Where bucket and table are, if not in the stack's region.", None),
    });
    section("Where the stack's state is kept.", keys)
}

/// Networks and security groups that may reach a port.
fn sources(doc: &str) -> Value {
    let group = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["security_group"],
        "properties": { "security_group": text("A security group, by name or sg-… id.", Some((1, 255))) },
    });
    let network = json!({ "type": "string", "description": "An IPv4 network, as in 203.0.113.7/32." });
    list(doc, &json!({ "anyOf": [network, group] }))
}

pub(super) fn network() -> Value {
    let keys = json!({
        "vpc": with_default(text("The default VPC, a Name tag, or a vpc-… id. It must exist.", None), Some("default")),
        "subnet": text("A Name tag or a subnet-… id; chosen if left out.", None),
        "zone": text("An availability zone of the region; chosen if left out.", None),
        "public_ip": flag("Whether the server gets an Elastic IP, about 3.65 dollars a month.", false),
        "check_egress": flag("Whether a subnet that does not lead to the internet is refused; false where packages and the image come by another way, such as VPC endpoints and a mirror.", true),
        "allow_postgres_from": sources("Who may reach port 5432."),
        "allow_public": flag("Lets `allow_postgres_from` hold networks as wide as 0.0.0.0/0.", false),
        "security_groups": list("Further security groups of the instance, by name or sg-… id.", &json!({ "type": "string" })),
    });
    section("Where the server is, and who may reach the database.", keys)
}

pub(super) fn instance() -> Value {
    let types: Vec<String> = instance_types::all().into_iter().map(|one| one.name).collect();
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let spot = json!({
        "interruption": choice("What an interruption does: stopping keeps the instance and its address.", &["stop", "terminate"], Some("stop")),
    });
    let root = json!({
        "size": whole_or("GiB.", 8, 16_384, 16),
        "encrypted": flag("Whether it is encrypted.", true),
    });
    let ubuntu = json!({
        "description": "The newest arm64 image of this release; once found it is kept.",
        "anyOf": [{ "enum": ["24.04", "22.04", 24.04, 22.04, null] }, { "$ref": "#/$defs/variable" }],
        "default": "24.04",
    });
    let keys = json!({
        "type": choice("A Graviton type. The database's memory settings follow from it.", &types, None),
        "purchase": choice("How it is paid: spot is about 70 % cheaper and may be interrupted.", &["on-demand", "spot"], Some("on-demand")),
        "spot": section("Options of `purchase: spot`.", spot),
        "ubuntu": ubuntu,
        "image": text("An ami-… id, or the path of an SSM parameter that holds one, in the place of `ubuntu`.", None),
        "root_volume": section("The volume that holds Ubuntu and Docker's images.", root),
        "disable_api_termination": flag("Whether EC2 refuses to terminate the instance; the default is what `protect` says.", false),
    });
    section("The server.", keys)
}

pub(super) fn volume() -> Value {
    let keys = json!({
        "size": whole("GiB. It can grow later, never shrink.", gp3::SIZE.0, gp3::SIZE.1),
        "iops": whole_or("Operations a second; above the least, at most 500 for each GiB.", gp3::IOPS.0, gp3::IOPS.1, gp3::IOPS.0),
        "throughput": whole_or("MiB a second; above the least, at most a quarter of the IOPS.", gp3::THROUGHPUT.0, gp3::THROUGHPUT.1, gp3::THROUGHPUT.0),
        "encrypted": flag("Whether it is encrypted.", true),
        "kms_key": text("The KMS key, by id, alias/… or ARN, in the place of the account's default.", None),
    });
    section("The data volume: gp3, apart from the instance.", keys)
}

pub(super) fn database() -> Value {
    let password = json!({
        "ssm": text("The path of an SSM parameter, a SecureString.", Some((1, 1011))),
        "secret": text("A secret in Secrets Manager, in the place of `ssm`.", Some((1, 2048))),
        "generate": flag("Makes a password where there is none.", false),
        "manage": flag("`false`: it exists already, and is never created.", true),
        "kms_key": text("The key it is encrypted with, in the place of the service's own.", None),
    });
    let keys = json!({
        "name": text("The database: a PostgreSQL identifier that needs no quotes.", Some((1, 63))),
        "image": text("The container image; its tag ends in -pgNN and names a version.", None),
        "port": whole_or("Fixed.", 5432, 5432, 5432),
        "password": section("Where the password is kept: in AWS only, never in a file.", password),
    });
    section("What runs on the server.", keys)
}

pub(super) fn backup() -> Value {
    let keys = json!({
        "vault": with_default(text("The AWS Backup vault.", Some((2, 50))), Some("<name>-<environment>-vault")),
        "schedule": with_default(text("cron(…) with AWS's six fields in UTC, rate(…), or none.", None), Some("cron(0 5 * * ? *)")),
        "retain_days": whole_or("Days until a recovery point is deleted.", 1, backups::LONGEST, 35),
        "cold_after_days": whole("Days until it moves to cold storage; `retain_days` is then at least 90 more.", 1, backups::LONGEST),
        "bucket": text("The bucket of logical dumps.", Some((3, 63))),
        "dump_schedule": with_default(text("hourly, daily, weekly or cron(…); with `bucket`.", None), Some("daily")),
        "manage": flag("Whether vault and bucket are created where they are missing.", true),
    });
    section("Recovery points of the volume in AWS Backup, and logical dumps in a bucket.", keys)
}

pub(super) fn monitoring() -> Value {
    let percent =
        |what: &str| whole(&format!("The alarm on {what}: percent. Left out, there is none."), 1, 100);
    let alarms = json!({
        "cpu_percent": percent("the CPU"),
        "disk_percent": percent("the data volume's file system"),
        "memory_percent": percent("memory"),
    });
    let days: Vec<Value> = monitors::RETENTIONS.iter().map(|days| json!(days)).chain([Value::Null]).collect();
    let keys = json!({
        "alarms": section("Thresholds of the alarms.", alarms),
        "topic": text("The SNS topic that alarms go to, by name or ARN.", None),
        "emails": list("Who is subscribed to the topic.", &json!({ "type": "string" })),
        "dashboard": flag("Whether there is a CloudWatch dashboard.", false),
        "log_retention_days": {
            "description": "Days that CloudWatch Logs keeps logs.",
            "anyOf": [{ "enum": days }, { "$ref": "#/$defs/variable" }],
            "default": 30,
        },
        "manage": flag("Whether the topic is created where it is missing.", true),
    });
    section("Alarms, whom they reach, dashboard and logs.", keys)
}

pub(super) fn dns() -> Value {
    let keys = json!({
        "zone": text("A hosted zone, by name or id.", None),
        "record": text("The record's full name, inside the zone.", Some((1, 255))),
        "ttl": whole_or("Seconds that resolvers keep the answer.", 1, 604_800, 60),
    });
    section("The name under which the server is found.", keys)
}

pub(super) fn ssh() -> Value {
    let keys = json!({
        "key_name": text("An EC2 key pair.", Some((1, 255))),
        "public_key": text("A public key or its file, to be imported under that name if it is missing.", None),
        "allow_from": sources("Who may reach port 22."),
        "allow_public": flag("Lets `allow_from` hold networks as wide as 0.0.0.0/0.", false),
        "bastion": text("host, user@host or user@host:port.", None),
    });
    section("Shell access. Without it, Session Manager is the only way in.", keys)
}

pub(super) fn tags() -> Value {
    json!({
        "description": format!("Your own tags, on everything that takes tags: at most {}. Keys do not start with `aws:` or `lhctl:` and are not `Name`.", tag_rules::MOST),
        "type": ["object", "null"],
        "maxProperties": tag_rules::MOST,
        "propertyNames": { "minLength": 1, "maxLength": 128 },
        "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
    })
}
