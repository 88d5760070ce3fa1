//! The `Filters` parameter of EC2's describe operations.
//!
//! Values of one filter are alternatives, filters are all to hold, `*` and `?` are wildcards:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>. SSM's filters are
//! of another kind and live with SSM.

use crate::outcome::ApiError;
use crate::world::Tags;
use aws_sdk_ec2::types::Filter;

/// The tags of objects that cannot have any.
pub(crate) static NO_TAGS: Tags = Tags::new();

/// Refuses a filter that the operation does not know, as EC2 does, whether or not anything exists.
pub(crate) fn check(filters: Option<&[Filter]>, known: &[&str]) -> Result<(), ApiError> {
    for filter in filters.unwrap_or_default() {
        let name = filter.name.as_deref().unwrap_or_default();
        let tag = name == "tag-key" || name.strip_prefix("tag:").is_some_and(|k| !k.is_empty());
        if !tag && !known.contains(&name) {
            return Err(ApiError::invalid(format!("The filter '{name}' is invalid")));
        }
        if filter.values.as_deref().unwrap_or_default().is_empty() {
            return Err(ApiError::invalid(format!("The filter '{name}' has no values")));
        }
    }
    Ok(())
}

/// Whether an object passes all filters; `look` gives the object's values for a filter's name.
pub(crate) fn pass(filters: Option<&[Filter]>, tags: &Tags, look: impl Fn(&str) -> Vec<String>) -> bool {
    filters.unwrap_or_default().iter().all(|filter| {
        let name = filter.name.as_deref().unwrap_or_default();
        let have = if name == "tag-key" {
            tags.keys().cloned().collect()
        } else if let Some(key) = name.strip_prefix("tag:") {
            tags.get(key).cloned().into_iter().collect()
        } else {
            look(name)
        };
        let wanted = filter.values.as_deref().unwrap_or_default();
        have.iter().any(|value| wanted.iter().any(|pattern| like(pattern, value)))
    })
}

/// One value, for the closures given to [`pass`].
pub(crate) fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

/// No value or one.
pub(crate) fn maybe(value: Option<&String>) -> Vec<String> {
    value.cloned().into_iter().collect()
}

/// Whether `text` matches a pattern with `*` and `?`; a backslash takes the next character as is.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    glob(&pattern, &text)
}

fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skip| glob(rest, text.get(skip..).unwrap_or(&[]))),
        ['\\', wanted, rest @ ..] => {
            text.split_first().is_some_and(|(c, tail)| c == wanted && glob(rest, tail))
        }
        [wanted, rest @ ..] => {
            text.split_first().is_some_and(|(c, tail)| (*wanted == '?' || c == wanted) && glob(rest, tail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_their_escape() {
        assert!(like("light*-?", "lighthouse-7"));
        assert!(!like("light*-?", "lighthouse-77"));
        assert!(like("a\\*b", "a*b"));
        assert!(!like("a\\*b", "axb"));
    }
}
