//! What the reference stacks ask for.
#![allow(clippy::unwrap_used)]

mod world;

use lh_model::{Address, Desired, Existing, Origin, OutputPart, Reference, value::resolve};
use lh_spec::desire;
use serde_json::{Value, json};
use world::{BASE, World};

fn desired(text: &str) -> Desired {
    let loaded = World::new().with("stacks/s.yaml", text).load("stacks/s.yaml");
    assert_eq!(loaded.diagnostics, vec![]);
    desire(&loaded.stack.unwrap())
}

fn dev() -> Desired {
    desired(&world::reference("dev"))
}

fn props<'a>(desired: &'a Desired, address: &str) -> &'a lh_model::Map {
    let address: Address = address.parse().unwrap();
    &desired.resources.iter().find(|r| r.address == address).unwrap().props
}

/// `value` with `network#vpc_id` in the place of each reference.
fn shown(value: &Value) -> String {
    let name = |r: &Reference| Some(json!(format!("<{r}>")));
    lh_model::value::text_of(&resolve(value, &name))
}

#[test]
fn dev_asks_for_exactly_these_resources_lookups_and_outputs() {
    let dev = dev();
    let addresses: Vec<String> = dev.resources.iter().map(|r| r.address.to_string()).collect();
    assert_eq!(
        addresses,
        [
            "elastic_ip.main",
            "elastic_ip_association.main",
            "iam_policy_attachment.cloudwatch",
            "iam_policy_attachment.ssm",
            "iam_role.instance",
            "iam_role_policy.instance",
            "instance.main",
            "instance_profile.main",
            "parameter.password",
            "security_group.main",
            "security_group_rule.postgres-203.0.113.7/32",
            "security_group_rule.ssh-203.0.113.7/32",
            "volume.data",
            "volume_attachment.data",
        ]
    );
    let lookups: Vec<&str> = dev.lookups.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(lookups, ["caller", "image", "network", "key_pair"]);
    let outputs: Vec<&str> = dev.outputs.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(
        outputs,
        [
            "database_endpoint",
            "database_connection_string",
            "ssh_command",
            "instance_id",
            "instance_private_ip",
            "instance_public_ip",
            "volume_id",
            "security_group_id",
        ]
    );
}

#[test]
fn properties_of_dev() {
    let dev = dev();
    let ip = "203.0.113.7/32";
    assert_eq!(
        Value::Object(props(&dev, &format!("security_group_rule.postgres-{ip}")).clone()),
        json!({
            "group_id": { "$ref": "security_group.main#id" }, "protocol": "tcp", "port": 5432, "cidr": ip,
            "description": "PostgreSQL", "tags": { "Name": "lighthouse-dev-timescaledb" },
        })
    );
    assert_eq!(
        Value::Object(props(&dev, "volume.data").clone()),
        json!({
            "zone": { "$ref": "lookup.network#zone" }, "size": 20, "type": "gp3", "iops": 3000, "throughput": 125,
            "encrypted": true, "kms_key": null, "database": "lighthouse_dev",
            "tags": { "Name": "lighthouse-dev-timescaledb-data" },
        })
    );
    let mut instance = props(&dev, "instance.main").clone();
    let user_data = instance.remove("user_data").unwrap();
    assert!(
        shown(&user_data).starts_with("#cloud-config\n") && shown(&user_data).contains("<volume.data#id>")
    );
    let script = instance.remove("host").unwrap();
    assert!(!shown(&script).contains("<volume"), "the script is known before anything is made");
    assert_eq!(
        Value::Object(instance),
        json!({
            "type": "t4g.micro", "database_image": "timescale/timescaledb:2.17.2-pg16", "image_id": { "$ref": "lookup.image#id" },
            "subnet_id": { "$ref": "lookup.network#subnet_id" },
            "security_group_ids": [{ "$ref": "security_group.main#id" }],
            "instance_profile": "lighthouse-dev-timescaledb", "key_name": "lighthouse-dev",
            "spot": { "interruption": "stop" }, "root_volume": { "size": 16, "encrypted": true },
            "disable_api_termination": false,
            "running": true,
            "http_tokens": "required", "tags": { "Name": "lighthouse-dev-timescaledb" },
        })
    );
    let query = &dev.lookups.iter().find(|l| l.name == "image").unwrap().query;
    assert_eq!(
        query["image"],
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"
    );
}

