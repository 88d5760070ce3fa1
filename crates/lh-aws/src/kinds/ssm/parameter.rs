//! A generated secret in SSM Parameter Store. Its value is made inside the creation, handed to
//! the one call that stores it, and never read here: metadata is enough to plan.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ssm::types::{
    ParameterMetadata, ParameterStringFilter, ParameterType, ResourceTypeForTagging, Tag,
};
use futures_util::future::{join, join_all};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Mutability, Op, Ops, Owner, Price,
    PriceBook, Refusal, Rules, Seen, Target, change::tag_changes,
};
use lh_model::{CloudId, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, labels::Labels, password, refuse_fixed, unreadable},
};

const PUT: &str = "ssm:PutParameter";
/// Values that one filter takes (SSM API reference, ParameterStringFilter).
const MAX_VALUES: usize = 50;
/// Key of Parameter Store where no other is named.
const DEFAULT_KEY: &str = "alias/aws/ssm";

/// The kind. Its id is the parameter's name.
pub struct Parameter;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region, `/lighthouse/dev/db/password`.
    pub name: String,
    /// That the value is generated here.
    #[serde(default)]
    pub generate: Value,
    /// The KMS key, where it is not Parameter Store's own.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What Parameter Store shows without the value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// The KMS key, where the stack names one or another than the default is used.
    pub kms_key: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// Its ARN, where Parameter Store tells it.
    pub arn: Option<String>,
    /// Its version: 1 as created, more where somebody changed it.
    pub version: i64,
}

impl Rules for Parameter {
    const NAME: &'static str = "parameter";
    const DOC: &'static str =
        "A generated secret, a SecureString in Parameter Store (SSM API reference: PutParameter)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const HOLDS_DATA: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in account and region"),
        Field::with(
            "kms_key",
            "KMS key",
            Mutability::Fixed(
                "Store the value again under the other key yourself (`aws ssm put-parameter --overwrite`): \
                 lhctl never reads a secret to write it elsewhere.",
            ),
        ),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["ssm:DescribeParameters", "ssm:ListTagsForResource"],
        create: &[PUT, "ssm:ListTagsForResource"],
        update: &["ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"],
        delete: &["ssm:DeleteParameter"],
    };
    type Props = Props;
    type Facts = Facts;

    fn judge(_want: &Map, _have: &Map, diffs: &[FieldDiff]) -> Result<(), Refusal> {
        refuse_fixed(Self::FIELDS, diffs)
    }

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

fn filter(key: &str, values: Vec<String>) -> Result<ParameterStringFilter, CloudError> {
    let filter = ParameterStringFilter::builder().key(key).option("Equals").set_values(Some(values));
    let wrong = |error: aws_smithy_types::error::operation::BuildError| {
        CloudError::new(ErrorKind::Other, "ssm:DescribeParameters", error.to_string())
    };
    filter.build().map_err(wrong)
}

/// Tags by key, each with the values of which it must have one.
pub(crate) type AnyOf = BTreeMap<String, BTreeSet<String>>;

/// The metadata of the parameters that pass all filters.
pub(crate) async fn read(
    clients: &Clients,
    names: Vec<String>,
    tags: &AnyOf,
) -> Result<Vec<ParameterMetadata>, CloudError> {
    let mut filters = vec![filter("Name", names)?];
    for (key, values) in tags {
        filters.push(filter(&format!("tag:{key}"), values.iter().cloned().collect())?);
    }
    // Without a wish Parameter Store gives ten in a page.
    let request = clients.ssm.describe_parameters().max_results(50).set_parameter_filters(Some(filters));
    let pages: Vec<_> =
        request.into_paginator().send().try_collect().await.named("ssm:DescribeParameters")?;
    Ok(pages.into_iter().flat_map(|page| page.parameters.unwrap_or_default()).collect())
}

/// All tags of a parameter; none for one that is gone.
async fn read_labels(clients: &Clients, name: &str) -> Result<Labels, CloudError> {
    let request = clients
        .ssm
        .list_tags_for_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name);
    match request.send().await.named("ssm:ListTagsForResource") {
        Ok(answer) => {
            let pairs = answer.tag_list().iter().map(|tag| (Some(tag.key()), Some(tag.value())));
            Ok(Labels::new(pairs))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Labels::default()),
        Err(error) => Err(error),
    }
}

fn list(tags: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (String, String)| {
        let built = Tag::builder().key(key).value(value).build();
        built.map_err(|error| CloudError::new(ErrorKind::Other, PUT, error.to_string()))
    };
    tags.into_iter().map(tag).collect()
}

/// The name that a target goes by.
fn name_of(target: &Target<Props>) -> &String {
    target.id.as_ref().map_or(&target.props.name, |id| &id.0)
}

/// The tags that recorded parameters have when nobody touched them: the wanted ones and those of
/// their ownership. Parameter Store shows no tags with the metadata, but it filters by them: one
/// call tells that all is as it should be. Parameters with the same wanted tags are asked for
/// together; that somebody exchanged the ownership of two of them is the one thing it cannot tell.
fn expected_tags(targets: &[&Target<Props>]) -> AnyOf {
    let mut all = AnyOf::new();
    for target in targets {
        let tags = Op::new(&target.stack, &target.address, &target.identity).all_tags(&target.props.tags);
        for (key, value) in tags {
            all.entry(key).or_default().insert(value);
        }
    }
    all
}

