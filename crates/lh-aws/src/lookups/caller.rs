//! `caller {}` → `{account, partition, arn}`: whose credentials these are.

use lh_model::{Diagnostic, Lookup, Map};

use super::{failed, texts};
use crate::{clients::Clients, error::Named};

/// What it may call.
pub(super) const CALLS: &[&str] = &["sts:GetCallerIdentity"];

/// Answers it.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let identity = clients.sts.get_caller_identity().send().await.named(CALLS[0]);
    let identity = identity.map_err(|error| failed(lookup, &error))?;
    let (account, arn) = (identity.account().unwrap_or_default(), identity.arn().unwrap_or_default());
    // arn:aws:iam::123456789012:user/x: the partition is `aws`, `aws-cn` or `aws-us-gov`.
    let partition = arn.split(':').nth(1).filter(|text| !text.is_empty()).unwrap_or("aws");
    Ok(texts([("account", account), ("partition", partition), ("arn", arn)]))
}