#[test]
fn the_role_reads_exactly_the_one_parameter() {
    let document = |text: &str| -> Value {
        let text = shown(&props(&desired(text), "iam_role_policy.instance")["document"]);
        serde_json::from_str(&text).unwrap()
    };
    let dev = document(&world::reference("dev"));
    let statement = json!([{
        "Effect": "Allow", "Action": "ssm:GetParameter",
        "Resource": "arn:<lookup.caller#partition>:ssm:us-east-1:<lookup.caller#account>:parameter/lighthouse/dev/db/password",
    }]);
    assert_eq!(dev["Statement"], statement);
    let keyed =
        |key: &str| document(&BASE.replace("generate: true", &format!("generate: true, kms_key: '{key}'")));
    for key in ["alias/mine", "12345678-1234-1234-1234-123456789012"] {
        let statement = &keyed(key)["Statement"][1];
        assert_eq!(statement["Action"], "kms:Decrypt");
        assert_eq!(statement["Resource"], format!("<lookup.kms_key/{key}#arn>"));
    }
    let attachment = shown(&props(&desired(BASE), "iam_policy_attachment.ssm")["policy_arn"]);
    assert_eq!(attachment, "arn:<lookup.caller#partition>:iam::aws:policy/AmazonSSMManagedInstanceCore");
}

#[test]
fn all_references_name_something_that_is_there_and_there_is_an_order() {
    let dev = dev();
    let addresses: Vec<&Address> = dev.resources.iter().map(|r| &r.address).collect();
    for resource in &dev.resources {
        assert!(resource.needs().iter().all(|need| addresses.contains(&need)), "{}", resource.address);
    }
    let edges = dev.resources.iter().map(|r| (r.address.clone(), r.needs().into_iter().collect())).collect();
    let order: Vec<String> =
        lh_model::graph::order(&edges).unwrap().iter().map(ToString::to_string).collect();
    let place = |address: &str| order.iter().position(|a| a == address).unwrap();
    assert!(place("parameter.password") < place("instance.main"));
    assert!(place("instance_profile.main") < place("instance.main"));
    assert!(place("iam_role_policy.instance") < place("instance.main"));
}

#[test]
fn the_password_is_a_name_everywhere() {
    let dev = dev();
    let sensitive: Vec<&str> =
        dev.outputs.iter().filter(|o| o.is_sensitive()).map(|o| o.name.as_str()).collect();
    assert_eq!(sensitive, ["database_connection_string"]);
    let parameter = dev.resources.iter().find(|r| r.address.kind() == "parameter").unwrap();
    assert_eq!(parameter.existing, Existing::Use);
    let keys: Vec<&String> = parameter.props.keys().collect();
    assert_eq!(keys, ["generate", "kms_key", "name", "tags"]);
    let others = dev.resources.iter().filter(|r| r.address.kind() != "parameter");
    assert!(others.clone().count() > 0 && others.into_iter().all(|r| r.existing == Existing::Refuse));
}

