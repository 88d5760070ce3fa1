//! `key_pair {key_name}` → `{id, key_name}`: the key pair for SSH, which must exist.

use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, nearest, texts};
use crate::{clients::Clients, error::Named};

/// What it may call.
pub(super) const CALLS: &[&str] = &["ec2:DescribeKeyPairs"];

/// Answers it. All key pairs are asked for, so that a wrong name can be told with the right ones.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let wanted = asked(lookup, "key_name").unwrap_or_default();
    let answer = clients.ec2.describe_key_pairs().send().await.named(CALLS[0]);
    let pairs = answer.map_err(|error| failed(lookup, &error))?.key_pairs.unwrap_or_default();
    if let Some(pair) = pairs.iter().find(|pair| pair.key_name() == Some(wanted)) {
        let id = pair.key_pair_id().unwrap_or_default();
        return Ok(texts([("id", id), ("key_name", wanted)]));
    }
    let there = nearest(wanted, pairs.into_iter().filter_map(|pair| pair.key_name));
    let reason = match &there {
        Some(names) => format!("this region has the key pairs {names}"),
        None => "this region has no key pair at all".to_owned(),
    };
    let way = format!("create it with `aws ec2 create-key-pair --key-name {wanted}`");
    let fix =
        if there.is_some() { format!("Use one of these names, or {way}.") } else { format!("First {way}.") };
    Err(Diagnostic::error("E0557", format!("there is no key pair `{wanted}`"))
        .at(lookup.origin.clone())
        .because(reason)
        .fix(fix))
}
