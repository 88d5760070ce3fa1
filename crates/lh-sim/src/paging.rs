//! Pages of list operations: a limit, a token, and the next token.
//!
//! The token is an offset into the sorted result. AWS promises nothing about the inside of a
//! token, and neither does this.

use crate::outcome::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How large the pages of an operation may be.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The smallest page a client may ask for.
    pub least: i32,
    /// The largest page a client may ask for.
    pub most: i32,
    /// The page of a client that asks for none.
    pub usual: usize,
}

/// EC2: "This value can be between 5 and 1000."
pub(crate) const EC2: Limits = Limits { least: 5, most: 1000, usual: 1000 };

/// Cuts one page out of `items`. `cap` is the injected limit on page sizes.
pub(crate) fn page<T>(
    items: Vec<T>,
    max: Option<i32>,
    token: Option<&str>,
    limits: Limits,
    cap: Option<u32>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = match max {
        None => limits.usual,
        Some(asked) if asked < limits.least => {
            return Err(ApiError::invalid(format!(
                "Value ( {asked} ) for parameter maxResults is invalid. Expecting a value greater than or equal to {}.",
                limits.least
            )));
        }
        Some(asked) => asked.min(limits.most).unsigned_abs() as usize,
    };
    // AWS may give fewer items than were asked for, and says so in each of its list operations.
    let size = cap.map_or(size, |cap| size.min(cap as usize)).max(1);
    let start = token.map(offset).transpose()?.unwrap_or(0);
    let total = items.len();
    let next = (start + size < total).then(|| token_for(start + size));
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}

fn token_for(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("page:{offset}"))
}

fn offset(token: &str) -> Result<usize, ApiError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix("page:").and_then(|n| n.parse().ok()))
        .ok_or_else(|| ApiError::new("InvalidNextToken", "The token is not one of ours."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        let mut seen = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let all: Vec<u32> = (0..12).collect();
            let (some, next) = page(all, Some(5), token.as_deref(), EC2, None).unwrap();
            assert!(some.len() <= 5);
            seen.extend(some);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_too_small_or_a_foreign_token_is_refused() {
        assert!(page(vec![1], Some(1), None, EC2, None).is_err());
        assert!(page(vec![1], None, Some("made up"), EC2, None).is_err());
    }
}
