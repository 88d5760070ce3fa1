//! Policy documents as JSON in one form, so that equal documents are equal texts.

use serde_json::{Value, json};

/// IAM answers with the document percent-encoded (IAM API reference, GetRolePolicy: "URL-encoded
/// compliant with RFC 3986").
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            plain.push(byte);
            at += 3;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Compact, keys sorted; a text that is no JSON stays as it is.
pub(crate) fn normalised(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .map_or_else(|_| text.to_owned(), |document| sorted(document).to_string())
}

/// The same value with the keys of its objects in order, however `serde_json` was built.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The full name of a service, `ec2.amazonaws.com`; `ec2` is short for it.
fn principal(service: &str) -> String {
    if service.contains('.') { service.to_owned() } else { format!("{service}.amazonaws.com") }
}

/// The policy that lets a service, and nobody else, take the role.
pub(crate) fn trust(service: &str) -> String {
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": principal(service)},
            "Action": "sts:AssumeRole",
        }],
    });
    normalised(&document.to_string())
}

/// The service that a trust policy lets take the role, in the words of `wanted` where it is the
/// same; the whole document where it says anything else, so that the difference shows.
pub(crate) fn trusted(document: &str, wanted: &str) -> String {
    let found = normalised(&decoded(document));
    if found == trust(wanted) {
        return wanted.to_owned();
    }
    let parsed: Value = serde_json::from_str(&found).unwrap_or_default();
    match parsed["Statement"][0]["Principal"]["Service"].as_str() {
        Some(service) if found == trust(service) => service.to_owned(),
        _ => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_documents_are_equal_texts() {
        let spaced = r#"{ "Version" : "2012-10-17", "Statement": [ {"Effect":"Allow", "Action":"s3:*"} ] }"#;
        let other = r#"{"Statement":[{"Action":"s3:*","Effect":"Allow"}],"Version":"2012-10-17"}"#;
        assert_eq!(normalised(spaced), other);
        assert_eq!(normalised(&normalised(spaced)), other);
        assert_eq!(normalised("no json"), "no json");
    }

    #[test]
    fn the_encoding_of_iam_is_undone() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22%C3%A9%22%7D"), "{\"a\": \"é\"}");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz"), "%zz");
    }

    #[test]
    fn only_exactly_our_trust_policy_counts_as_the_service() {
        assert_eq!(trusted(&trust("ec2"), "ec2"), "ec2");
        assert_eq!(trusted(&trust("ec2"), "ec2.amazonaws.com"), "ec2.amazonaws.com");
        assert_eq!(trusted(&trust("ec2"), "backup.amazonaws.com"), "ec2.amazonaws.com");
        let wider = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":"*"}],"Version":"2012-10-17"}"#;
        assert_eq!(trusted(wider, "ec2"), wider);
    }
}
