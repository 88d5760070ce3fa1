//! The role that the instance runs under: Session Manager, the CloudWatch agent, reading exactly
//! the one password, and writing dumps to exactly the one bucket.

use lh_model::{Address, Resource, SecretRef, value::join};
use serde_json::{Value, json};

use super::{
    backup,
    lookups::{self, found},
    resource, tags,
};
use crate::stack::Stack;

/// Stand for what only the caller's identity tells. No name in a policy may hold a `$`.
pub(super) const PARTITION: &str = "${partition}";
pub(super) const ACCOUNT: &str = "${account}";
/// Stands for the ARN of the key that the stack names.
const KEY: &str = "${key}";

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
    if password.kms_key.is_some() {
        // A policy names a key by its ARN, whatever the stack file calls it.
        statements.push(json!({ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY }));
    }
    statements.extend(backup::statements(stack));
    let key = password.kms_key.as_ref().map(|key| found(&lookups::key_name(&key.value), "arn"));
    fill_with(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string(), key)
}

/// `text` with the caller's partition and account in their places.
pub(super) fn fill(text: &str) -> Value {
    fill_with(text, None)
}

/// The same, with the key's ARN in its place.
fn fill_with(text: &str, key: Option<Value>) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        let at = &rest[dollar..];
        let (value, length) = match &key {
            Some(key) if at.starts_with(KEY) => (key.clone(), KEY.len()),
            _ if at.starts_with(PARTITION) => (found("caller", "partition"), PARTITION.len()),
            _ => (found("caller", "account"), ACCOUNT.len()),
        };
        parts.extend([json!(&rest[..dollar]), value]);
        rest = &rest[dollar + length..];
    }
    parts.push(json!(rest));
    join(parts)
}
