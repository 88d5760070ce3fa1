//! The Elastic IP pointed at the instance.

use async_trait::async_trait;
use aws_sdk_ec2::types::Address;
use lh_kind::{
    Calls, CloudError, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price, PriceBook, Rules, Seen,
    Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::{elastic_ip, query, query::Object};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{known, unreadable},
};

/// The kind. Its id is the allocation id of the address: an address points at one thing at a
/// time, and EC2 gives a new association id whenever it points elsewhere.
pub struct ElasticIpAssociation;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The address.
    pub allocation_id: Late<String>,
    /// The instance it points at.
    pub instance_id: Late<String>,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The address.
    pub allocation_id: String,
    /// The instance it points at; null where it points at something else.
    pub instance_id: Option<String>,
    /// EC2's id of this association.
    pub association_id: String,
}

impl Rules for ElasticIpAssociation {
    const NAME: &'static str = "elastic_ip_association";
    const DOC: &'static str = "An Elastic IP address at an instance (EC2 API reference: AssociateAddress)";
    const CREATE: Idempotency = Idempotency::Upsert;
    const FIELDS: &'static [Field] =
        &[Field::replace("allocation_id", "address"), Field::online("instance_id", "instance")];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeAddresses"],
        create: &["ec2:AssociateAddress"],
        update: &["ec2:AssociateAddress"],
        delete: &["ec2:DisassociateAddress"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

fn allocation_of(target: &Target<Props>) -> Option<String> {
    let recorded = target.id.as_ref().map(|id| id.0.clone());
    recorded.or_else(|| target.props.allocation_id.known().cloned())
}

fn found(address: &Address) -> Option<Seen<Facts>> {
    let association_id = address.association_id().filter(|id| !id.is_empty())?.to_owned();
    let instance_id = address.instance_id().filter(|id| !id.is_empty()).map(str::to_owned);
    let allocation_id = address.id().to_owned();
    let id = CloudId(allocation_id.clone());
    let facts = Facts { allocation_id, instance_id, association_id };
    Some(Seen::Found(Found { id, owner: Owner::Parent, facts }))
}

async fn associate(clients: &Clients, props: &Props) -> Result<CloudId, CloudError> {
    let operation = "ec2:AssociateAddress";
    let allocation = known(&props.allocation_id, operation, "allocation_id")?;
    let request = clients
        .ec2
        .associate_address()
        .allocation_id(allocation)
        .instance_id(known(&props.instance_id, operation, "instance_id")?)
        .allow_reassociation(true);
    request.send().await.named(operation)?;
    Ok(CloudId(allocation.clone()))
}

#[async_trait]
impl Ops for ElasticIpAssociation {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        // An association of an address that does not exist yet cannot exist either.
        let questions = query::by("allocation-id", targets.iter().filter_map(allocation_of));
        let addresses = match query::gather(questions, |question| elastic_ip::read(clients, question)).await {
            Ok(addresses) => addresses,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target: &Target<Props>| {
            let allocation = allocation_of(target);
            let address = addresses.iter().find(|address| address.allocation_id() == allocation.as_deref());
            address.filter(|_| allocation.is_some()).and_then(found).unwrap_or(Seen::Absent)
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, _op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        associate(clients, props).await
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        _id: &CloudId,
        want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        associate(clients, want).await.map(drop)
    }

    async fn delete(clients: &Clients, _op: &Op, _id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        let request = clients.ec2.disassociate_address().association_id(&facts.association_id);
        unless_gone(request.send().await.named("ec2:DisassociateAddress"))
    }
}
