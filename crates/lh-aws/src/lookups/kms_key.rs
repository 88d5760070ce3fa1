//! `kms_key {key, region}` → `{id, arn}`: a key that a stack names, by id, alias, or ARN of either.
//! It is asked for at each plan: a key can be disabled at any time.

use aws_sdk_kms::types::{KeySpec, KeyState, KeyUsageType};
use lh_kind::ErrorKind;
use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, texts};
use crate::{clients::Clients, error::Named};

/// What it may call.
pub(super) const CALLS: &[&str] = &["kms:DescribeKey"];

/// Answers it.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let key = asked(lookup, "key").unwrap_or_default();
    let region = asked(lookup, "region").unwrap_or_default();
    let of_key = key.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)).unwrap_or(region);
    if of_key != region {
        return Err(unusable(lookup, key, &format!("it is a key of {of_key}, and the stack is in {region}")));
    }
    let found = match clients.kms.describe_key().key_id(key).send().await.named(CALLS[0]) {
        Ok(answer) => answer.key_metadata,
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(lookup, &error)),
    };
    let Some(found) = found else {
        return Err(Diagnostic::error("E0565", format!("there is no KMS key `{key}`"))
            .at(lookup.origin.clone())
            .because(format!("no key or alias in {region} has this name"))
            .fix(
                "Name a key by its id, `alias/…`, or the ARN of either, or leave `kms_key` out to have AWS's own key used.",
            ));
    };
    if found.key_state.as_ref().is_some_and(|state| *state != KeyState::Enabled) {
        let state = found.key_state.as_ref().map(KeyState::as_str).unwrap_or_default();
        return Err(unusable(lookup, key, &format!("its state is {state}, not Enabled")));
    }
    let encrypts = found.key_usage.as_ref().is_none_or(|usage| *usage == KeyUsageType::EncryptDecrypt);
    let symmetric = found.key_spec.as_ref().is_none_or(|spec| *spec == KeySpec::SymmetricDefault);
    if !encrypts || !symmetric {
        return Err(unusable(
            lookup,
            key,
            "it is not a symmetric encryption key, and volumes and secrets take no other",
        ));
    }
    Ok(texts([("id", found.key_id()), ("arn", found.arn().unwrap_or_default())]))
}

fn unusable(lookup: &Lookup, key: &str, why: &str) -> Diagnostic {
    Diagnostic::error("E0566", format!("the KMS key `{key}` cannot be used"))
        .at(lookup.origin.clone())
        .because(why)
        .fix("Enable it, or name an enabled symmetric key of the stack's region.")
}
