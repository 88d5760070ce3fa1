//! Tags, by the rules that all services share.
//! <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>

use super::wrong;
use crate::{
    codes,
    reader::{Checked, clip},
};

/// How many tags a user may set; AWS allows 50, lhctl adds its own.
pub(crate) const MOST: usize = 40;

fn writable(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
}

/// A tag's key.
pub(crate) fn key(text: &str) -> Checked<()> {
    let lower = text.to_lowercase();
    let refuse = |reason: &str, fix: &str| {
        wrong(codes::TAGS, format!("The tag `{}` cannot be set", clip(text)), reason, fix)
    };
    if lower.starts_with("aws:") || lower.starts_with("lhctl:") {
        return refuse(
            "Keys that start with `aws:` and `lhctl:` belong to AWS and to lhctl",
            "Choose another key.",
        );
    }
    if text == "Name" {
        return refuse(
            "lhctl names every resource by its stack, and finds some by that name",
            "Choose another key.",
        );
    }
    if !(1..=128).contains(&text.chars().count()) || !writable(text) {
        let reason = "A tag's key has 1 to 128 letters, digits, spaces and `_ . : / = + - @`";
        return refuse(reason, "Shorten the key, or replace the other characters.");
    }
    Ok(())
}

/// A tag's value.
pub(crate) fn value(text: &str) -> Checked<()> {
    if text.chars().count() <= 256 && writable(text) {
        return Ok(());
    }
    wrong(
        codes::TAGS,
        format!("The tag's value `{}` cannot be set", clip(text)),
        "A tag's value has at most 256 letters, digits, spaces and `_ . : / = + - @`",
        "Shorten the value, or replace the other characters.",
    )
}
