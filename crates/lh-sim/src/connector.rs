//! The connector: it answers the HTTP request of an attempt from the world, and decides which
//! requests never arrive and which answers get lost.

use crate::agents;
use crate::clock;
use crate::ec2::settle;
use crate::faults::{Faults, Fuse, OnFuse};
use crate::hosts::{Hosts, NoHosts};
use crate::intercept::Ticket;
use crate::log::{Call, Log};
use crate::outcome::{ApiError, Service, bare_response, empty_response, error_response};
use crate::scene::{Knobs, Scene};
use crate::store::{SimError, Store};
use crate::world::World;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An HTTP client without a network.
#[derive(Clone, Debug)]
pub(crate) struct SimHttpClient(pub Arc<Exchange>);

impl HttpClient for SimHttpClient {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SimHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let exchange = self.0.clone();
        let ticket = request.extension::<Ticket>().cloned();
        HttpConnectorFuture::new(async move {
            match ticket {
                Some(ticket) => exchange.answer(&ticket).await,
                None => Err(other(
                    "The client has the simulation's HTTP client but not its interceptor. Add \
                     `Sim::interceptor()` to the configuration of every service client.",
                )),
            }
        })
    }
}

/// The part of a handle that its clients share: the world, and what belongs to this process.
#[derive(Debug)]
pub(crate) struct Exchange {
    store: Mutex<Store>,
    process: Mutex<Process>,
    hosts: Mutex<Arc<dyn Hosts>>,
}

/// What is counted and injected in this process.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// The injected faults.
    pub faults: Faults,
    /// The log of calls.
    pub log: Log,
    /// How many mutating calls reached the world.
    pub mutations: u64,
    /// Whether the fuse has blown.
    pub blown: bool,
    attempts: u64,
}

/// So often is the turn given to others until none of them seems to be about to call.
const QUIET: u32 = 3;