fn facts(found: &ParameterMetadata, target: &Target<Props>, tags: Tags) -> Facts {
    let key = found.key_id().filter(|key| *key != DEFAULT_KEY);
    let named = target.props.kms_key.as_deref();
    // A key can be named by id, ARN or alias: the same key under another name is no difference.
    let same = named.zip(key).is_some_and(|(named, key)| key == named || key.ends_with(&format!("/{named}")));
    Facts {
        name: found.name().unwrap_or_default().to_owned(),
        kms_key: if same { named } else { key }.map(str::to_owned),
        tags,
        arn: found.arn().map(str::to_owned),
        version: found.version(),
    }
}

type Metadata = BTreeMap<String, ParameterMetadata>;

/// Of many targets, which fit into few questions.
async fn read_all(
    clients: &Clients,
    targets: &[&Target<Props>],
    tags: impl Fn(&[&Target<Props>]) -> AnyOf,
) -> Result<Metadata, CloudError> {
    let chunks = targets.chunks(MAX_VALUES).map(|chunk| {
        let (names, tags) = (chunk.iter().map(|target| name_of(target).clone()).collect(), tags(chunk));
        async move { read(clients, names, &tags).await }
    });
    let mut all = Metadata::new();
    for answer in join_all(chunks).await {
        let named = |one: ParameterMetadata| (one.name().unwrap_or_default().to_owned(), one);
        all.extend(answer?.into_iter().map(named));
    }
    Ok(all)
}

/// The first look: recorded targets by name and expected tags, together where those are equal;
/// others by name alone.
async fn first_look(
    clients: &Clients,
    targets: &[Target<Props>],
) -> Result<(Metadata, Metadata), CloudError> {
    let mut groups: BTreeMap<&Tags, Vec<&Target<Props>>> = BTreeMap::new();
    let mut new = Vec::new();
    for target in targets {
        match &target.id {
            Some(_) => groups.entry(&target.props.tags).or_default().push(target),
            None => new.push(target),
        }
    }
    let as_expected = join_all(groups.values().map(|group| read_all(clients, group, expected_tags)));
    let (as_expected, new) = join(as_expected, read_all(clients, &new, |_| AnyOf::new())).await;
    let mut confirmed = Metadata::new();
    for answer in as_expected {
        confirmed.extend(answer?);
    }
    Ok((confirmed, new?))
}

/// What was not as expected: is it there, and which tags does it have?
async fn second_look(
    clients: &Clients,
    target: &Target<Props>,
    seen: Option<ParameterMetadata>,
) -> Seen<Facts> {
    let name = name_of(target);
    let again = async {
        match seen {
            Some(metadata) => Ok(Some(metadata)),
            None => Ok(read(clients, vec![name.clone()], &AnyOf::new()).await?.into_iter().next()),
        }
    };
    let (metadata, labels) = join(again, read_labels(clients, name)).await;
    match (metadata, labels) {
        (Ok(None), _) => Seen::Absent,
        (Ok(Some(metadata)), Ok(labels)) => {
            let facts = facts(&metadata, target, labels.user());
            Seen::Found(Found { id: CloudId(name.clone()), owner: labels.owner(&target.stack), facts })
        }
        (Err(error), _) | (_, Err(error)) => Seen::Unreadable(error),
    }
}

#[async_trait]
impl Ops for Parameter {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let (confirmed, new) = match first_look(clients, targets).await {
            Ok(answers) => answers,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target| {
            let (confirmed, new) = (&confirmed, &new);
            async move {
                let name = name_of(target);
                let recorded = target.id.is_some();
                match (confirmed.get(name).filter(|_| recorded), new.get(name).filter(|_| !recorded)) {
                    (Some(metadata), _) => Seen::Found(Found {
                        id: CloudId(name.clone()),
                        owner: Owner::Stack(target.identity.clone()),
                        facts: facts(metadata, target, target.props.tags.clone()),
                    }),
                    (None, None) if !recorded => Seen::Absent,
                    (None, seen) => second_look(clients, target, seen.cloned()).await,
                }
            }
        };
        join_all(targets.iter().map(look)).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let value = password::generate(PUT)?;
        let request = clients
            .ssm
            .put_parameter()
            .name(&props.name)
            .r#type(ParameterType::SecureString)
            .value(value.expose())
            .overwrite(false)
            .set_key_id(props.kms_key.clone())
            .set_tags(Some(list(op.all_tags(&props.tags))?));
        match request.send().await.named(PUT) {
            Ok(_) => Ok(CloudId(props.name.clone())),
            Err(error) if error.kind == ErrorKind::Exists => {
                let ours = read_labels(clients, &props.name).await?.is_of(&op.stack, &op.identity);
                if ours { Ok(CloudId(props.name.clone())) } else { Err(error) }
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
        let (set, gone) = tag_changes(diffs);
        let kind = ResourceTypeForTagging::Parameter;
        if !set.is_empty() {
            let request = clients
                .ssm
                .add_tags_to_resource()
                .resource_type(kind.clone())
                .resource_id(&id.0)
                .set_tags(Some(list(set)?));
            request.send().await.named("ssm:AddTagsToResource")?;
        }
        if !gone.is_empty() {
            let request = clients
                .ssm
                .remove_tags_from_resource()
                .resource_type(kind)
                .resource_id(&id.0)
                .set_tag_keys(Some(gone));
            request.send().await.named("ssm:RemoveTagsFromResource")?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        unless_gone(clients.ssm.delete_parameter().name(&id.0).send().await.named("ssm:DeleteParameter"))
    }
}
