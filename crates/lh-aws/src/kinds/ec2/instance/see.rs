//! Seeing instances: described together with the spot requests that may outlive or relaunch them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    Instance as Described, InstanceAttributeName, SpotInstanceRequest, SpotInstanceState,
};
use futures_util::future::{join, join_all, join3};
use lh_kind::{CloudError, ErrorKind, Found, Owner, Seen, Target};
use lh_model::CloudId;

use super::{
    Facts, Props,
    facts::{facts, facts_of_request, is_marked_protected, is_terminated},
};
use crate::{
    clients::Clients,
    error::Named,
    kinds::{
        ec2::{
            query::{self, Object, Question},
            tags,
        },
        labels::Labels,
        unreadable,
    },
};

impl Object for SpotInstanceRequest {
    fn id(&self) -> &str {
        self.spot_instance_request_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }

    fn is_leaving(&self) -> bool {
        !is_live(self)
    }

    fn since(&self) -> i64 {
        self.create_time().map_or(0, aws_smithy_types::DateTime::secs)
    }
}

/// A live request can launch or start an instance by itself.
fn is_live(request: &SpotInstanceRequest) -> bool {
    use SpotInstanceState::{Active, Disabled, Open};
    matches!(request.state(), Some(Active | Disabled | Open))
}

/// `DescribeInstances`.
pub(super) async fn read(clients: &Clients, question: Question) -> Result<Vec<Described>, CloudError> {
    let request = clients.ec2.describe_instances().set_filters(Some(question));
    let pages = request.into_paginator().items().send();
    let reservations: Vec<_> = pages.try_collect().await.named("ec2:DescribeInstances")?;
    Ok(reservations.into_iter().flat_map(|one| one.instances.unwrap_or_default()).collect())
}

async fn read_requests(
    clients: &Clients,
    question: Question,
) -> Result<Vec<SpotInstanceRequest>, CloudError> {
    let request = clients.ec2.describe_spot_instance_requests().set_filters(Some(question));
    let pages = request.into_paginator().items().send();
    pages.try_collect().await.named("ec2:DescribeSpotInstanceRequests")
}

