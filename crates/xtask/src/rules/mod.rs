//! The rules, a file each. Each is a function from what was read to what is broken.

pub(crate) mod codes;
pub(crate) mod floors;
pub(crate) mod headers;
pub(crate) mod libraries;
pub(crate) mod purity;
pub(crate) mod sdk;
pub(crate) mod size;

/// The crates that do no I/O and know no clock, no randomness, no AWS SDK and no tokio.
pub(crate) const PURE: [&str; 6] = ["lh-model", "lh-kind", "lh-state", "lh-host", "lh-spec", "lh-plan"];
