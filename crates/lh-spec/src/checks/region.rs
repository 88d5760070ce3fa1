//! AWS regions: their shape, and the known ones.

use lh_model::Diagnostic;

use super::wrong;
use crate::{
    codes,
    reader::{Checked, clip},
    spelling::nearest,
};

/// Regions of all partitions, as of the end of 2025.
pub(crate) const KNOWN: &[&str] = &[
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-1",
    "ap-south-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-south-1",
    "eu-south-2",
    "eu-north-1",
    "il-central-1",
    "me-south-1",
    "me-central-1",
    "mx-central-1",
    "sa-east-1",
    "us-gov-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eusc-de-east-1",
];

/// A region's shape: `us-east-1`.
pub(crate) fn shape(text: &str) -> Checked<()> {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let fits = match parts.split_last() {
        Some((number, words)) => {
            (2..=3).contains(&words.len())
                && words.iter().all(word)
                && (1..=2).contains(&number.len())
                && number.chars().all(|c| c.is_ascii_digit())
        }
        None => false,
    };
    if fits {
        return Ok(());
    }
    // `us-east-1a` is a zone, the most common mistake.
    let region = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let meant = if KNOWN.contains(&region) { Some(region) } else { nearest(text, KNOWN.iter().copied()) };
    let fix = format!("Write it like `{}`.", meant.unwrap_or("us-east-1"));
    let reason =
        "A region's name is words and a number with hyphens between; a letter at the end makes it a zone";
    wrong(codes::REGION_SHAPE, format!("`{}` is not a region", clip(text)), reason, fix)
}

/// A warning about a region that is not in the list.
pub(crate) fn unknown(text: &str) -> Option<Diagnostic> {
    if KNOWN.contains(&text) {
        return None;
    }
    let fix = match nearest(text, KNOWN.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`? If the region is new, nothing is to be done."),
        None => "Check the name; if the region is new, nothing is to be done.".to_owned(),
    };
    let message = format!("The region `{text}` is not known");
    Some(
        Diagnostic::warning(codes::REGION_UNKNOWN, message)
            .because("It is not in this version's list of regions")
            .fix(fix),
    )
}
