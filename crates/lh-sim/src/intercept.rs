//! The interceptor: it takes the typed input before it is serialized and puts the typed output in
//! the place of deserialization.
//!
//! Between the two it attaches a [`Ticket`] to the HTTP request of each attempt; the connector
//! answers by it. Errors are not its business: they come back as HTTP answers, so that the SDK's
//! own parsing and retries run.

use crate::operation::{self, Captured, Operation};
use crate::outcome::Service;
use aws_config::Region;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, Error, Output,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Gives each request of a client to the simulation. Add it to the configuration of every service
/// client by `.interceptor()`.
#[derive(Clone, Debug, Default)]
pub struct SimInterceptor;

/// What the connector has to know of an attempt, and where it leaves the typed output.
#[derive(Clone)]
pub(crate) struct Ticket {
    /// The service, if it is a simulated one.
    pub service: Option<Service>,
    /// The SDK's name of the service.
    pub service_name: String,
    /// The operation's name.
    pub operation_name: String,
    /// The operation and its input, if it is simulated.
    pub operation: Option<(&'static Operation, Captured)>,
    /// The region the client is configured for.
    pub region: String,
    output: Arc<Mutex<Option<Output>>>,
}

impl Ticket {
    /// Leaves the output of a success, or nothing.
    pub fn leave(&self, output: Option<Output>) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = output;
    }

    fn take(&self) -> Option<Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The input may hold a secret value, so only the name is shown.
        f.debug_tuple("Ticket").field(&self.operation_name).finish()
    }
}

impl Storable for Ticket {
    type Storer = StoreReplace<Self>;
}

impl Intercept for SimInterceptor {
    fn name(&self) -> &'static str {
        "SimInterceptor"
    }

    // Client tokens are filled in by hooks that run before this one.
    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service_name, operation_name) = cfg
            .load::<Metadata>()
            .map(|metadata| (metadata.service().to_owned(), metadata.name().to_owned()))
            .unwrap_or_default();
        let service = Service::from_sdk(&service_name);
        let operation = service
            .and_then(|service| operation::find(service, &operation_name))
            .and_then(|operation| Some((operation, operation.capture(context.input())?)));
        let region = cfg.load::<Region>().map_or("us-east-1", |region| region.as_ref()).to_owned();
        cfg.interceptor_state().store_put(Ticket {
            service,
            service_name,
            operation_name,
            operation,
            region,
            output: Arc::default(),
        });
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(ticket) = cfg.load::<Ticket>() {
            ticket.leave(None);
            context.request_mut().add_extension(ticket.clone());
        }
        Ok(())
    }

    // The deserializer is looked up after this hook. Only a success has an output and replaces
    // it, and after a success there is no further attempt, so the SDK's own deserializer is in
    // place for every error.
    fn modify_before_deserialization(
        &self,
        _context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(output) = cfg.load::<Ticket>().and_then(Ticket::take) {
            let ready = Ready(Mutex::new(Some(output)));
            cfg.interceptor_state().store_put(SharedResponseDeserializer::new(ready));
        }
        Ok(())
    }
}

/// A deserializer that reads nothing: the output is there already.
#[derive(Debug)]
struct Ready(Mutex<Option<Output>>);

impl DeserializeResponse for Ready {
    fn deserialize_nonstreaming_with_config(
        &self,
        _response: &HttpResponse,
        _cfg: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or_else(|| OrchestratorError::other("the simulated answer was read twice"))
    }
}
