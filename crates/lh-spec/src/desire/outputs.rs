//! What the stack tells its user.

use lh_model::{Output, OutputPart};
use serde_json::{Value, json};

use super::{dns, reference};
use crate::stack::{PublicKey, Stack};

/// All outputs of `stack`.
pub(super) fn all(stack: &Stack) -> Vec<Output> {
    let public = stack.network.public_ip.value;
    let private_ip = || reference("instance", "main", "private_ip");
    let public_ip = || reference("elastic_ip", "main", "public_ip");
    let host = || if public { public_ip() } else { private_ip() };
    // Clients use the name where there is one; a shell needs no resolver that knows it yet.
    let database = || dns::host(stack).unwrap_or_else(host);
    let mut outputs = vec![
        output("database_endpoint", vec![database(), json!(":5432")]),
        connection_string(stack, database()),
        output("ssh_command", shell(stack, host())),
        output("instance_id", vec![reference("instance", "main", "id")]),
        output("instance_private_ip", vec![private_ip()]),
    ];
    if public {
        outputs.push(output("instance_public_ip", vec![public_ip()]));
    }
    outputs.push(output("volume_id", vec![reference("volume", "data", "id")]));
    outputs.push(output("security_group_id", vec![reference("security_group", "main", "id")]));
    if let Some(backup) = &stack.backup {
        outputs.push(output("backup_vault_name", vec![json!(backup.vault.value)]));
    }
    outputs.extend(super::monitoring::topic_arn(stack).map(|arn| output("alarm_sns_topic_arn", vec![arn])));
    outputs.extend(dashboard_url(stack));
    outputs
}

fn dashboard_url(stack: &Stack) -> Option<Output> {
    stack.monitoring.as_ref().filter(|monitoring| monitoring.dashboard.value)?;
    let region = &stack.region.value;
    let place = format!(
        "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/"
    );
    Some(output("cloudwatch_dashboard_url", vec![json!(place), reference("dashboard", "main", "id")]))
}

fn output(name: &str, parts: Vec<Value>) -> Output {
    Output { name: name.to_owned(), parts: parts.into_iter().map(OutputPart::Value).collect() }
}

fn connection_string(stack: &Stack, host: Value) -> Output {
    let text = |text: String| OutputPart::Value(json!(text));
    Output {
        name: "database_connection_string".to_owned(),
        parts: vec![
            text("postgresql://postgres:".to_owned()),
            OutputPart::Secret(stack.database.password.store.value.clone()),
            text("@".to_owned()),
            OutputPart::Value(host),
            text(format!(":5432/{}?sslmode=require", stack.database.name.value)),
        ],
    }
}

/// By SSH where there is a key pair, else through Session Manager.
fn shell(stack: &Stack, host: Value) -> Vec<Value> {
    let Some(key) = &stack.ssh.key_name else {
        let region = &stack.region.value;
        let command = format!("aws ssm start-session --region {region} --target ");
        return vec![json!(command), reference("instance", "main", "id")];
    };
    let jump = stack.ssh.bastion.as_ref().map(|bastion| format!("-J {} ", bastion.value));
    let file = match stack.ssh.public_key.as_ref().map(|key| &key.value) {
        // The private key stands beside the public one.
        Some(PublicKey::File(file)) => quoted(file.strip_suffix(".pub").unwrap_or(file)),
        _ => quoted(&format!("~/.ssh/{}.pem", key.value)),
    };
    vec![json!(format!("ssh -i {file} {}ubuntu@", jump.unwrap_or_default())), host]
}

/// A file's path, fit for a shell whatever its name is; the shell still finds the home directory.
fn quoted(path: &str) -> String {
    if path.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@/~".contains(c)) {
        return path.to_owned();
    }
    let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
    let fits = directory.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@/~".contains(c));
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    if fits { format!("{directory}/{}", quote(name)) } else { quote(path) }
}
