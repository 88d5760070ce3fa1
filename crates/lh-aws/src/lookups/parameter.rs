//! `parameter {name}` → `{name, arn, type, version}`: a parameter that exists, without its value.

use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, texts};
use crate::{
    clients::Clients,
    kinds::ssm::parameter::{self, AnyOf},
};

/// What it may call.
pub(super) const CALLS: &[&str] = &["ssm:DescribeParameters"];

/// Answers it.
pub(super) async fn answer(clients: &Clients, lookup: &Lookup) -> Result<Map, Diagnostic> {
    let name = asked(lookup, "name").unwrap_or_default();
    let found = parameter::read(clients, vec![name.to_owned()], &AnyOf::new()).await;
    let found = found.map_err(|error| failed(lookup, &error))?;
    let Some(metadata) = found.into_iter().next() else {
        return Err(Diagnostic::error("E0558", format!("there is no SSM parameter `{name}`"))
            .at(lookup.origin.clone())
            .because("the stack reads its password from this parameter and was not asked to generate one")
            .fix("Add `generate: true`, or store the password there as a SecureString first."));
    };
    let kind = metadata.r#type().map(|kind| kind.as_str()).unwrap_or_default();
    let mut answer = texts([("name", name), ("type", kind)]);
    answer.insert("arn".to_owned(), metadata.arn().map_or(serde_json::Value::Null, Into::into));
    answer.insert("version".to_owned(), metadata.version().into());
    Ok(answer)
}