/// How an attempt ends: an output or the service's error, or an answer nobody gets.
enum Ending {
    Answer { request_id: String, result: Result<Output, ApiError> },
    Lost { request_id: String, why: &'static str, error: ConnectorError },
}

impl Exchange {
    pub fn new(store: Store) -> Self {
        Exchange { store: Mutex::new(store), process: Mutex::default(), hosts: Mutex::new(Arc::new(NoHosts)) }
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs on the instances, as this process knows it.
    pub fn hosts(&self) -> Arc<dyn Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_hosts(&self, hosts: Arc<dyn Hosts>) {
        *self.hosts.lock().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    async fn answer(&self, ticket: &Ticket) -> Result<HttpResponse, ConnectorError> {
        let (round, latency) = {
            let mut process = self.process();
            (process.log.start(), process.faults.latency)
        };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        self.others_started().await;
        let mut process = self.process();
        let before = process.mutations;
        let ending = self.perform(&mut process, ticket);
        let mutation = (process.mutations > before).then_some(process.mutations);
        let (request_id, error, answer) = deliver(ticket, ending);
        process.log.complete(Call {
            seq: 0,
            service: match ticket.service {
                Some(service) => service.prefix().to_owned(),
                None => ticket.service_name.to_ascii_lowercase(),
            },
            operation: ticket.operation_name.clone(),
            mutating: ticket.operation.as_ref().is_some_and(|(op, _)| op.mutating),
            mutation,
            round,
            request_id,
            error,
        });
        answer
    }

    /// Calls that run side by side on one thread must all have started before the first of them
    /// completes, or they would be counted as a chain.
    async fn others_started(&self) {
        let (mut started, mut quiet) = (self.process().log.started(), 0);
        while quiet < QUIET {
            tokio::task::yield_now().await;
            let now = self.process().log.started();
            quiet = if now == started { quiet + 1 } else { 0 };
            started = now;
        }
    }

    fn perform(&self, process: &mut Process, ticket: &Ticket) -> Ending {
        if process.blown {
            return gone();
        }
        process.attempts += 1;
        let refused = refusal(process, ticket);
        let mutating = ticket.operation.as_ref().is_some_and(|(op, _)| op.mutating);
        let mut number = None;
        if refused.is_none() && mutating {
            process.mutations += 1;
            number = Some(process.mutations);
        }
        if fuse_at(process, number, |fuse, n| fuse == Fuse::Before(n)) {
            return blow(process);
        }
        if number.is_some_and(|n| process.faults.drop_request_of.contains(&n)) {
            let error = ConnectorError::io("the simulated connection broke before the request".into());
            return Ending::Lost { request_id: String::new(), why: "request dropped", error };
        }
        let knobs = Knobs { lag: process.faults.lag, page: process.faults.page };
        let visited = refused.is_none() && ticket.operation.as_ref().is_some_and(|(op, _)| op.with_agents);
        let visit = || if visited { agents::visit(self, &ticket.region) } else { Ok(()) };
        let called =
            visit().and_then(|()| self.store().transact(|world| call(world, ticket, refused, knobs)));
        let (request_id, result) = match called {
            Ok(done) => done,
            Err(error) => return unusable(error),
        };
        if fuse_at(process, number, |fuse, n| fuse == Fuse::After(n)) {
            return blow(process);
        }
        if let Err(error) = visit() {
            return unusable(error);
        }
        if number.is_some_and(|n| process.faults.lose_answer_of.contains(&n)) {
            let error = ConnectorError::io("the simulated connection broke before the answer".into());
            return Ending::Lost { request_id, why: "answer lost", error };
        }
        Ending::Answer { request_id, result }
    }
}

/// Why the call does not reach its operation.
fn refusal(process: &Process, ticket: &Ticket) -> Option<ApiError> {
    let unknown = || {
        ApiError::new(
            "UnsupportedOperation",
            format!("{}:{} is not simulated", ticket.service_name, ticket.operation_name),
        )
    };
    let Some(service) = ticket.service else { return Some(unknown()) };
    let every = |n: Option<u32>| n.is_some_and(|n| process.attempts.checked_rem(u64::from(n)) == Some(0));
    if process.faults.endless_throttle || every(process.faults.throttle_every) {
        return Some(service.throttled());
    }
    if every(process.faults.server_error_every) || process.faults.fail.contains(&ticket.operation_name) {
        return Some(service.failed());
    }
    if ticket.operation.is_none() {
        return Some(unknown());
    }
    process.faults.deny.contains(&ticket.operation_name).then(|| service.denied(&ticket.operation_name))
}

/// Runs the operation; one that changes something on a copy, so that an error leaves nothing half
/// done. The answer says, too, whether there is anything to save: the time that a read took is not
/// worth it alone; what moved meanwhile is, and that an object is one read less young.
fn call(
    world: &mut World,
    ticket: &Ticket,
    refused: Option<ApiError>,
    knobs: Knobs,
) -> ((String, Result<Output, ApiError>), bool) {
    let was_moving = world.regions.values().any(settle::is_moving);
    clock::elapse(world, clock::CALL_TAKES);
    let request_id = world.random.request_id();
    let Some((operation, input)) = ticket.operation.as_ref().filter(|_| refused.is_none()) else {
        let error = refused.unwrap_or_else(|| ApiError::new("UnsupportedOperation", "not simulated"));
        return ((request_id, Err(error)), was_moving);
    };
    let is_new = !world.regions.contains_key(&ticket.region);
    world.region_mut(&ticket.region);
    let is_worth_saving = was_moving || is_new || operation.mutating || !world.young.is_empty();
    let result = if operation.mutating {
        let mut copy = world.clone();
        let result = operation.run(&mut Scene::new(&mut copy, &ticket.region, knobs), input);
        if result.is_ok() {
            *world = copy;
        } else {
            // A read that failed because of lag was a read all the same.
            world.young = copy.young;
        }
        result
    } else {
        operation.run(&mut Scene::new(world, &ticket.region, knobs), input)
    };
    ((request_id, result), is_worth_saving)
}

fn fuse_at(process: &Process, number: Option<u64>, hit: impl Fn(Fuse, u64) -> bool) -> bool {
    process.faults.fuse.zip(number).is_some_and(|(fuse, n)| hit(fuse, n))
}

fn blow(process: &mut Process) -> Ending {
    if process.faults.on_fuse == OnFuse::Abort {
        std::process::abort();
    }
    process.blown = true;
    gone()
}

fn unusable(error: SimError) -> Ending {
    let error = ConnectorError::other(Box::new(error), None);
    Ending::Lost { request_id: String::new(), why: "world unusable", error }
}

fn gone() -> Ending {
    Ending::Lost {
        request_id: String::new(),
        why: "fuse blown",
        error: other("The fuse of the simulation has blown; nothing answers any more."),
    }
}

/// A connector error that the SDK does not retry.
fn other(why: &'static str) -> ConnectorError {
    ConnectorError::other(why.into(), None)
}

/// What the log and the SDK get to see.
fn deliver(
    ticket: &Ticket,
    ending: Ending,
) -> (String, Option<String>, Result<HttpResponse, ConnectorError>) {
    match ending {
        Ending::Answer { request_id, result: Ok(output) } => {
            ticket.leave(Some(output));
            let answer = empty_response(&request_id);
            (request_id, None, answer)
        }
        Ending::Answer { request_id, result: Err(error) } => {
            let head = ticket.service == Some(Service::S3) && ticket.operation_name.starts_with("Head");
            let answer = match head {
                true => bare_response(error.status, &request_id),
                false => error_response(ticket.service, &error, &request_id),
            };
            (request_id, Some(error.code), answer)
        }
        Ending::Lost { request_id, why, error } => (request_id, Some(why.to_owned()), Err(error)),
    }
}
