//! Client tokens: the same token with the same parameters is the same request.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>

use crate::outcome::ApiError;
use crate::world::{Region, Token};
use sha2::{Digest, Sha256};

/// A digest of parameters. It is of their text, so secrets in them are not kept.
pub(crate) fn fingerprint(parameters: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parameters {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an earlier request under this token made, if there was one.
pub(crate) fn earlier<'r>(
    region: &'r Region,
    operation: &str,
    token: Option<&str>,
    fingerprint: &str,
) -> Result<Option<&'r Token>, ApiError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    if token.len() > 64 || !token.is_ascii() {
        return Err(ApiError::invalid("The client token must have at most 64 ASCII characters"));
    }
    match region.tokens.get(&format!("{operation}/{token}")) {
        None => Ok(None),
        Some(found) if found.fingerprint == fingerprint => Ok(Some(found)),
        Some(_) => Err(ApiError::new(
            "IdempotentParameterMismatch",
            "The client token has been used with other parameters.",
        )),
    }
}

/// Notes what a request under this token made.
pub(crate) fn remember(region: &mut Region, operation: &str, token: Option<&str>, made: Token) {
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        region.tokens.insert(format!("{operation}/{token}"), made);
    }
}
