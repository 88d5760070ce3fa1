//! The bucket policy: no request without TLS, no write of a state without a condition.
//!
//! Several stacks may share a bucket: the second statement lists the objects of each, and a run
//! adds its own. Sources:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>.

use lh_kind::{CloudError, ErrorKind};
use serde_json::{Value, json};

use crate::store::StatePlace;

const TLS: &str = "LhctlTlsOnly";
const CONDITIONS: &str = "LhctlConditionalWritesOnly";

/// The policy as it should be; nothing if `have` is right.
pub(super) fn mended(
    have: Option<&str>,
    place: &StatePlace,
    region: &str,
) -> Result<Option<String>, CloudError> {
    let odd = |why: &str| {
        let text = format!("the bucket's policy cannot be read ({why}), so nothing was changed in it");
        CloudError::new(ErrorKind::Other, "s3:GetBucketPolicy", text)
    };
    let mut policy: Value = match have {
        None => json!({ "Version": "2012-10-17", "Statement": [] }),
        Some(text) => serde_json::from_str(text).map_err(|error| odd(&error.to_string()))?,
    };
    if policy["Statement"].is_object() {
        policy["Statement"] = json!([policy["Statement"].take()]);
    }
    let statements = policy["Statement"].as_array_mut().ok_or_else(|| odd("it has no statements"))?;
    let bucket = format!("arn:{}:s3:::{}", partition(region), place.bucket);
    let mut changed = put(statements, tls(&bucket));
    let old = statements.iter().find(|statement| statement["Sid"] == CONDITIONS);
    let mut objects = old.map(|statement| texts(&statement["Resource"])).unwrap_or_default();
    for own in [format!("{bucket}/{}", place.key), format!("{bucket}/{}*", place.journal())] {
        if !objects.contains(&own) {
            objects.push(own);
        }
    }
    changed |= put(statements, conditions(&objects));
    Ok(changed.then(|| policy.to_string()))
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn tls(bucket: &str) -> Value {
    json!({
        "Sid": TLS,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// `s3:ObjectCreationOperation` leaves out the parts of a multipart upload, which take no condition.
fn conditions(objects: &[String]) -> Value {
    json!({
        "Sid": CONDITIONS,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": objects,
        "Condition": {
            "Null": { "s3:if-match": "true", "s3:if-none-match": "true" },
            "Bool": { "s3:ObjectCreationOperation": "true" },
        },
    })
}

/// Puts `wanted` in the place of the statement of its name; whether that changes anything.
fn put(statements: &mut Vec<Value>, wanted: Value) -> bool {
    match statements.iter_mut().find(|statement| statement["Sid"] == wanted["Sid"]) {
        Some(have) if plain(have) == plain(&wanted) => false,
        Some(have) => {
            *have = wanted;
            true
        }
        None => {
            statements.push(wanted);
            true
        }
    }
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

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn place(key: &str) -> StatePlace {
        StatePlace { bucket: "b".to_owned(), key: key.to_owned(), table: "t".to_owned() }
    }

    #[test]
    fn what_is_right_is_left_alone_and_stacks_share_a_bucket() {
        let first = mended(None, &place("dev.json"), "us-east-1").unwrap().unwrap();
        assert_eq!(mended(Some(&first), &place("dev.json"), "us-east-1").unwrap(), None);
        let both = mended(Some(&first), &place("prod.json"), "us-east-1").unwrap().unwrap();
        for key in ["dev.json", "dev.json.journal/*", "prod.json", "prod.json.journal/*"] {
            assert!(both.contains(&format!("\"arn:aws:s3:::b/{key}\"")), "{both}");
        }
        for key in ["dev.json", "prod.json"] {
            assert_eq!(mended(Some(&both), &place(key), "us-east-1").unwrap(), None);
        }
    }

    #[test]
    fn statements_of_others_stay_and_a_damaged_one_is_mended() {
        let others = r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow"}}"#;
        let made = mended(Some(others), &place("dev.json"), "us-east-1").unwrap().unwrap();
        assert!(made.contains("\"Mine\""));
        let weakened = made.replace("\"Deny\"", "\"Allow\"");
        let mended_again = mended(Some(&weakened), &place("dev.json"), "us-east-1").unwrap().unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&mended_again), read(&made));
    }

    #[test]
    fn a_policy_that_cannot_be_read_is_not_replaced() {
        for text in ["", "[]", "{\"Statement\":1}"] {
            assert!(mended(Some(text), &place("dev.json"), "us-east-1").is_err(), "{text}");
        }
    }
}
