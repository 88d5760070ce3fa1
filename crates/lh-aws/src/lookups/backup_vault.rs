//! `backup_vault {name}` → `{name, arn}`: a vault that exists.

use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, nearest, texts};
use crate::{clients::Clients, kinds::backup::vault};

/// What it may call.
pub(super) const CALLS: &[&str] = &[vault::LIST];

/// Answers it. All vaults are asked for, so that a wrong name can be told with the right ones.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let wanted = asked(lookup, "name").unwrap_or_default();
    let vaults = vault::read(clients).await.map_err(|error| failed(lookup, &error))?;
    if let Some(vault) = vaults.iter().find(|vault| vault.backup_vault_name() == Some(wanted)) {
        return Ok(texts([("name", wanted), ("arn", vault.backup_vault_arn().unwrap_or_default())]));
    }
    let there = nearest(wanted, vaults.into_iter().filter_map(|vault| vault.backup_vault_name));
    let reason = match there {
        Some(names) => {
            format!("`manage: false` says that it is made elsewhere; this region has the vaults {names}")
        }
        None => {
            "`manage: false` says that it is made elsewhere, and this region has no vault at all".to_owned()
        }
    };
    Err(Diagnostic::error("E0575", format!("there is no backup vault `{wanted}`"))
        .at(lookup.origin.clone())
        .because(reason)
        .fix("Remove `manage: false` to have it made, create it first, or correct the name."))
}
