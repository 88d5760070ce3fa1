//! Operations as values: a name, whether it can change the world, and how to run it on an input
//! whose type was erased.

use crate::outcome::{ApiError, Service};
use crate::scene::Scene;
use crate::{
    backup, cloudwatch, dynamodb, ec2, iam, kms, logs, route53, s3, secrets, sns, ssm, sts, tagging,
};
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

/// A typed input whose type only its operation knows.
pub(crate) type Captured = Arc<dyn Any + Send + Sync>;

type Run = dyn Fn(&mut Scene<'_>, &Captured) -> Result<Output, ApiError> + Send + Sync;

type Capture = dyn Fn(&Input) -> Option<Captured> + Send + Sync;

/// One simulated operation.
pub(crate) struct Operation {
    /// AWS's name.
    pub name: &'static str,
    /// Whether it can change the world.
    pub mutating: bool,
    /// Whether agents are visited before and after it.
    pub with_agents: bool,
    capture: Box<Capture>,
    run: Box<Run>,
}

impl Operation {
    /// The same, with the agents of the region visited before and after it.
    pub fn with_agents(self) -> Self {
        Operation { with_agents: true, ..self }
    }

    /// A copy of the input, or none if it is not this operation's.
    pub fn capture(&self, input: &Input) -> Option<Captured> {
        (self.capture)(input)
    }

    /// Runs it.
    pub fn run(&self, scene: &mut Scene<'_>, input: &Captured) -> Result<Output, ApiError> {
        (self.run)(scene, input)
    }
}

/// An operation that only reads.
pub(crate) fn reads<I, O, F>(name: &'static str, handler: F) -> Operation
where
    I: Clone + Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    F: Fn(&mut Scene<'_>, &I) -> Result<O, ApiError> + Send + Sync + 'static,
{
    operation(name, false, handler)
}

/// An operation that can change the world.
pub(crate) fn writes<I, O, F>(name: &'static str, handler: F) -> Operation
where
    I: Clone + Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    F: Fn(&mut Scene<'_>, &I) -> Result<O, ApiError> + Send + Sync + 'static,
{
    operation(name, true, handler)
}

fn operation<I, O, F>(name: &'static str, mutating: bool, handler: F) -> Operation
where
    I: Clone + Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    F: Fn(&mut Scene<'_>, &I) -> Result<O, ApiError> + Send + Sync + 'static,
{
    captured(name, mutating, I::clone, handler)
}

/// An operation whose input cannot be cloned, because it holds a stream: `capture` takes out of
/// it what the operation needs.
pub(crate) fn captured<I, C, O, F>(
    name: &'static str,
    mutating: bool,
    capture: fn(&I) -> C,
    handler: F,
) -> Operation
where
    I: Debug + Send + Sync + 'static,
    C: Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    F: Fn(&mut Scene<'_>, &C) -> Result<O, ApiError> + Send + Sync + 'static,
{
    Operation {
        name,
        mutating,
        with_agents: false,
        capture: Box::new(move |input| {
            let input: &I = input.downcast_ref()?;
            Some(Arc::new(capture(input)))
        }),
        run: Box::new(move |scene, input| {
            let input: &C = input.downcast_ref().ok_or_else(|| {
                ApiError::with_status(501, "SimulationDefect", format!("wrong input for {name}"))
            })?;
            handler(scene, input).map(Output::erase)
        }),
    }
}

static OPERATIONS: LazyLock<BTreeMap<(Service, &'static str), Operation>> = LazyLock::new(|| {
    [
        (Service::Backup, backup::operations()),
        (Service::CloudWatch, cloudwatch::operations()),
        (Service::DynamoDb, dynamodb::operations()),
        (Service::Ec2, ec2::operations()),
        (Service::Iam, iam::operations()),
        (Service::Kms, kms::operations()),
        (Service::Logs, logs::operations()),
        (Service::Route53, route53::operations()),
        (Service::S3, s3::operations()),
        (Service::Secrets, secrets::operations()),
        (Service::Sns, sns::operations()),
        (Service::Ssm, ssm::operations()),
        (Service::Sts, sts::operations()),
        (Service::Tagging, tagging::operations()),
    ]
    .into_iter()
    .flat_map(|(service, list)| list.into_iter().map(move |op| ((service, op.name), op)))
    .collect()
});

/// The operation of this service and name, if it is simulated.
pub(crate) fn find(service: Service, name: &str) -> Option<&'static Operation> {
    OPERATIONS
        .range((service, "")..)
        .take_while(|((of, _), _)| *of == service)
        .find(|((_, called), _)| *called == name)
        .map(|(_, op)| op)
}
