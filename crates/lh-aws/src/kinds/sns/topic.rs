//! SNS topic. Where its ARN is recorded, the list of its subscriptions, which is asked for anyway,
//! tells whether it exists, and the common answer which tags it has; else one call tells both.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_sns::types::Tag;
use futures_util::future::{join, join_all};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Rules,
    Seen, Target, change::tag_changes,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::subscription;
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, tagged},
};

const CREATE: &str = "sns:CreateTopic";
const LIST_TAGS: &str = "sns:ListTagsForResource";

/// The kind. Its id is the topic's ARN.
pub struct Topic;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region.
    pub name: String,
    /// The ARN that a topic of this name has: SNS finds topics by nothing else.
    #[serde(default)]
    pub arn: Late<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What SNS shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The user's tags.
    pub tags: Tags,
}

impl Rules for Topic {
    const NAME: &'static str = "topic";
    const DOC: &'static str = "An SNS topic (SNS API reference: CreateTopic)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] =
        &[Field::replace("name", "name, unique in account and region"), Field::online("tags", "tags")];
    const CALLS: Calls = Calls {
        observe: &[LIST_TAGS, subscription::LIST, tagged::GET_RESOURCES],
        // Creating with tags takes the permission to tag.
        create: &[CREATE, "sns:TagResource", LIST_TAGS],
        update: &["sns:TagResource", "sns:UntagResource"],
        delete: &["sns:DeleteTopic"],
    };
    type Props = Props;
    type Facts = Facts;

    /// The first 1,000 e-mails of a month are free, and a topic itself costs nothing.
    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// Tags of a topic; `None` where there is no such topic.
type Answer = Result<Option<Labels>, CloudError>;

async fn read(clients: &Clients, arn: &str) -> Result<Option<Labels>, CloudError> {
    match clients.sns.list_tags_for_resource().resource_arn(arn).send().await.named(LIST_TAGS) {
        Ok(answer) => {
            let pairs = answer.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value())));
            Ok(Some(Labels::new(pairs)))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The labels of topics that state knows, by ARN; `None` for those that are gone. Of one that is
/// only used nothing but its being there is of interest.
async fn read_known(clients: &Clients, targets: &[&Target<Props>]) -> BTreeMap<String, Answer> {
    let arns: BTreeSet<String> = targets.iter().copied().filter_map(arn_of).collect();
    let there = join_all(arns.into_iter().map(|arn| async move {
        let found = subscription::read(clients, &arn).await;
        (arn, found)
    }));
    let managed: Vec<_> = targets.iter().copied().filter(|target| !target.used).cloned().collect();
    let common = async {
        match managed.is_empty() {
            true => Ok(tagged::ByArn::new()),
            false => tagged::read(clients, &managed).await,
        }
    };
    let (there, common) = join(there, common).await;
    let expected =
        managed.iter().filter_map(|one| Some((arn_of(one)?, tagged::of_target(one, &one.props.tags))));
    let common = tagged::as_expected(common, expected);
    let is_there = |arn: &String| there.iter().any(|(one, found)| one == arn && matches!(found, Ok(Some(_))));
    let asked = managed.iter().filter_map(arn_of).filter(is_there);
    let ask = async |arn: String| Ok(read(clients, &arn).await?.unwrap_or_default());
    let labels = tagged::complete(&common, asked, ask).await;
    let answer = |(arn, found): (String, Result<Option<_>, CloudError>)| {
        let labels = labels.get(&arn).cloned().unwrap_or_else(|| Ok(Labels::default()));
        let answer = match found {
            Ok(Some(_)) => labels.map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        (arn, answer)
    };
    there.into_iter().map(answer).collect()
}

/// The ARN that a target is to be found under; `None` until the account is known.
fn arn_of(target: &Target<Props>) -> Option<String> {
    target.id.as_ref().map(|id| &id.0).or(target.props.arn.known()).cloned()
}

fn list(tags: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (String, String)| {
        let built = Tag::builder().key(key).value(value).build();
        built.map_err(|error| CloudError::new(ErrorKind::Other, "sns:TagResource", error.to_string()))
    };
    tags.into_iter().map(tag).collect()
}

#[async_trait]
impl Ops for Topic {
    type Client = Clients;

    /// SNS has no call that describes several topics; all are asked for at the same time.
    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let (known, new): (Vec<_>, Vec<_>) = targets.iter().partition(|target| target.id.is_some());
        let new: BTreeSet<String> = new.into_iter().filter_map(arn_of).collect();
        let new = join_all(new.into_iter().map(|arn| async move {
            let labels = read(clients, &arn).await;
            (arn, labels)
        }));
        let (mut answers, new) = join(read_known(clients, &known), new).await;
        answers.extend(new);
        let look = |target: &Target<Props>| {
            let Some(arn) = arn_of(target) else { return Seen::Absent };
            match answers.get(&arn) {
                None | Some(Ok(None)) => Seen::Absent,
                Some(Err(error)) => Seen::Unreadable(error.clone()),
                Some(Ok(Some(labels))) => {
                    let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
                    let facts = Facts { name, arn: arn.clone(), tags: labels.user() };
                    Seen::Found(Found { id: CloudId(arn), owner: labels.owner(&target.stack), facts })
                }
            }
        };
        targets.iter().map(look).collect()
    }

    /// The tags make the call answer with the topic of this identity only: SNS refuses one of
    /// the same name with other tags.
    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let tags = list(op.all_tags(&props.tags))?;
        let request = clients.sns.create_topic().name(&props.name).set_tags(Some(tags));
        let (made, refused) = match request.send().await.named(CREATE) {
            Ok(made) => (made.topic_arn, None),
            Err(error) if error.kind == ErrorKind::Invalid && error.message.contains("already exists") => {
                (Some(known(&props.arn, CREATE, "arn")?.clone()), Some(error))
            }
            Err(error) => return Err(error),
        };
        let arn = made.unwrap_or_default();
        let Some(error) = refused else { return Ok(CloudId(arn)) };
        let ours = read(clients, &arn).await?.is_some_and(|labels| labels.is_of(&op.stack, &op.identity));
        if ours { Ok(CloudId(arn)) } else { Err(CloudError { kind: ErrorKind::Exists, ..error }) }
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let (set, gone) = tag_changes(diffs);
        if !set.is_empty() {
            // All of them: who changed the user's tags may have removed those of ownership too.
            let tags = list(op.all_tags(&want.tags))?;
            let request = clients.sns.tag_resource().resource_arn(&id.0).set_tags(Some(tags));
            request.send().await.named("sns:TagResource")?;
        }
        if !gone.is_empty() {
            let request = clients.sns.untag_resource().resource_arn(&id.0).set_tag_keys(Some(gone));
            request.send().await.named("sns:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        unless_gone(clients.sns.delete_topic().topic_arn(&id.0).send().await.named("sns:DeleteTopic"))
    }
}
