//! The database's container image and the machine image.

use lh_model::Diagnostic;

use super::{names, wrong};
use crate::{
    codes,
    reader::{Checked, clip},
};

/// A container image whose tag names PostgreSQL's version. `Some` is a warning.
pub(crate) fn container(text: &str) -> Checked<Option<Diagnostic>> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    // A colon before the last slash belongs to a registry's port.
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    };
    if !is_repository(repository) || !tag.is_none_or(is_tag) || !digest.is_none_or(is_digest) {
        return wrong(
            codes::IMAGE_REFERENCE,
            format!("`{}` is not a container image", clip(text)),
            "An image is a repository in lower case, a colon and a tag, perhaps with `@sha256:…` after it",
            "Write it like `timescale/timescaledb:2.17.2-pg16`.",
        );
    }
    match tag {
        None => Ok(digest.is_none().then(|| floating(text, "It has no tag, which means `latest`"))),
        Some(tag) if tag == "latest" || tag.starts_with("latest-") => Ok(digest
            .is_none()
            .then(|| floating(text, "Its tag moves to another version when one is released"))),
        Some(tag) if has_pg_version(tag) => Ok(None),
        Some(tag) => wrong(
            codes::IMAGE_WITHOUT_PG,
            format!("The image's tag `{tag}` does not say which PostgreSQL is in it"),
            "Data of one major version of PostgreSQL cannot be opened by another, so the tag has to name it",
            "Use a tag that ends in `-pgNN`, such as `2.17.2-pg16`.",
        ),
    }
}

fn floating(text: &str, reason: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::FLOATING_IMAGE,
        format!("The image `{}` is not pinned to a version", clip(text)),
    )
    .because(format!("{reason}: a restart could upgrade the database unasked"))
    .fix("Name a version, such as `timescale/timescaledb:2.17.2-pg16`.")
}

fn has_pg_version(tag: &str) -> bool {
    tag.split('-')
        .any(|part| part.strip_prefix("pg").is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit())))
}

fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-:".contains(c))
    };
    text.len() <= 255 && text.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}

/// A machine image: its id, or the SSM parameter that holds one.
pub(crate) fn machine(text: &str) -> Checked<()> {
    let path = text.starts_with('/')
        && text.len() > 1
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
    if names::is_id(text, "ami-") || path {
        return Ok(());
    }
    wrong(
        codes::IMAGE_ID,
        format!("`{}` is not a machine image", clip(text)),
        "An image is named by its id (`ami-` and 8 or 17 hexadecimal digits) or by the path of an SSM parameter that holds the id",
        "Leave `image` out for the newest Ubuntu, or write it like `ami-0123456789abcdef0`.",
    )
}
