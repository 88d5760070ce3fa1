//! Lookups: what must exist already and is only read, one file each.

mod backup_vault;
mod bucket;
mod caller;
mod hosted_zone;
mod image;
mod key_pair;
mod kms_key;
mod network;
mod parameter;
mod secret;
mod security_group;
mod topic;

use lh_kind::{CloudError, ErrorKind, Probe};
use lh_model::{Diagnostic, Lookup, Map};
use serde_json::Value;

use crate::clients::Clients;

/// Answers one lookup.
pub(crate) async fn answer(clients: &Clients, probe: &Probe) -> Result<Map, Diagnostic> {
    match sort_of(&probe.lookup.name) {
        "backup_vault" => backup_vault::answer(clients, &probe.lookup).await,
        "bucket" => bucket::answer(clients, &probe.lookup).await,
        "caller" => caller::answer(clients, &probe.lookup).await,
        "hosted_zone" => hosted_zone::answer(clients, probe).await,
        "image" => image::answer(clients, probe).await,
        "key_pair" => key_pair::answer(clients, &probe.lookup).await,
        "kms_key" => kms_key::answer(clients, &probe.lookup).await,
        "network" => network::answer(clients, probe).await,
        "parameter" => parameter::answer(clients, &probe.lookup).await,
        "secret" => secret::answer(clients, &probe.lookup).await,
        "security_group" => security_group::answer(clients, probe).await,
        "topic" => topic::answer(clients, probe).await,
        other => {
            let message = format!("this version of lhctl knows no lookup `{other}`");
            Err(Diagnostic::error("E0550", message).at(probe.lookup.origin.clone()))
        }
    }
}

/// The operations that answering a lookup may call.
pub(crate) fn calls(name: &str) -> &'static [&'static str] {
    match sort_of(name) {
        "backup_vault" => backup_vault::CALLS,
        "bucket" => bucket::CALLS,
        "caller" => caller::CALLS,
        "hosted_zone" => hosted_zone::CALLS,
        "image" => image::CALLS,
        "key_pair" => key_pair::CALLS,
        "kms_key" => kms_key::CALLS,
        "network" => network::CALLS,
        "parameter" => parameter::CALLS,
        "secret" => secret::CALLS,
        "security_group" => security_group::CALLS,
        "topic" => topic::CALLS,
        _ => &[],
    }
}

/// What a lookup looks for: `security_group` of `security_group/backend`. A stack may name several
/// things of one sort, each with a lookup and a line of its own.
fn sort_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// A text that the lookup asks for; `None` for null, empty and missing.
fn asked<'a>(lookup: &'a Lookup, key: &str) -> Option<&'a str> {
    lookup.query.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A text in an earlier answer.
fn pinned<'a>(probe: &'a Probe, key: &str) -> Option<&'a str> {
    probe.pinned.as_ref()?.get(key).and_then(Value::as_str)
}

/// An answer made of texts.
fn texts<const N: usize>(pairs: [(&str, &str); N]) -> Map {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

/// A call that failed, as a finding at the line that asked.
fn failed(lookup: &Lookup, error: &CloudError) -> Diagnostic {
    let what = match error.kind {
        ErrorKind::Credentials if error.code.is_empty() => "there are no usable AWS credentials".to_owned(),
        ErrorKind::Credentials => "AWS does not accept the credentials".to_owned(),
        ErrorKind::Unreachable => "AWS could not be reached".to_owned(),
        ErrorKind::Denied => format!("these credentials may not call {}", error.operation),
        _ => format!("{} failed", error.operation),
    };
    let finding = Diagnostic::error("E0551", what).at(lookup.origin.clone()).because(error.to_string());
    match error.advice() {
        Some(advice) => finding.fix(advice),
        None => finding,
    }
}

/// `names`, those most like `wanted` first, as a list in words; at most five.
fn nearest(wanted: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    let mut names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    names.sort();
    names.dedup();
    names.sort_by(|a, b| strsim::jaro_winkler(wanted, b).total_cmp(&strsim::jaro_winkler(wanted, a)));
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (_, 0) => Some(listed),
        (_, more) => Some(format!("{listed} and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first_and_long_lists_are_cut() {
        let names = ["prod", "lighthouse-dev2", "zebra"].map(str::to_owned);
        assert_eq!(nearest("lighthouse-dev", names).as_deref(), Some("`lighthouse-dev2`, `prod`, `zebra`"));
        let many = (0..7).map(|i| format!("k{i}"));
        assert!(nearest("k", many).is_some_and(|text| text.ends_with("and 2 more")));
        assert_eq!(nearest("k", []), None);
    }
}
