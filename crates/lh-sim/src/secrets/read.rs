//! What reads secrets: metadata, and the value for whoever asks for it.

use super::{find, invalid, key, live, not_found, sweep};
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::{self, Limits};
use crate::scene::Scene;
use crate::world::{Secret, Tags};
use aws_sdk_secretsmanager::operation::describe_secret::{DescribeSecretInput, DescribeSecretOutput};
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueInput, GetSecretValueOutput};
use aws_sdk_secretsmanager::operation::list_secrets::{ListSecretsInput, ListSecretsOutput};
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry, Tag};

/// "Valid Range: Minimum value of 1. Maximum value of 100."
const PAGES: Limits = Limits { least: 1, most: 100, usual: 100 };

fn shown(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// DescribeSecret: also of a secret that is scheduled for deletion, with the date it was asked for.
pub(super) fn describe(s: &mut Scene<'_>, i: &DescribeSecretInput) -> Result<DescribeSecretOutput, ApiError> {
    let secret = find(s, &i.secret_id)?.clone();
    if !s.visible(&key(&secret.name)) {
        return Err(not_found());
    }
    Ok(DescribeSecretOutput::builder()
        .arn(&secret.arn)
        .name(&secret.name)
        .set_description(secret.description.clone())
        .set_kms_key_id(secret.kms_key.clone())
        .set_deleted_date(secret.deleted.map(|(asked, _)| date(asked)))
        .created_date(date(secret.created_at))
        .version_ids_to_stages(&secret.version, vec!["AWSCURRENT".to_owned()])
        .set_tags(Some(shown(&secret.tags)))
        .build())
}

/// GetSecretValue, of the current version.
pub(super) fn value(s: &mut Scene<'_>, i: &GetSecretValueInput) -> Result<GetSecretValueOutput, ApiError> {
    let secret = live(s, &i.secret_id)?.clone();
    if !s.visible(&key(&secret.name)) {
        return Err(not_found());
    }
    Ok(GetSecretValueOutput::builder()
        .arn(&secret.arn)
        .name(&secret.name)
        .version_id(&secret.version)
        .version_stages("AWSCURRENT")
        .secret_string(secret.value.expose())
        .created_date(date(secret.created_at))
        .build())
}

/// ListSecrets: those scheduled for deletion only where they are asked for:
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>.
pub(super) fn list(s: &mut Scene<'_>, i: &ListSecretsInput) -> Result<ListSecretsOutput, ApiError> {
    sweep(s);
    let filters = i.filters.as_deref().unwrap_or_default();
    let all: Vec<Secret> = s.here.secrets.secrets.values().cloned().collect();
    let mut found = Vec::new();
    for secret in all {
        let asked = secret.deleted.is_none() || i.include_planned_deletion == Some(true);
        let mut fits = asked;
        for filter in filters {
            fits &= passes(filter, &secret)?;
        }
        if fits && s.visible(&key(&secret.name)) {
            found.push(entry(&secret));
        }
    }
    let (page, next) = paging::page(found, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    Ok(ListSecretsOutput::builder().set_secret_list(Some(page)).set_next_token(next).build())
}

/// A filter's values are prefixes, and alternatives; `!` at the start of one means all but those.
fn passes(filter: &Filter, secret: &Secret) -> Result<bool, ApiError> {
    let values = filter.values.as_deref().unwrap_or_default();
    if values.is_empty() || values.len() > 10 {
        return Err(invalid("A filter has 1 to 10 values."));
    }
    let have: Vec<&str> = match &filter.key {
        Some(FilterNameStringType::Name) => vec![&secret.name],
        Some(FilterNameStringType::Description) => secret.description.as_deref().into_iter().collect(),
        Some(FilterNameStringType::TagKey) => secret.tags.keys().map(String::as_str).collect(),
        Some(FilterNameStringType::TagValue) => secret.tags.values().map(String::as_str).collect(),
        _ => return Err(invalid("This filter is not simulated.")),
    };
    Ok(values.iter().any(|value| match value.strip_prefix('!') {
        Some(not) => !have.iter().any(|have| have.starts_with(not)),
        None => have.iter().any(|have| have.starts_with(value.as_str())),
    }))
}

fn entry(secret: &Secret) -> SecretListEntry {
    SecretListEntry::builder()
        .arn(&secret.arn)
        .name(&secret.name)
        .set_description(secret.description.clone())
        .set_kms_key_id(secret.kms_key.clone())
        .set_deleted_date(secret.deleted.map(|(asked, _)| date(asked)))
        .created_date(date(secret.created_at))
        .set_tags(Some(shown(&secret.tags)))
        .build()
}
