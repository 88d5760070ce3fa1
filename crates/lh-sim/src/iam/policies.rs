//! Policies of roles: inline ones, and attachments of managed ones.

use super::roles::{find, see};
use crate::outcome::ApiError;
use crate::paging::{self, Limits};
use crate::scene::Scene;
use aws_sdk_iam::operation::attach_role_policy::{AttachRolePolicyInput, AttachRolePolicyOutput};
use aws_sdk_iam::operation::delete_role_policy::{DeleteRolePolicyInput, DeleteRolePolicyOutput};
use aws_sdk_iam::operation::detach_role_policy::{DetachRolePolicyInput, DetachRolePolicyOutput};
use aws_sdk_iam::operation::get_role_policy::{GetRolePolicyInput, GetRolePolicyOutput};
use aws_sdk_iam::operation::list_attached_role_policies::{
    ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput,
};
use aws_sdk_iam::operation::list_role_policies::{ListRolePoliciesInput, ListRolePoliciesOutput};
use aws_sdk_iam::operation::put_role_policy::{PutRolePolicyInput, PutRolePolicyOutput};
use aws_sdk_iam::types::AttachedPolicy;
use serde_json::Value;

const PAGES: Limits = Limits { least: 1, most: 1000, usual: 100 };

/// A policy document: JSON with statements that have an effect and `needs`.
pub(super) fn document(text: Option<&String>, needs: &str) -> Result<String, ApiError> {
    let malformed = |why: &str| ApiError::new("MalformedPolicyDocument", why);
    let text = text.ok_or_else(|| malformed("The policy is missing."))?;
    let policy: Value =
        serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(malformed("Syntax errors in policy: no Statement.")),
    };
    for statement in statements {
        if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
            return Err(malformed("Syntax errors in policy: a statement has no Effect."));
        }
        if statement.get(needs).is_none() && statement.get(format!("Not{needs}")).is_none() {
            return Err(malformed(&format!("Missing required field {needs}")));
        }
    }
    Ok(text.clone())
}

/// "Policies returned by this operation are URL-encoded compliant with RFC 3986":
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn policy_name(value: &Option<String>) -> Result<&String, ApiError> {
    super::name(value, "policyName", 128)
}

/// PutRolePolicy: adds or replaces.
pub(super) fn put(s: &mut Scene<'_>, i: &PutRolePolicyInput) -> Result<PutRolePolicyOutput, ApiError> {
    let name = policy_name(&i.policy_name)?;
    let text = document(i.policy_document.as_ref(), "Action")?;
    find(s, &i.role_name)?.inline.insert(name.clone(), text);
    Ok(PutRolePolicyOutput::builder().build())
}

/// GetRolePolicy.
pub(super) fn get(s: &mut Scene<'_>, i: &GetRolePolicyInput) -> Result<GetRolePolicyOutput, ApiError> {
    let name = policy_name(&i.policy_name)?;
    let role = see(s, &i.role_name)?;
    let text = role.inline.get(name).ok_or_else(|| super::missing("role policy", name))?;
    Ok(GetRolePolicyOutput::builder()
        .role_name(&role.name)
        .policy_name(name)
        .policy_document(encoded(text))
        .build()?)
}

/// DeleteRolePolicy.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteRolePolicyInput,
) -> Result<DeleteRolePolicyOutput, ApiError> {
    let name = policy_name(&i.policy_name)?;
    find(s, &i.role_name)?.inline.remove(name).ok_or_else(|| super::missing("role policy", name))?;
    Ok(DeleteRolePolicyOutput::builder().build())
}

/// ListRolePolicies: the names of inline policies.
pub(super) fn list(s: &mut Scene<'_>, i: &ListRolePoliciesInput) -> Result<ListRolePoliciesOutput, ApiError> {
    let names: Vec<String> = see(s, &i.role_name)?.inline.keys().cloned().collect();
    let (page, next) = paging::page(names, i.max_items, i.marker.as_deref(), PAGES, s.page_cap())?;
    Ok(ListRolePoliciesOutput::builder()
        .set_policy_names(Some(page))
        .is_truncated(next.is_some())
        .set_marker(next)
        .build()?)
}

fn arn(value: &Option<String>) -> Result<&String, ApiError> {
    value
        .as_ref()
        .filter(|arn| arn.starts_with("arn:aws:iam::"))
        .ok_or_else(|| super::invalid("policyArn is not an ARN of a policy".to_owned()))
}

/// AttachRolePolicy. AWS's managed policies all exist here; others do not.
pub(super) fn attach(
    s: &mut Scene<'_>,
    i: &AttachRolePolicyInput,
) -> Result<AttachRolePolicyOutput, ApiError> {
    let arn = arn(&i.policy_arn)?;
    if !arn.starts_with("arn:aws:iam::aws:policy/") {
        return Err(ApiError::with_status(
            404,
            "NoSuchEntity",
            format!("Policy {arn} does not exist or is not attachable."),
        ));
    }
    let role = find(s, &i.role_name)?;
    role.attached.insert(arn.clone());
    // "Managed policies attached to an IAM role: 10", by default.
    if role.attached.len() > 10 {
        return Err(super::limit("Cannot exceed quota for PoliciesPerRole: 10"));
    }
    Ok(AttachRolePolicyOutput::builder().build())
}

/// DetachRolePolicy.
pub(super) fn detach(
    s: &mut Scene<'_>,
    i: &DetachRolePolicyInput,
) -> Result<DetachRolePolicyOutput, ApiError> {
    let arn = arn(&i.policy_arn)?;
    if !find(s, &i.role_name)?.attached.remove(arn) {
        return Err(ApiError::with_status(404, "NoSuchEntity", format!("Policy {arn} was not found.")));
    }
    Ok(DetachRolePolicyOutput::builder().build())
}

/// ListAttachedRolePolicies.
pub(super) fn list_attached(
    s: &mut Scene<'_>,
    i: &ListAttachedRolePoliciesInput,
) -> Result<ListAttachedRolePoliciesOutput, ApiError> {
    let shown: Vec<AttachedPolicy> = see(s, &i.role_name)?
        .attached
        .iter()
        .map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            AttachedPolicy::builder().policy_arn(arn).policy_name(name).build()
        })
        .collect();
    let (page, next) = paging::page(shown, i.max_items, i.marker.as_deref(), PAGES, s.page_cap())?;
    Ok(ListAttachedRolePoliciesOutput::builder()
        .set_attached_policies(Some(page))
        .is_truncated(next.is_some())
        .set_marker(next)
        .build())
}
