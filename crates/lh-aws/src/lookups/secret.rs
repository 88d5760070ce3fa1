//! `secret {name}` → `{name, arn}`: a secret that exists, without its value.

use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, texts};
use crate::{
    clients::Clients,
    kinds::secrets::metadata::{self, DESCRIBE},
};

/// What it may call.
pub(super) const CALLS: &[&str] = &[DESCRIBE];

/// Answers it.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let name = asked(lookup, "name").unwrap_or_default();
    let found = metadata::describe(clients, name).await.map_err(|error| failed(lookup, &error))?;
    let Some(found) = found else {
        let finding = Diagnostic::error("E0567", format!("there is no secret `{name}` in Secrets Manager"));
        return Err(finding
            .at(lookup.origin.clone())
            .because("the stack reads its password from this secret and is not to make it: it says `manage: false`, or names the secret by its ARN")
            .fix("Store the password there first, or name the secret without `manage: false` to have it made."));
    };
    if let Some(day) = &found.deleted {
        let finding = Diagnostic::error("E0568", format!("the secret `{name}` is scheduled for deletion"));
        return Err(finding
            .at(lookup.origin.clone())
            .because(format!("somebody deleted it on {day}; until it is restored nobody can read it"))
            .fix(format!(
                "Restore it with `aws secretsmanager restore-secret --secret-id {name}`, or name another secret."
            )));
    }
    Ok(texts([("name", &found.name), ("arn", &found.arn)]))
}
