//! A generated password: made from the operating system's randomness, safe in a URL.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lh_kind::{CloudError, ErrorKind};
use lh_model::Plaintext;
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

/// 256 bits, 43 characters of `A-Z a-z 0-9 _ -`.
const BYTES: usize = 32;

/// A new password. Its first character is a letter or digit, so that no tool takes it for an option.
///
/// # Errors
/// When the operating system gives no randomness; `operation` is what the password was for.
pub(crate) fn generate(operation: &str) -> Result<Plaintext, CloudError> {
    let none = |error| {
        CloudError::new(ErrorKind::Other, operation, format!("no random numbers were to be had: {error}"))
    };
    let mut bytes = Zeroizing::new([0_u8; BYTES]);
    loop {
        SysRng.try_fill_bytes(bytes.as_mut()).map_err(none)?;
        let mut text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
        if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Ok(Plaintext::new(std::mem::take(&mut *text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_defect_05_a_password_is_long_safe_in_a_url_and_new_each_time() {
        let (one, other) = (generate("test").unwrap(), generate("test").unwrap());
        for password in [&one, &other] {
            let text = password.expose();
            assert_eq!(text.len(), 43);
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
            assert!(text.starts_with(|c: char| c.is_ascii_alphanumeric()));
        }
        assert!(one.expose() != other.expose());
    }
}
