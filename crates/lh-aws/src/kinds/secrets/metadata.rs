//! What Secrets Manager tells of secrets: metadata for plans, and the value for the one output
//! that asks for it.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry, Tag};
use aws_smithy_types::{DateTime, date_time::Format};
use lh_kind::{CloudError, ErrorKind};
use lh_model::Plaintext;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{clients::Clients, error::Named, kinds::labels::Labels};

/// The operation that shows one secret without its value.
pub(crate) const DESCRIBE: &str = "secretsmanager:DescribeSecret";
/// The operation that lists secrets without their values.
pub(crate) const LIST: &str = "secretsmanager:ListSecrets";
const GET: &str = "secretsmanager:GetSecretValue";
/// Values that one filter takes (Secrets Manager API reference, Filter).
const MAX_VALUES: usize = 10;

/// A secret without its value.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Its name.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// Its description, if it has one.
    pub(crate) description: Option<String>,
    /// Its KMS key, if it is not `aws/secretsmanager`.
    pub(crate) kms_key: Option<String>,
    /// Its tags.
    pub(crate) labels: Labels,
    /// When its deletion was asked for, if it was.
    pub(crate) deleted: Option<String>,
}

fn labels(tags: &[Tag]) -> Labels {
    Labels::new(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// A description as the empty text, and the service's own key by its alias, are none.
fn given(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty() && !text.ends_with("alias/aws/secretsmanager")).map(str::to_owned)
}

fn day(date: Option<&DateTime>) -> Option<String> {
    let date = date?.fmt(Format::DateTime).unwrap_or_default();
    Some(date.chars().take(10).collect())
}

/// One secret, by name or ARN; none where there is no such secret. One that is scheduled for
/// deletion is there.
pub(crate) async fn describe(clients: &Clients, id: &str) -> Result<Option<Metadata>, CloudError> {
    match clients.secrets.describe_secret().secret_id(id).send().await.named(DESCRIBE) {
        Ok(found) => Ok(Some(Metadata {
            name: found.name().unwrap_or_default().to_owned(),
            arn: found.arn().unwrap_or_default().to_owned(),
            description: given(found.description()),
            kms_key: given(found.kms_key_id()),
            labels: labels(found.tags()),
            deleted: day(found.deleted_date()),
        })),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Those of `names` that the list shows, which may be a few minutes behind.
pub(crate) async fn list(clients: &Clients, names: &[String]) -> Result<Vec<Metadata>, CloudError> {
    let mut all = Vec::new();
    for chunk in names.chunks(MAX_VALUES) {
        let filter =
            Filter::builder().key(FilterNameStringType::Name).set_values(Some(chunk.to_vec())).build();
        let request = clients.secrets.list_secrets().filters(filter).include_planned_deletion(true);
        let pages: Vec<_> = request.into_paginator().send().try_collect().await.named(LIST)?;
        let entries = pages.iter().flat_map(|page| page.secret_list());
        // The filter takes prefixes.
        let exact = |entry: &&SecretListEntry| entry.name().is_some_and(|n| chunk.iter().any(|c| c == n));
        all.extend(entries.filter(exact).map(|entry| Metadata {
            name: entry.name().unwrap_or_default().to_owned(),
            arn: entry.arn().unwrap_or_default().to_owned(),
            description: given(entry.description()),
            kms_key: given(entry.kms_key_id()),
            labels: labels(entry.tags()),
            deleted: day(entry.deleted_date()),
        }));
    }
    Ok(all)
}

/// The password in a secret: all of its text, or the member `password` where the text is a JSON
/// object, as RDS and the console's templates write it.
///
/// # Errors
/// When the secret cannot be read, holds bytes, or is a JSON object without a password. No error
/// has any of the value in it.
pub(crate) async fn reveal(clients: &Clients, name: &str) -> Result<Plaintext, CloudError> {
    let wrong = |why: &str| {
        CloudError::new(ErrorKind::Invalid, GET, format!("the Secrets Manager secret {name} {why}"))
    };
    let answer = clients.secrets.get_secret_value().secret_id(name).send().await.named(GET)?;
    let Some(text) = answer.secret_string.map(Zeroizing::new) else {
        return Err(wrong("holds bytes, not a text"));
    };
    password_in(text).ok_or_else(|| wrong("is a JSON object without a text `password`"))
}

fn password_in(mut text: Zeroizing<String>) -> Option<Plaintext> {
    if !text.trim_start().starts_with('{') {
        return Some(Plaintext::new(std::mem::take(&mut *text)));
    }
    let Ok(Value::Object(mut object)) = serde_json::from_str(&text) else {
        return Some(Plaintext::new(std::mem::take(&mut *text)));
    };
    let found = match object.remove("password") {
        Some(Value::String(password)) => Some(Plaintext::new(password)),
        _ => None,
    };
    for (_, value) in object {
        if let Value::String(value) = value {
            drop(Zeroizing::new(value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        password_in(Zeroizing::new(text.to_owned())).map(|it| it.expose().to_owned())
    }

    #[test]
    fn a_secret_is_all_password_or_the_password_of_an_object() {
        assert_eq!(read("plain").as_deref(), Some("plain"));
        assert_eq!(read(r#"{"username": "postgres", "password": "x y"}"#).as_deref(), Some("x y"));
        assert_eq!(read("{not json").as_deref(), Some("{not json"));
        assert_eq!(read(r#"{"username": "postgres"}"#), None);
        assert_eq!(read(r#"{"password": 7}"#), None);
    }
}
