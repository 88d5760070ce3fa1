//! Logs on standard error, for those who ask for them with `LHCTL_LOG`.

use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer,
    filter::{Targets, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::failure::Failure;

/// Starts logging as `LHCTL_LOG` says; silent without it.
pub(crate) fn start() -> Result<(), Failure> {
    let Ok(wanted) = std::env::var("LHCTL_LOG") else { return Ok(()) };
    let filter = wanted.parse::<Targets>().map_err(|error| {
        Failure::plain(format!("LHCTL_LOG is `{wanted}`, which cannot be understood: {error}."))
            .fix("Use a level such as `debug`, or targets such as `lh_aws=trace`.")
    })?;
    let layer =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter_fn(tells_no_bodies));
    tracing_subscriber::registry().with(filter).with(layer).init();
    Ok(())
}

/// The SDK and its HTTP client log request bodies at TRACE and headers at DEBUG: a body may
/// hold a secret, so whatever is asked for, only this project's own crates log below INFO.
fn tells_no_bodies(metadata: &Metadata<'_>) -> bool {
    let ours = ["lh_", "lh::", "lhctl"].iter().any(|prefix| metadata.target().starts_with(prefix));
    ours || metadata.target() == "lh" || *metadata.level() <= Level::INFO
}
