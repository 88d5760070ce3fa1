//! The bucket policy: no request without TLS, no write of a state without a condition.
//!
//! Several stacks may share a bucket: the second statement lists the objects of each, and a run
//! adds its own. Sources:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>.

use lh_kind::CloudError;
use serde_json::{Value, json};

use crate::{
    bucket::policy::{Policy, arn, tls},
    store::StatePlace,
};

const CONDITIONS: &str = "LhctlConditionalWritesOnly";

/// The policy as it should be; nothing if `have` is right.
pub(super) fn mended(
    have: Option<&str>,
    place: &StatePlace,
    region: &str,
) -> Result<Option<String>, CloudError> {
    let mut policy = Policy::parse(have)?;
    let bucket = arn(region, &place.bucket);
    let mut changed = policy.put(tls(&bucket));
    let mut objects = policy.find(CONDITIONS).map(|old| texts(&old["Resource"])).unwrap_or_default();
    for own in [format!("{bucket}/{}", place.key), format!("{bucket}/{}*", place.journal())] {
        if !objects.contains(&own) {
            objects.push(own);
        }
    }
    changed |= policy.put(conditions(&objects));
    Ok(policy.text().filter(|_| changed))
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
