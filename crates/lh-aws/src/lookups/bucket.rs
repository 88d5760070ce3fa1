//! `bucket {name}` → `{name}`: a bucket that exists, whoever owns it.

use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, texts};
use crate::{
    bucket::{Bucket, Presence},
    clients::Clients,
};

/// What it may call.
pub(super) const CALLS: &[&str] = &["s3:ListBucket"];

/// Answers it.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let name = asked(lookup, "name").unwrap_or_default();
    let region = clients.s3.config().region().map_or("", |region| region.as_ref());
    let bucket = Bucket { s3: &clients.s3, name, region, account: None };
    let (why, fix) = match bucket.presence().await.map_err(|error| failed(lookup, &error))? {
        Presence::Here => return Ok(texts([("name", name)])),
        Presence::Absent => (
            "`manage: false` says that it is made elsewhere".to_owned(),
            "Remove `manage: false` to have it made, create it first, or correct the name.",
        ),
        Presence::Elsewhere(there) => (
            format!("it is in {there}, and the stack is in {region}"),
            "Name a bucket in the stack's region.",
        ),
        Presence::Foreign => (
            "it is another account's, or these credentials may not see it".to_owned(),
            "Ask its owner for access, or name another bucket.",
        ),
    };
    let finding = Diagnostic::error("E0576", format!("the bucket `{name}` cannot be used"));
    Err(finding.at(lookup.origin.clone()).because(why).fix(fix))
}
