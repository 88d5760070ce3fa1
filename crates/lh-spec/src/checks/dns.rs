//! Domain names, hosted zones and e-mail addresses.

use super::wrong;
use crate::{
    codes,
    reader::{Checked, clip},
};

/// Whether `text` is a host or domain name: labels of letters, digits and inner hyphens.
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Whether `text` is a hosted zone's id, such as `Z0123456789ABCDEFGHIJ`.
pub(crate) fn is_zone_id(text: &str) -> bool {
    text.starts_with('Z')
        && text.len() >= 8
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// A hosted zone by name or id.
pub(crate) fn zone(text: &str) -> Checked<()> {
    if is_zone_id(text) { Ok(()) } else { domain(text) }
}

/// A full domain name; a dot at its end is allowed.
pub(crate) fn domain(text: &str) -> Checked<()> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.contains('.') && is_domain(name) {
        return Ok(());
    }
    wrong(
        codes::DOMAIN,
        format!("`{}` is not a domain name", clip(text)),
        "A full domain name has two or more labels of 1 to 63 letters, digits and hyphens, with dots between them",
        "Write it like `db.example.com`.",
    )
}

/// Whether the zone of this name holds the record.
pub(crate) fn holds(zone: &str, record: &str) -> bool {
    let tidy = |name: &str| name.strip_suffix('.').unwrap_or(name).to_lowercase();
    let (zone, record) = (tidy(zone), tidy(record));
    record == zone || record.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
}

/// An e-mail address, as far as SNS takes it.
pub(crate) fn email(text: &str) -> Checked<()> {
    let fits = text.rsplit_once('@').is_some_and(|(local, domain)| {
        let local_fits = (1..=64).contains(&local.len())
            && local.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        local_fits && domain.contains('.') && is_domain(domain) && !domain.contains('_')
    });
    if fits {
        return Ok(());
    }
    wrong(
        codes::EMAIL,
        format!("`{}` is not an e-mail address", clip(text)),
        "An address has a name, one `@` and a domain with a dot",
        "Write it like `ops@example.com`.",
    )
}
