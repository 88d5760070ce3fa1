//! Bucket policies: a statement of ours, found by its name, among those of others, which stay as
//! they are.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>

use lh_kind::{CloudError, ErrorKind};
use serde_json::{Value, json};

/// The name of the statement that wants TLS.
pub(crate) const TLS: &str = "LhctlTlsOnly";

/// A policy taken apart.
pub(crate) struct Policy(Value);

impl Policy {
    /// The policy of this text, or an empty one.
    ///
    /// # Errors
    /// When it cannot be read: then it is not to be replaced.
    pub fn parse(text: Option<&str>) -> Result<Self, CloudError> {
        let odd = |why: &str| {
            let text = format!("the bucket's policy cannot be read ({why}), so nothing was changed in it");
            CloudError::new(ErrorKind::Other, "s3:GetBucketPolicy", text)
        };
        let mut policy: Value = match text {
            None => json!({ "Version": "2012-10-17", "Statement": [] }),
            Some(text) => serde_json::from_str(text).map_err(|error| odd(&error.to_string()))?,
        };
        if policy["Statement"].is_object() {
            policy["Statement"] = json!([policy["Statement"].take()]);
        }
        if policy["Statement"].is_array() { Ok(Self(policy)) } else { Err(odd("it has no statements")) }
    }

    fn statements(&self) -> &[Value] {
        self.0["Statement"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The statement of this name.
    pub fn find(&self, name: &str) -> Option<&Value> {
        self.statements().iter().find(|statement| statement["Sid"] == name)
    }

    /// Whether it has this very statement.
    pub fn has(&self, wanted: &Value) -> bool {
        let name = wanted["Sid"].as_str().unwrap_or_default();
        self.find(name).is_some_and(|have| plain(have) == plain(wanted))
    }

    /// Puts `wanted` in the place of the statement of its name; whether that changes anything.
    pub fn put(&mut self, wanted: Value) -> bool {
        if self.has(&wanted) {
            return false;
        }
        let Some(statements) = self.0["Statement"].as_array_mut() else { return false };
        match statements.iter_mut().find(|statement| statement["Sid"] == wanted["Sid"]) {
            Some(have) => *have = wanted,
            None => statements.push(wanted),
        }
        true
    }

    /// Takes the statement of this name out.
    pub fn remove(&mut self, name: &str) {
        if let Some(statements) = self.0["Statement"].as_array_mut() {
            statements.retain(|statement| statement["Sid"] != name);
        }
    }

    /// Its text; none for a policy without statements, which AWS does not take.
    pub fn text(&self) -> Option<String> {
        (!self.statements().is_empty()).then(|| self.0.to_string())
    }
}

/// The ARN of a bucket. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
pub(crate) fn arn(region: &str, bucket: &str) -> String {
    let partition = match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    format!("arn:{partition}:s3:::{bucket}")
}

/// No request without TLS, for a bucket by its ARN.
pub(crate) fn tls(bucket: &str) -> Value {
    json!({
        "Sid": TLS,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// AWS may give back a list of one as its only member, and lists in another order.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(plain).collect();
            all.sort_by_key(Value::to_string);
            if all.len() == 1 { all.remove(0) } else { Value::Array(all) }
        }
        // `{"AWS": "*"}` and `"*"` are the same principal.
        Value::Object(map) if map.len() == 1 && map.get("AWS") == Some(&json!("*")) => json!("*"),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Bool(flag) => json!(flag.to_string()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_put_found_and_taken_out_beside_those_of_others() {
        let others = r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow"}}"#;
        let wanted = tls(&arn("us-east-1", "b"));
        let mut policy = Policy::parse(Some(others)).unwrap();
        assert!(policy.put(wanted.clone()) && policy.has(&wanted) && !policy.put(wanted.clone()));
        let text = policy.text().unwrap();
        assert!(text.contains("\"Mine\"") && text.contains("arn:aws:s3:::b/*"), "{text}");
        let weakened = Policy::parse(Some(&text.replace("\"Deny\"", "\"Allow\""))).unwrap();
        assert!(!weakened.has(&wanted));
        policy.remove(TLS);
        assert!(!policy.has(&wanted) && policy.text().is_some_and(|text| text.contains("\"Mine\"")));
        policy.remove("Mine");
        assert_eq!(policy.text(), None);
    }

    #[test]
    fn a_policy_that_cannot_be_read_is_told() {
        for text in ["", "[]", "{\"Statement\":1}"] {
            assert!(Policy::parse(Some(text)).is_err(), "{text}");
        }
    }
}