/// Whether EC2 refuses to terminate the instance; `None` for one that is gone.
async fn read_protection(clients: &Clients, id: &str) -> Result<Option<bool>, CloudError> {
    let request = clients
        .ec2
        .describe_instance_attribute()
        .instance_id(id)
        .attribute(InstanceAttributeName::DisableApiTermination);
    match request.send().await.named("ec2:DescribeInstanceAttribute") {
        Ok(answer) => Ok(answer.disable_api_termination.and_then(|it| it.value)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

type Protections = BTreeMap<String, Result<Option<bool>, CloudError>>;

async fn read_protections(clients: &Clients, ids: BTreeSet<String>) -> Protections {
    let ask = |id: String| async move {
        let answer = read_protection(clients, &id).await;
        (id, answer)
    };
    join_all(ids.into_iter().map(ask)).await.into_iter().collect()
}

/// Everything read so far.
struct Sight {
    instances: Vec<Described>,
    requests: Vec<SpotInstanceRequest>,
    protections: Protections,
}

/// One round for what is as recorded; a second one only for what is not.
pub(super) async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
    let mut sight = match first_look(clients, targets).await {
        Ok(sight) => sight,
        Err(error) => return unreadable(&error, targets.len()),
    };
    if let Err(error) = second_look(clients, targets, &mut sight).await {
        return unreadable(&error, targets.len());
    }
    targets.iter().map(|target| sight.of(target)).collect()
}

async fn first_look(clients: &Clients, targets: &[Target<Props>]) -> Result<Sight, CloudError> {
    let instances = query::gather(query::by_id_or_stack("instance-id", targets), |q| read(clients, q));
    // By tag, not by instance: a persistent request may have launched another instance since.
    let spot = query::by_stack(targets.iter().filter(|target| target.props.spot.is_some()));
    let requests = query::gather(spot, |q| read_requests(clients, q));
    let protected = targets.iter().filter(|target| target.props.disable_api_termination);
    let ids = protected.filter_map(|target| target.id.as_ref()).map(|id| id.0.clone()).collect();
    let (instances, requests, protections) = join3(instances, requests, read_protections(clients, ids)).await;
    Ok(Sight { instances: instances?, requests: requests?, protections })
}

async fn second_look(
    clients: &Clients,
    targets: &[Target<Props>],
    sight: &mut Sight,
) -> Result<(), CloudError> {
    let known = |id: &str| sight.requests.iter().any(|request| request.id() == id);
    let behind = sight.instances.iter().filter_map(|one| one.spot_instance_request_id());
    let unknown = behind.filter(|id| !id.is_empty() && !known(id)).map(str::to_owned);
    let mut questions = query::by("spot-instance-request-id", unknown);
    // A recorded instance that is gone may have been a spot instance before the spec changed.
    let gone = targets.iter().filter(|target| {
        let instance = query::find(&sight.instances, target);
        target.id.is_some() && target.props.spot.is_none() && instance.is_none_or(is_terminated)
    });
    questions.extend(query::by_stack(gone));
    sight.requests.extend(query::gather(questions, |q| read_requests(clients, q)).await?);

    let launched = targets.iter().filter_map(|target| sight.request_of(target)?.instance_id());
    let have = |id: &str| sight.instances.iter().any(|instance| instance.id() == id);
    let relaunched: Vec<_> = launched.filter(|id| !id.is_empty() && !have(id)).map(str::to_owned).collect();
    let ids = targets.iter().filter_map(|target| {
        let instance = query::find(&sight.instances, target)?;
        let worth = target.props.disable_api_termination || is_marked_protected(instance);
        let unread = !sight.protections.contains_key(instance.id()) && !is_terminated(instance);
        (worth && unread).then(|| instance.id().to_owned())
    });
    let (instances, protections) = join(
        query::gather(query::by("instance-id", relaunched), |q| read(clients, q)),
        read_protections(clients, ids.collect()),
    )
    .await;
    sight.instances.extend(instances?);
    sight.protections.extend(protections);
    Ok(())
}

impl Sight {
    /// The live spot request of a target: by its tags, else the one behind its instance.
    fn request_of(&self, target: &Target<Props>) -> Option<&SpotInstanceRequest> {
        let live = |request: &&SpotInstanceRequest| is_live(request);
        query::owned(&self.requests, target).filter(live).or_else(|| {
            let behind = query::find(&self.instances, target)?.spot_instance_request_id()?;
            self.requests.iter().find(|request| request.id() == behind).filter(live)
        })
    }

    /// The request behind an instance, live or not: it tells the interruption behaviour.
    fn request_behind(&self, instance: &Described) -> Option<&SpotInstanceRequest> {
        let id = instance.spot_instance_request_id().filter(|id| !id.is_empty())?;
        self.requests.iter().find(|request| request.id() == id)
    }

    fn of(&self, target: &Target<Props>) -> Seen<Facts> {
        let recorded = query::find(&self.instances, target);
        if let Some(instance) = recorded.filter(|instance| !is_terminated(instance)) {
            return self.found(instance, self.request_behind(instance), target);
        }
        let Some(request) = self.request_of(target) else { return Seen::Absent };
        let launched = request.instance_id().unwrap_or_default();
        let relaunched = self.instances.iter().find(|one| one.id() == launched && !is_terminated(one));
        if let Some(instance) = relaunched {
            return self.found(instance, Some(request), target);
        }
        let id = target.id.clone().or_else(|| recorded.map(|one| CloudId(one.id().to_owned())));
        let id = id.unwrap_or_else(|| CloudId(request.id().to_owned()));
        let owner = request.labels().owner(&target.stack);
        Seen::Found(Found { id, owner, facts: facts_of_request(request, &target.props) })
    }

    fn found(
        &self,
        instance: &Described,
        request: Option<&SpotInstanceRequest>,
        target: &Target<Props>,
    ) -> Seen<Facts> {
        let protection = match self.protections.get(instance.id()) {
            Some(Err(error)) => return Seen::Unreadable(error.clone()),
            Some(Ok(protection)) => *protection,
            None => None,
        };
        // An instance that a persistent request launched again carries no tags of ours.
        let owner = match (instance.labels().owner(&target.stack), request) {
            (Owner::Other, Some(request)) => request.labels().owner(&target.stack),
            (owner, _) => owner,
        };
        let id = CloudId(instance.id().to_owned());
        Seen::Found(Found { id, owner, facts: facts(instance, request, protection, &target.props) })
    }
}
