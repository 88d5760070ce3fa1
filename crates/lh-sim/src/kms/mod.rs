//! Key Management Service: looking at keys. Nothing is encrypted here; who names a key only has
//! to name one that exists.

use crate::operation::{Operation, reads};
use crate::outcome::ApiError;
use crate::scene::Scene;
use aws_sdk_kms::operation::describe_key::{DescribeKeyInput, DescribeKeyOutput};
use aws_sdk_kms::types::{KeyMetadata, KeySpec, KeyState, KeyUsageType};

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![reads("DescribeKey", describe)]
}

/// DescribeKey, by id, alias, or the ARN of either:
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>.
fn describe(s: &mut Scene<'_>, i: &DescribeKeyInput) -> Result<DescribeKeyOutput, ApiError> {
    let asked = i.key_id.as_deref().unwrap_or_default();
    if asked.is_empty() {
        return Err(ApiError::new("ValidationException", "KeyId must not be null"));
    }
    // A key of another region does not exist in this one.
    let here = s.arn("kms", "");
    let found = s.here.kms.find(asked).filter(|_| !asked.starts_with("arn:") || asked.starts_with(&here));
    let Some(key) = found else {
        let what = if asked.contains("alias/") { "Alias" } else { "Key" };
        let arn = if asked.starts_with("arn:") { asked.to_owned() } else { format!("{here}{asked}") };
        return Err(ApiError::new("NotFoundException", format!("{what} {arn} is not found.")));
    };
    let shown = KeyMetadata::builder()
        .key_id(&key.id)
        .arn(&key.arn)
        .enabled(key.state == "Enabled")
        .key_state(KeyState::from(key.state.as_str()))
        .key_usage(KeyUsageType::from(key.usage.as_str()))
        .key_spec(KeySpec::from(key.spec.as_str()))
        .build()?;
    Ok(DescribeKeyOutput::builder().key_metadata(shown).build())
}
