//! One `tracing` event for each attempt of each call: what, how long, which request id; never a body.
//!
//! The attempts of a change are also noted in its [`CallLog`], for the history of runs.

use std::time::Instant;

use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
        },
        orchestrator::Metadata,
        retries::RequestAttempts,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use lh_kind::CallLog;
use lh_model::CallMade;

use crate::gate::action;

/// The interceptor that tells of calls, at debug level under the target `lh_aws::calls`.
#[derive(Debug)]
pub(crate) struct Trace;

tokio::task_local! {
    /// Where the calls of the change that is being made are noted.
    static LOG: CallLog;
}

/// Makes a change and notes its calls in `log`.
pub(crate) async fn noting<T>(log: &CallLog, change: impl Future<Output = T>) -> T {
    LOG.scope(log.clone(), change).await
}

/// When the attempt began.
#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Trace {
    fn name(&self) -> &'static str {
        "lhctl trace"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Began(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation =
            cfg.load::<Metadata>().map(|call| action(call.service(), call.name())).unwrap_or_default();
        let attempt = cfg.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        let took = cfg.load::<Began>().map(|began| began.0.elapsed());
        let response = context.response();
        let status = response.map(|answer| answer.status().as_u16());
        let request_id = response.and_then(|answer| answer.headers().request_id());
        // Outside a change nobody keeps the calls.
        let _ = LOG.try_with(|log| {
            let request_id = request_id.map(str::to_owned);
            log.note(CallMade { operation: operation.clone(), request_id, status });
        });
        tracing::debug!(
            target: "lh_aws::calls",
            operation, attempt, ?took, ?status, ?request_id, "called AWS"
        );
        Ok(())
    }
}
