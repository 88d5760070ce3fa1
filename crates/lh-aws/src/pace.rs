//! Real time, where nobody passes another; and patience with what was made a moment ago.

use std::time::Duration;

use async_trait::async_trait;
use lh_kind::{CloudError, ErrorKind, Pace};

/// AWS needs some seconds until everybody knows a new bucket or table.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);
/// How often something that was made a moment ago is looked for.
pub(crate) const LOOKS: u32 = 60;

/// Real time, by tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealTime;

#[async_trait]
impl Pace for RealTime {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A change of something that may have been made a moment ago: until AWS knows it everywhere, it
/// is said not to exist, or to be busy.
pub(crate) async fn patiently<T>(
    pace: &dyn Pace,
    mut call: impl AsyncFnMut() -> Result<T, CloudError>,
) -> Result<T, CloudError> {
    let mut looks = 0;
    loop {
        match call().await {
            Err(error) if looks < LOOKS && is_young(&error) => {
                looks += 1;
                pace.pause(PAUSE).await;
            }
            other => return other,
        }
    }
}

fn is_young(error: &CloudError) -> bool {
    matches!(error.kind, ErrorKind::NotYet)
        || ["NoSuchBucket", "OperationAborted", "ResourceInUseException"].contains(&error.code.as_str())
}
