//! Bucket policies, as far as the simulation enforces them: deny statements on `PutObject`.
//!
//! Conditions it knows: `Null` of `s3:if-match` and `s3:if-none-match`, `Bool` of
//! `s3:ObjectCreationOperation` and `aws:SecureTransport`. A statement with any other condition
//! is kept and not enforced. Source:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html>.

use crate::outcome::ApiError;
use serde_json::Value;

/// The statements of a policy.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, ApiError> {
    let malformed = |why: &str| ApiError::new("MalformedPolicy", why);
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(all)) => all.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => return Err(malformed("Missing required field Statement")),
    };
    for statement in &statements {
        let whole =
            ["Effect", "Principal", "Action", "Resource"].iter().all(|key| statement.get(key).is_some());
        if !whole {
            return Err(malformed("Missing required field of a statement"));
        }
    }
    Ok(statements)
}

/// What of a `PutObject` the conditions look at.
pub(super) struct Write<'a> {
    /// The object's ARN.
    pub arn: &'a str,
    /// Whether `If-Match` was sent.
    pub if_match: bool,
    /// Whether `If-None-Match` was sent.
    pub if_none_match: bool,
}

/// Whether the policy refuses this write.
pub(super) fn refuses(policy: &str, write: &Write<'_>) -> bool {
    let statements = parse(policy).unwrap_or_default();
    statements.iter().any(|statement| {
        statement["Effect"] == "Deny"
            && texts(&statement["Action"]).iter().any(|action| matches(action, "s3:PutObject"))
            && texts(&statement["Resource"]).iter().any(|resource| matches(resource, write.arn))
            && applies(statement.get("Condition"), write)
    })
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| matches(rest, &tail[at..]))
        }),
    }
}

/// Whether all conditions hold; one that is not known does not.
fn applies(conditions: Option<&Value>, write: &Write<'_>) -> bool {
    let Some(conditions) = conditions else { return true };
    let Some(operators) = conditions.as_object() else { return false };
    operators.iter().all(|(operator, keys)| {
        keys.as_object()
            .is_some_and(|keys| keys.iter().all(|(key, value)| holds(operator, key, value, write)))
    })
}

fn holds(operator: &str, key: &str, value: &Value, write: &Write<'_>) -> bool {
    let wanted = texts(value).first().map(|text| *text == "true").or(value.as_bool());
    let have = match (operator, key.to_ascii_lowercase().as_str()) {
        ("Null", "s3:if-match") => !write.if_match,
        ("Null", "s3:if-none-match") => !write.if_none_match,
        ("Bool", "s3:objectcreationoperation" | "aws:securetransport") => true,
        _ => return false,
    };
    wanted == Some(have)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_may_have_stars_anywhere() {
        assert!(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/deep/key"));
        assert!(matches("s3:Put*ect", "s3:PutObject"));
        assert!(matches("*", ""));
        assert!(!matches("arn:aws:s3:::b/key", "arn:aws:s3:::b/key2"));
    }
}
