//! Real time, where nobody passes another.

use std::time::Duration;

use async_trait::async_trait;
use lh_kind::Pace;

/// Real time, by tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealTime;

#[async_trait]
impl Pace for RealTime {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
