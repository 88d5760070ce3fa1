//! Key pair: the public key that the instance lets in by SSH, imported from the stack file. A key
//! pair that exists under the name is used as it is.

use async_trait::async_trait;
use aws_sdk_ec2::{
    primitives::Blob,
    types::{KeyPairInfo, ResourceType},
};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Rules,
    Seen, Target,
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

const DESCRIBE: &str = "ec2:DescribeKeyPairs";

/// The kind. Its id is `key-…`.
pub struct KeyPair;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region.
    pub name: String,
    /// The type of the key and the key, without a comment: `ssh-ed25519 AAAA…`.
    pub public_key: String,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// The type of the key and the key.
    pub public_key: String,
    /// The user's tags.
    pub tags: Tags,
    /// The key's fingerprint, as EC2 counts it: MD5 for RSA, SHA-256 for ED25519.
    pub fingerprint: String,
}

impl Rules for KeyPair {
    const NAME: &'static str = "key_pair";
    const DOC: &'static str = "A public key for SSH (EC2 API reference: ImportKeyPair)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in account and region"),
        Field::replace("public_key", "public key; an instance keeps the one it was started with"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[DESCRIBE],
        create: &["ec2:ImportKeyPair", DESCRIBE],
        update: &["ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteKeyPair"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

impl Object for KeyPairInfo {
    fn id(&self) -> &str {
        self.key_pair_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }
}

async fn read(clients: &Clients, question: query::Question) -> Result<Vec<KeyPairInfo>, CloudError> {
    // The key itself comes with the same call, so that nothing has to be computed from it.
    let request = clients.ec2.describe_key_pairs().set_filters(Some(question)).include_public_key(true);
    Ok(request.send().await.named(DESCRIBE)?.key_pairs.unwrap_or_default())
}

/// Type and key, without the comment.
fn bare(key: &str) -> String {
    key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn found(pair: &KeyPairInfo, target: &Target<Props>) -> Seen<Facts> {
    let labels = pair.labels();
    // EC2 shows no key of some older pairs; what it does not show is not compared.
    let shown = pair.public_key().map(bare).filter(|key| !key.is_empty());
    let facts = Facts {
        name: pair.key_name().unwrap_or_default().to_owned(),
        public_key: shown.unwrap_or_else(|| target.props.public_key.clone()),
        tags: labels.user(),
        fingerprint: pair.key_fingerprint().unwrap_or_default().to_owned(),
    };
    Seen::Found(Found { id: CloudId(pair.id().to_owned()), owner: labels.owner(&target.stack), facts })
}

#[async_trait]
impl Ops for KeyPair {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let mut questions = query::by("key-pair-id", query::ids(targets));
        questions.extend(query::by("key-name", query::nameless(targets).map(|t| t.props.name.clone())));
        let pairs = match query::gather(questions, |question| read(clients, question)).await {
            Ok(pairs) => pairs,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target: &Target<Props>| {
            let is_it = |pair: &&KeyPairInfo| match &target.id {
                Some(id) => pair.id() == id.0,
                None => pair.key_name() == Some(&target.props.name),
            };
            pairs.iter().find(is_it).map_or(Seen::Absent, |pair| found(pair, target))
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let request = clients
            .ec2
            .import_key_pair()
            .key_name(&props.name)
            .public_key_material(Blob::new(props.public_key.as_bytes()))
            .tag_specifications(tags::specification(ResourceType::KeyPair, op, &props.tags));
        match request.send().await.named("ec2:ImportKeyPair") {
            Ok(made) => Ok(CloudId(made.key_pair_id.unwrap_or_default())),
            Err(error) if error.kind == ErrorKind::Exists => {
                let pairs = read(clients, query::by("key-name", [props.name.clone()]).concat()).await?;
                let ours = |pair: &&KeyPairInfo| pair.labels().is_of(&op.stack, &op.identity);
                pairs.iter().find(ours).map(|pair| CloudId(pair.id().to_owned())).ok_or(error)
            }
            Err(error) => Err(error),
        }
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
        let request = clients.ec2.delete_key_pair().key_pair_id(&id.0);
        unless_gone(request.send().await.named("ec2:DeleteKeyPair"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_no_part_of_a_key() {
        assert_eq!(bare("ssh-ed25519 AAAA me@here\n"), "ssh-ed25519 AAAA");
    }
}
