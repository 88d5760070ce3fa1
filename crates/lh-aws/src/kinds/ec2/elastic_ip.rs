//! Elastic IP: a public IPv4 address that stays when the instance is replaced.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use futures_util::FutureExt;
use lh_kind::{
    Amount, Calls, CloudError, Field, FieldDiff, Found, Idempotency, Line, Op, Ops, Price, PriceBook, Rules,
    Seen, Share, Target,
};
use lh_model::{CloudId, Map};
use serde::{Deserialize, Serialize};

use super::{
    query::{self, Object},
    tags,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, labels::Labels, unreadable},
};

/// The kind. Its id is the allocation id.
pub struct ElasticIp;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The address.
    pub public_ip: String,
    /// The user's tags.
    pub tags: Tags,
}

impl Rules for ElasticIp {
    const NAME: &'static str = "elastic_ip";
    const DOC: &'static str = "An Elastic IP address (EC2 API reference: AllocateAddress)";
    const CREATE: Idempotency = Idempotency::TagOnCreation;
    const FIELDS: &'static [Field] = &[Field::online("tags", "tags")];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeAddresses"],
        create: &["ec2:AllocateAddress"],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:ReleaseAddress"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, book: &PriceBook) -> Price {
        match book.find(&["public_ipv4_hour"]) {
            Ok(hour) => {
                let monthly = Amount::dollars(hour * book.hours());
                Price::Known(vec![Line {
                    what: "public IPv4 address".to_owned(),
                    monthly,
                    share: Share::Extra,
                }])
            }
            Err(unknown) => unknown,
        }
    }
}

impl Object for Address {
    fn id(&self) -> &str {
        self.allocation_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }
}

/// `DescribeAddresses`, shared with associations that ask the same at the same time.
pub(crate) async fn read(clients: &Clients, question: query::Question) -> Result<Vec<Address>, CloudError> {
    let text = clients.reads.text(&question);
    let request = clients.ec2.describe_addresses().set_filters(Some(question));
    let ask = async move {
        let answer = request.send().await.named("ec2:DescribeAddresses")?;
        Ok(Arc::new(answer.addresses.unwrap_or_default()))
    };
    Ok(clients.reads.addresses.join(text, ask.boxed()).await?.as_ref().clone())
}

#[async_trait]
impl Ops for ElasticIp {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let questions = query::by_id_or_stack("allocation-id", targets);
        let addresses = match query::gather(questions, |question| read(clients, question)).await {
            Ok(addresses) => addresses,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target: &Target<Props>| {
            let Some(address) = query::find(&addresses, target) else { return Seen::Absent };
            let labels = address.labels();
            let public_ip = address.public_ip().unwrap_or_default().to_owned();
            let (id, owner) = (CloudId(address.id().to_owned()), labels.owner(&target.stack));
            Seen::Found(Found { id, owner, facts: Facts { public_ip, tags: labels.user() } })
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let request = clients
            .ec2_once
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(tags::specification(ResourceType::ElasticIp, op, &props.tags));
        let made = request.send().await.named("ec2:AllocateAddress")?;
        Ok(CloudId(made.allocation_id.unwrap_or_default()))
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        _want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        tags::retag(clients, &id.0, diffs).await
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.ec2.release_address().allocation_id(&id.0);
        unless_gone(request.send().await.named("ec2:ReleaseAddress"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_defect_07_the_address_costs_what_the_guide_leaves_out() {
        let Price::Known(lines) = ElasticIp::price(&Map::new(), &PriceBook::of("us-east-1")) else {
            panic!()
        };
        assert_eq!(lines[0].monthly.to_string(), "3.65");
        assert_eq!(lines[0].share, Share::Extra);
    }
}