#[test]
fn resources_know_their_lines() {
    let dev = dev();
    let at = |address: &str, field: &str| -> Origin {
        let resource = dev.resources.iter().find(|r| r.address.to_string() == address).unwrap();
        resource.origins.get(field).or(resource.origin.as_ref()).unwrap().clone()
    };
    let line = |address: &str, field: &str| at(address, field).line;
    assert_eq!((line("volume.data", "size"), at("volume.data", "size").column), (21, 9));
    assert_eq!(line("volume.data", "iops"), 20, "a default is the section's");
    assert_eq!(line("instance.main", "spot"), 17);
    assert_eq!(line("instance.main", "key_name"), 28);
    assert_eq!(line("security_group_rule.ssh-203.0.113.7/32", "cidr"), 28);
    assert_eq!(line("parameter.password", ""), 26);
    assert!(dev.lookups.iter().all(|l| l.origin.is_some()));
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
fn outputs_of_dev_and_of_a_private_server() {
    let dev = dev();
    assert_eq!(output(&dev, "database_endpoint"), "<elastic_ip.main#public_ip>:5432");
    assert_eq!(
        output(&dev, "database_connection_string"),
        "postgresql://postgres:<SSM parameter /lighthouse/dev/db/password>@<elastic_ip.main#public_ip>:5432/lighthouse_dev?sslmode=require"
    );
    assert_eq!(
        output(&dev, "ssh_command"),
        "ssh -i ~/.ssh/lighthouse-dev.pem ubuntu@<elastic_ip.main#public_ip>"
    );
    let private = desired(
        &BASE
            .replace("public_ip: true", "public_ip: false")
            .replace("key_name: lighthouse-dev", "key_name: my key, bastion: admin@bastion.example.com"),
    );
    assert_eq!(output(&private, "database_endpoint"), "<instance.main#private_ip>:5432");
    assert_eq!(
        output(&private, "ssh_command"),
        "ssh -i ~/.ssh/'my key.pem' -J admin@bastion.example.com ubuntu@<instance.main#private_ip>"
    );
    assert!(private.outputs.iter().all(|o| o.name != "instance_public_ip"));
    assert!(private.resources.iter().all(|r| !r.address.kind().starts_with("elastic_ip")));
}

#[test]
fn a_password_that_is_not_generated_is_looked_up() {
    let desired = desired(&BASE.replace(", generate: true", ""));
    let lookup = desired.lookups.iter().find(|l| l.name == "parameter").unwrap();
    assert_eq!(Value::Object(lookup.query.clone()), json!({ "name": "/lighthouse/dev/db/password" }));
    assert!(desired.resources.iter().all(|r| r.address.kind() != "parameter"));
}

/// Prod asks for each kind once at least, and what it asks for has an order.
#[test]
fn prod_is_planned_whole() {
    let prod = desired(&world::reference("prod"));
    let edges = prod.resources.iter().map(|r| (r.address.clone(), r.needs().into_iter().collect())).collect();
    let order = lh_model::graph::order(&edges).unwrap();
    let place = |address: &str| order.iter().position(|a| a.to_string() == address).unwrap();
    assert!(place("log_group.main") < place("instance.main"));
    assert!(place("instance.main") < place("alarm.status"));
    assert!(place("topic.lighthouse-prod-alerts") < place("alarm.status"));
    let kinds: std::collections::BTreeSet<&str> = prod.resources.iter().map(|r| r.address.kind()).collect();
    for kind in ["alarm", "backup_plan", "bucket", "dashboard", "dns_record", "log_group", "topic", "volume"]
    {
        assert!(kinds.contains(kind), "{kind}");
    }
}

/// A stack with backups, one line longer than [`BASE`].
fn backed_up(section: &str) -> Desired {
    desired(&format!("{BASE}backup: {section}\n"))
}

#[test]
fn backups_ask_for_vault_plan_selection_role_and_bucket() {
    let section = "{ vault: my-vault, schedule: rate(12 hours), retain_days: 120, cold_after_days: 30, bucket: my-dumps, dump_schedule: cron(30 3 * * ? *) }";
    let stack = backed_up(section);
    let of_kind = |kind: &str| {
        let all = stack.resources.iter().map(|r| r.address.to_string());
        all.filter(|a| a.starts_with(kind)).collect::<Vec<_>>()
    };
    assert_eq!(
        of_kind("b"),
        ["backup_plan.data", "backup_selection.data", "backup_vault.my-vault", "bucket.my-dumps"]
    );
    assert_eq!(
        Value::Object(props(&stack, "backup_plan.data").clone()),
        json!({
            "name": "lighthouse-dev-timescaledb", "vault": { "$ref": "backup_vault.my-vault#id" },
            "schedule": "cron(0 0/12 * * ? *)", "retain_days": 120, "cold_after_days": 30, "other_rules": [],
            "tags": { "Name": "lighthouse-dev-timescaledb" },
        })
    );
    assert_eq!(
        Value::Object(props(&stack, "bucket.my-dumps").clone()),
        json!({
            "name": "my-dumps", "account": { "$ref": "lookup.caller#account" }, "versioning": true,
            "encryption": "AES256", "private": true, "tls_only": true, "prefix": "lighthouse-dev/",
            "expire_days": 120, "noncurrent_days": 30, "abort_uploads_days": 7, "tags": { "Name": "my-dumps" },
        })
    );
    let selection = props(&stack, "backup_selection.data");
    assert_eq!(
        shown(&selection["resources"][0]),
        "arn:<lookup.caller#partition>:ec2:us-east-1:<lookup.caller#account>:volume/<volume.data#id>"
    );
    assert_eq!(selection["tagged"], json!({ "Name": "lighthouse-dev-timescaledb-data" }));
    assert_eq!(props(&stack, "volume.data")["tags"]["Name"], "lighthouse-dev-timescaledb-data");
    assert_eq!(props(&stack, "iam_role.backup")["service"], "backup.amazonaws.com");
    assert_eq!(
        shown(&props(&stack, "iam_policy_attachment.restore")["policy_arn"]),
        "arn:<lookup.caller#partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"
    );
    for address in ["backup_vault.my-vault", "bucket.my-dumps"] {
        let found = stack.resources.iter().find(|r| r.address.to_string() == address).unwrap();
        assert_eq!(found.existing, Existing::Use, "{address}");
    }
    let plan = stack.resources.iter().find(|r| r.address.kind() == "backup_plan").unwrap();
    let column = |field: &str| plan.origins[field].column - 1;
    let line = format!("backup: {section}");
    for (field, text) in
        [("vault", "my-vault"), ("schedule", "rate("), ("retain_days", "120"), ("cold_after_days", "30,")]
    {
        assert!(line[column(field)..].starts_with(text), "{field}");
        assert_eq!(plan.origins[field].line, 10);
    }
    assert_eq!(output(&stack, "backup_vault_name"), "my-vault");
}

#[test]
fn a_vault_without_a_schedule_has_neither_plan_nor_selection_nor_their_role() {
    let stack = backed_up("{ vault: my-vault, schedule: none, bucket: my-dumps }");
    let addresses: Vec<String> = stack.resources.iter().map(|r| r.address.to_string()).collect();
    for there in ["backup_vault.my-vault", "bucket.my-dumps"] {
        assert!(addresses.iter().any(|a| a == there), "{there}");
    }
    for gone in ["backup_plan.", "backup_selection.", "iam_role.backup", "iam_policy_attachment.restore"] {
        assert!(!addresses.iter().any(|a| a.starts_with(gone)), "{gone}");
    }
    let by_default = backed_up("{ vault: my-vault }");
    assert_eq!(props(&by_default, "backup_plan.data")["schedule"], "cron(0 5 * * ? *)");
}

#[test]
fn the_host_writes_and_reads_dumps_in_the_one_bucket_and_nowhere_else() {
    let stack = backed_up("{ bucket: my-dumps, dump_schedule: weekly }");
    let text = shown(&props(&stack, "iam_role_policy.instance")["document"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        document["Statement"][1],
        json!({
            "Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
            "Resource": "arn:<lookup.caller#partition>:s3:::my-dumps/lighthouse-dev/*",
            "Condition": { "StringEquals": { "aws:ResourceAccount": "<lookup.caller#account>" } },
        })
    );
    assert_eq!(
        document["Statement"][2],
        json!({
            "Effect": "Allow", "Action": "s3:ListBucket",
            "Resource": "arn:<lookup.caller#partition>:s3:::my-dumps",
            "Condition": { "StringLike": { "s3:prefix": "lighthouse-dev/*" } },
        })
    );
    let keys = &document["Statement"][3]["Condition"];
    assert_eq!(keys["StringEquals"]["kms:ViaService"], "s3.us-east-1.amazonaws.com");
    assert_eq!(
        keys["StringLike"]["kms:EncryptionContext:aws:s3:arn"][0],
        "arn:<lookup.caller#partition>:s3:::my-dumps"
    );
    let plain: Value = serde_json::from_str(&shown(
        &props(&backed_up("{ retain_days: 7 }"), "iam_role_policy.instance")["document"],
    ))
    .unwrap();
    assert_eq!(plain["Statement"].as_array().unwrap().len(), 1);
}

#[test]
fn vault_and_bucket_that_are_not_managed_must_exist() {
    let stack = backed_up("{ vault: theirs, bucket: their-dumps, manage: false }");
    assert!(stack.resources.iter().all(|r| !["backup_vault", "bucket"].contains(&r.address.kind())));
    let asked = stack.lookups.iter().filter(|l| ["backup_vault", "bucket"].contains(&l.name.as_str()));
    let lookups: Vec<(&str, &Value)> = asked.map(|l| (l.name.as_str(), &l.query["name"])).collect();
    assert_eq!(lookups, [("backup_vault", &json!("theirs")), ("bucket", &json!("their-dumps"))]);
    assert_eq!(shown(&props(&stack, "backup_plan.data")["vault"]), "<lookup.backup_vault#name>");
}

/// The base with the reference's monitoring, and what the test puts in the place of `{}`.
fn monitored(monitoring: &str) -> Desired {
    desired(&format!("{BASE}monitoring: {monitoring}\n"))
}

const MONITORING: &str = "{ alarms: { cpu_percent: 80, disk_percent: 80, memory_percent: 90 }, topic: alerts, emails: [ops@example.com], dashboard: true, log_retention_days: 30 }";

fn addresses_of(desired: &Desired, kinds: &[&str]) -> Vec<String> {
    let of_kind = desired.resources.iter().filter(|r| kinds.contains(&r.address.kind()));
    of_kind.map(|r| r.address.to_string()).collect()
}

const MONITORED: [&str; 5] = ["alarm", "dashboard", "log_group", "subscription", "topic"];

#[test]
fn monitoring_asks_for_exactly_these() {
    let desired = monitored(MONITORING);
    let wanted = [
        "alarm.cpu",
        "alarm.disk",
        "alarm.memory",
        "alarm.status",
        "dashboard.main",
        "log_group.main",
        "subscription.alerts/ops_example.com",
        "topic.alerts",
    ];
    assert_eq!(addresses_of(&desired, &MONITORED), wanted);
    assert_eq!(
        Value::Object(props(&desired, "alarm.disk").clone()),
        json!({
            "name": "lighthouse-dev-timescaledb-disk",
            "description": "Use of the data volume of lighthouse-dev-timescaledb over 80 % for 10 minutes",
            "actions_enabled": true, "alarm_actions": [{ "$ref": "topic.alerts#id" }],
            "ok_actions": [{ "$ref": "topic.alerts#id" }],
            "insufficient_data_actions": [{ "$ref": "topic.alerts#id" }],
            "namespace": "CWAgent", "metric": "disk_used_percent",
            "dimensions": { "InstanceId": { "$ref": "instance.main#id" } }, "statistic": "Average",
            "period": 300, "evaluation_periods": 2, "datapoints": 2, "comparison": "GreaterThanThreshold",
            "threshold": 80.0, "missing_data": "missing", "custom_metrics": 3,
            "tags": { "Name": "lighthouse-dev-timescaledb-disk" },
        })
    );
    let status = props(&desired, "alarm.status");
    assert_eq!(
        (&status["metric"], &status["missing_data"]),
        (&json!("StatusCheckFailed"), &json!("breaching"))
    );
    assert_eq!(props(&desired, "log_group.main")["name"], "lighthouse-dev-timescaledb");
    assert_eq!(props(&desired, "log_group.main")["retention_days"], 30);
    let existing =
        |address: &str| desired.resources.iter().find(|r| r.address.to_string() == address).unwrap().existing;
    assert_eq!(existing("topic.alerts"), Existing::Use);
    assert_eq!(existing("alarm.cpu"), Existing::Refuse);
    assert_eq!(output(&desired, "alarm_sns_topic_arn"), "<topic.alerts#id>");
    assert_eq!(
        output(&desired, "cloudwatch_dashboard_url"),
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/<dashboard.main#id>"
    );
}

/// The alarms look at what the agent of the host publishes, and the host logs to the group made.
#[test]
fn the_host_reports_what_is_looked_at() {
    let with = |monitoring: &str| {
        let stack = World::new().with("s.yaml", format!("{BASE}monitoring: {monitoring}\n")).load("s.yaml");
        let desired = desire(&stack.stack.unwrap());
        let instance = desired.resources.iter().find(|r| r.address.kind() == "instance").unwrap();
        assert!(instance.after.contains(&Address::new("log_group", "main")));
        shown(&instance.props["user_data"])
    };
    let plain = with("{ alarms: { cpu_percent: 80 }, topic: alerts }");
    let disk = with("{ alarms: { disk_percent: 80 }, topic: alerts }");
    assert_ne!(plain, disk, "the agent publishes no disk metric for an alarm that needs it");
    assert_ne!(plain, shown(&props(&dev(), "instance.main")["user_data"]));
}

#[test]
fn a_topic_is_made_used_or_looked_up() {
    let named = monitored("{ alarms: { cpu_percent: 80 }, topic: alerts, manage: false }");
    assert!(addresses_of(&named, &["topic"]).is_empty());
    let lookup = named.lookups.iter().find(|l| l.name == "topic").unwrap();
    assert_eq!(Value::Object(lookup.query.clone()), json!({ "topic": "alerts" }));
    assert_eq!(props(&named, "alarm.cpu")["alarm_actions"], json!([{ "$ref": "lookup.topic#arn" }]));

    let arn = "arn:aws:sns:us-east-1:123456789012:pager";
    let by_arn = monitored(&format!("{{ topic: '{arn}', emails: [ops+db@example.com] }}"));
    assert_eq!(by_arn.lookups.iter().find(|l| l.name == "topic").unwrap().query["topic"], arn);
    let subscription = addresses_of(&by_arn, &["subscription"]).remove(0);
    assert!(subscription.starts_with("subscription.pager/ops_db_example.com-"), "{subscription}");
    assert_eq!(props(&by_arn, &subscription)["endpoint"], "ops+db@example.com");

    let mails = monitored("{ alarms: { cpu_percent: 80 }, emails: [ops@example.com] }");
    assert_eq!(addresses_of(&mails, &["topic"]), ["topic.lighthouse-dev-timescaledb-alerts"]);
    let elsewhere = format!("{BASE}monitoring: {{ topic: '{}' }}\n", arn.replace("us-east-1", "eu-west-1"));
    let loaded = World::new().with("s.yaml", elsewhere).load("s.yaml");
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["E0803"]);
}

#[test]
fn monitoring_knows_its_lines() {
    let text = format!(
        "{BASE}monitoring:\n  alarms:\n    cpu_percent: 80\n    disk_percent: 70\n  topic: alerts\n  emails:\n    - ops@example.com\n  dashboard: true\n  log_retention_days: 14\n"
    );
    let desired = desired(&text);
    let line = |address: &str, field: &str| {
        let resource = desired.resources.iter().find(|r| r.address.to_string() == address).unwrap();
        resource.origins.get(field).or(resource.origin.as_ref()).unwrap().line - BASE.lines().count()
    };
    assert_eq!((line("alarm.cpu", "threshold"), line("alarm.disk", "threshold")), (3, 4));
    assert_eq!((line("alarm.cpu", "alarm_actions"), line("topic.alerts", "name")), (5, 5));
    assert_eq!(line("subscription.alerts/ops_example.com", "endpoint"), 7);
    assert_eq!((line("dashboard.main", "body"), line("log_group.main", "retention_days")), (8, 9));
}
