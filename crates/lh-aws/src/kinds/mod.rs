//! The kinds, one file each, and the little that all of them need.
//!
//! To add a kind: write its file, and one line in `registry.rs`.

pub mod backup;
pub mod cloudwatch;
pub mod ec2;
pub mod iam;
pub(crate) mod labels;
pub mod logs;
pub(crate) mod password;
pub mod route53;
pub mod s3;
pub mod secrets;
pub mod sns;
pub mod ssm;
pub(crate) mod tagged;

use std::collections::BTreeMap;

use lh_kind::{CloudError, Field, FieldDiff, Mutability, Refusal, Seen};
use lh_model::{Late, value::is_late};

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The value of a property that must be known when the call is made.
pub(crate) fn known<'a, T>(late: &'a Late<T>, operation: &str, field: &str) -> Result<&'a T, CloudError> {
    late.known().ok_or_else(|| CloudError::unresolved(operation, field))
}

/// The text of a late property, empty while unknown; for comparing, never for sending.
pub(crate) fn text(late: &Late<String>) -> &str {
    late.known().map_or("", String::as_str)
}

/// Refuses a change of a property that the field table calls fixed.
pub(crate) fn refuse_fixed(fields: &[Field], diffs: &[FieldDiff]) -> Result<(), Refusal> {
    for diff in diffs.iter().filter(|diff| !is_late(&diff.new)) {
        let field = fields.iter().find(|field| field.name == diff.field);
        if let Some(Field { change: Mutability::Fixed(way), doc, .. }) = field {
            let why = format!("{doc}: it is {} and cannot be changed to {} afterwards", diff.old, diff.new);
            return Err(Refusal { field: diff.field.clone(), why, fix: (*way).to_owned() });
        }
    }
    Ok(())
}

/// The answer to each of `count` targets when their common call failed.
pub(crate) fn unreadable<F>(error: &CloudError, count: usize) -> Vec<Seen<F>> {
    (0..count).map(|_| Seen::Unreadable(error.clone())).collect()
}
