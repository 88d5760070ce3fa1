//! The role that the instance runs under: Session Manager, the CloudWatch agent, reading exactly
//! the one password, and writing dumps to exactly the one bucket.

use lh_model::{Address, Resource, SecretRef, value::join};
use serde_json::{Value, json};

use super::{backup, lookups::found, resource, tags};
use crate::stack::Stack;

/// Stand for what only the caller's identity tells. No name in a policy may hold a `$`.
pub(super) const PARTITION: &str = "${partition}";
pub(super) const ACCOUNT: &str = "${account}";

/// The role, its policies and its instance profile.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let (name, origin) = (stack.prefix(), &stack.instance.origin);
    let role = resource(
        "iam_role",
        "instance",
        origin,
        json!({
            "name": name,
            "service": "ec2.amazonaws.com",
            "description": format!("TimescaleDB server of the stack {}", stack.id()),
            "tags": tags(stack, &name),
        }),
    );
    let policy = resource(
        "iam_role_policy",
        "instance",
        &stack.database.password.store.origin,
        json!({ "role": name, "name": "lhctl-host", "document": document(stack) }),
    );
    let profile = resource(
        "instance_profile",
        "main",
        origin,
        json!({ "name": name, "role": name, "tags": tags(stack, &name) }),
    );
    let mut resources = vec![
        policy,
        attachment(stack, "ssm", "AmazonSSMManagedInstanceCore"),
        attachment(stack, "cloudwatch", "CloudWatchAgentServerPolicy"),
        profile,
    ];
    for resource in &mut resources {
        resource.after = [Address::new("iam_role", "instance")].into();
    }
    resources.push(role);
    resources
}

fn attachment(stack: &Stack, name: &str, policy: &str) -> Resource {
    let arn = fill(&format!("arn:{PARTITION}:iam::aws:policy/{policy}"));
    let props = json!({ "role": stack.prefix(), "policy_arn": arn });
    resource("iam_policy_attachment", name, &stack.instance.origin, props)
}

/// What the host may do beyond the managed policies: read the password, and decrypt it where
/// the key is not the service's own, which needs no permission; write dumps.
fn document(stack: &Stack) -> Value {
    let password = &stack.database.password;
    let region = &stack.region.value;
    let (action, resource) = match &password.store.value {
        SecretRef::Parameter(name) => {
            ("ssm:GetParameter", format!("arn:{PARTITION}:ssm:{region}:{ACCOUNT}:parameter{name}"))
        }
        SecretRef::Secret(name) if name.starts_with("arn:") => {
            ("secretsmanager:GetSecretValue", name.clone())
        }
        // Secrets Manager appends a hyphen and six characters to a name.
        SecretRef::Secret(name) => (
            "secretsmanager:GetSecretValue",
            format!("arn:{PARTITION}:secretsmanager:{region}:{ACCOUNT}:secret:{name}-??????"),
        ),
    };
    let mut statements = vec![json!({ "Effect": "Allow", "Action": action, "Resource": resource })];
    if let Some(key) = &password.kms_key {
        statements.push(decrypt(&key.value, region));
    }
    statements.extend(backup::statements(stack));
    fill(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

/// A key is named in a policy by its ARN; an alias only by a condition on any key.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html>
fn decrypt(key: &str, region: &str) -> Value {
    let keys = format!("arn:{PARTITION}:kms:{region}:{ACCOUNT}:key/");
    match key.find("alias/") {
        Some(start) => json!({
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": format!("{keys}*"),
            "Condition": { "ForAnyValue:StringEquals": { "kms:ResourceAliases": &key[start..] } },
        }),
        None => {
            let arn = if key.starts_with("arn:") { key.to_owned() } else { format!("{keys}{key}") };
            json!({ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn })
        }
    }
}

/// `text` with the caller's partition and account in their places.
pub(super) fn fill(text: &str) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        let (attribute, length) = if rest[dollar..].starts_with(PARTITION) {
            ("partition", PARTITION.len())
        } else {
            ("account", ACCOUNT.len())
        };
        parts.extend([json!(&rest[..dollar]), found("caller", attribute)]);
        rest = &rest[dollar + length..];
    }
    parts.push(json!(rest));
    join(parts)
}
