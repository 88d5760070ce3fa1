//! What of an apply is on its way: calls, looks, writes of the journal, and a pause. Holds futures,
//! and decides nothing.

use std::collections::BTreeMap;

use futures_util::{future::BoxFuture, stream::FuturesUnordered};
use lh_kind::Seen;
use lh_plan::{Step, StepId};
use lh_state::{Entry, StoreError};

use crate::call::{Answer, WaveLook};

/// What a look showed of each step that it was for.
pub(crate) type Glance = BTreeMap<StepId, Seen>;

/// Journal entries that are being written, and the steps whose calls are made when they are durable.
pub(crate) struct Batch<'a> {
    pub entries: Vec<Entry>,
    pub steps: Vec<&'a Step>,
    pub look: Option<WaveLook<'a>>,
}

/// What is on its way.
#[derive(Default)]
pub(crate) struct Flight<'a> {
    pub calls: FuturesUnordered<BoxFuture<'a, Answer>>,
    /// Looks at what is waited for.
    pub looks: FuturesUnordered<BoxFuture<'a, Glance>>,
    /// Looks at what is about to be changed, asked while its intent is written.
    pub glimpses: FuturesUnordered<BoxFuture<'a, ()>>,
    pub writes: FuturesUnordered<BoxFuture<'a, Result<Batch<'a>, StoreError>>>,
    pub pause: Option<BoxFuture<'a, ()>>,
}

/// The end of what there may be; never, where there is nothing.
pub(crate) async fn end_of<T>(one: &mut Option<BoxFuture<'_, T>>) -> T {
    match one {
        Some(future) => {
            let result = future.await;
            *one = None;
            result
        }
        None => std::future::pending().await,
    }
}
