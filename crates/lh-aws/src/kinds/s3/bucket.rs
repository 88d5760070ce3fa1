//! The bucket of logical dumps: versioned, encrypted, private, TLS only, with a lifecycle.
//!
//! One that existed before the stack is used as it is: a single `HeadBucket` tells that it is there.

use async_trait::async_trait;
use futures_util::{
    future::{join, join_all},
    try_join,
};
use lh_kind::{
    AtDestroy, Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price,
    PriceBook, Rules, Seen, Target, change::tag_changes,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use crate::{
    bucket::{
        Bucket as Handle, Presence,
        lifecycle::Lifecycle,
        policy::{self, Policy},
    },
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, tagged, text},
};

const CREATE: &str = "s3:CreateBucket";
const HEAD: &str = "s3:ListBucket";
/// The properties that one lifecycle rule is made of.
const LIFECYCLE: [&str; 4] = ["prefix", "expire_days", "noncurrent_days", "abort_uploads_days"];

/// The kind. Its id is the bucket's name.
pub struct Bucket;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique among all AWS accounts.
    pub name: String,
    /// The account that must own it.
    pub account: Late<String>,
    /// Whether versions are kept.
    pub versioning: bool,
    /// The default encryption, `AES256`.
    pub encryption: String,
    /// Whether every kind of public access is blocked.
    pub private: bool,
    /// Whether requests without TLS are refused.
    pub tls_only: bool,
    /// The beginning of the keys that the lifecycle is about.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Days until an object is deleted.
    #[serde(default)]
    pub expire_days: Option<i32>,
    /// Days until a version that is no longer current is deleted.
    #[serde(default)]
    pub noncurrent_days: Option<i32>,
    /// Days until an upload that was never completed is deleted.
    #[serde(default)]
    pub abort_uploads_days: Option<i32>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What S3 shows; of a bucket that is not the stack's, its name alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Unique among all AWS accounts.
    pub name: String,
    /// Whether versions are kept.
    pub versioning: Option<bool>,
    /// The default encryption.
    pub encryption: Option<String>,
    /// Whether every kind of public access is blocked.
    pub private: Option<bool>,
    /// Whether requests without TLS are refused.
    pub tls_only: Option<bool>,
    /// The beginning of the keys that the lifecycle is about.
    pub prefix: Option<String>,
    /// Days until an object is deleted.
    pub expire_days: Option<i32>,
    /// Days until a version that is no longer current is deleted.
    pub noncurrent_days: Option<i32>,
    /// Days until an upload that was never completed is deleted.
    pub abort_uploads_days: Option<i32>,
    /// The user's tags.
    pub tags: Tags,
}

impl Rules for Bucket {
    const NAME: &'static str = "bucket";
    const DOC: &'static str = "A private S3 bucket for dumps (S3 API reference: CreateBucket)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const HOLDS_DATA: bool = true;
    const AT_DESTROY: AtDestroy = AtDestroy::Keep;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique among all AWS accounts"),
        Field::online("versioning", "versions of objects are kept"),
        Field::online("encryption", "default encryption"),
        Field::online("private", "public access is blocked"),
        Field::online("tls_only", "requests without TLS are refused"),
        Field::online("prefix", "beginning of the keys that expire"),
        Field::online("expire_days", "days until an object is deleted"),
        Field::online("noncurrent_days", "days until an older version is deleted"),
        Field::online("abort_uploads_days", "days until an unfinished upload is deleted"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[
            HEAD,
            tagged::GET_RESOURCES,
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketPolicy",
            "s3:GetLifecycleConfiguration",
        ],
        create: &[
            "s3:GetBucketTagging",
            CREATE,
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketPublicAccessBlock",
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:GetBucketPolicy",
            "s3:PutBucketPolicy",
        ],
        update: &[
            "s3:GetBucketTagging",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketPublicAccessBlock",
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:GetBucketPolicy",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
        ],
        delete: &["s3:DeleteBucket"],
    };
    type Props = Props;
    type Facts = Facts;

    /// What is stored is paid for, and how large dumps will be is not known before they are made.
    fn price(_props: &Map, book: &PriceBook) -> Price {
        match book.find(&["s3_gib"]) {
            Ok(dollars) => Price::Unknown(format!(
                "dumps in the bucket cost {dollars} dollars a GB-month; how large they are is not known before they are made"
            )),
            Err(unknown) => unknown,
        }
    }
}

/// The bucket that a target or an operation is about.
fn handle<'a>(clients: &'a Clients, name: &'a str, account: &'a str) -> Handle<'a> {
    let region = clients.s3.config().region().map_or("", |region| region.as_ref());
    Handle { s3: &clients.s3, name, region, account: Some(account) }
}

fn lifecycle(props: &Props) -> Lifecycle {
    Lifecycle {
        prefix: props.prefix.clone(),
        expire_days: props.expire_days,
        noncurrent_days: props.noncurrent_days,
        abort_uploads_days: props.abort_uploads_days,
    }
}

/// Somebody else's bucket of this name.
fn foreign(bucket: &Handle<'_>) -> CloudError {
    let text = format!(
        "the bucket {} belongs to another AWS account, or the credentials for account {} may not see it; bucket names are shared by all accounts, so another name may be needed",
        bucket.name,
        bucket.account.unwrap_or_default()
    );
    CloudError::new(ErrorKind::Denied, HEAD, text)
}

async fn presence(bucket: &Handle<'_>) -> Seen<Facts> {
    match bucket.presence().await {
        Ok(Presence::Here) => bare(bucket.name, Owner::Other),
        Ok(Presence::Absent) => Seen::Absent,
        Ok(Presence::Elsewhere(region)) => {
            let text = format!("the bucket {} is in {region}, not in {}", bucket.name, bucket.region);
            Seen::Unreadable(CloudError::new(ErrorKind::Invalid, HEAD, text))
        }
        Ok(Presence::Foreign) => Seen::Unreadable(foreign(bucket)),
        Err(error) => Seen::Unreadable(error),
    }
}

fn bare(name: &str, owner: Owner) -> Seen<Facts> {
    let facts = Facts { name: name.to_owned(), ..Facts::default() };
    Seen::Found(Found { id: CloudId(name.to_owned()), owner, facts })
}

/// All settings but the tags; five calls at once.
async fn settings(bucket: &Handle<'_>) -> Result<Facts, CloudError> {
    let (versioning, encryption, private, text, rules) = try_join!(
        bucket.versioning(),
        bucket.encryption(),
        bucket.privacy(),
        bucket.policy(),
        bucket.lifecycle(),
    )?;
    // What cannot be read asks for nothing.
    let policy = Policy::parse(text.as_deref()).ok();
    let tls = policy::tls(&policy::arn(bucket.region, bucket.name));
    let Lifecycle { prefix, expire_days, noncurrent_days, abort_uploads_days } = Lifecycle::of(&rules);
    Ok(Facts {
        name: bucket.name.to_owned(),
        versioning: Some(versioning),
        encryption,
        private: Some(private),
        tls_only: Some(policy.is_some_and(|policy| policy.has(&tls))),
        prefix,
        expire_days,
        noncurrent_days,
        abort_uploads_days,
        tags: Tags::new(),
    })
}

/// The tags: from the common answer, else from the bucket itself; `None` where it is gone.
async fn labels(
    bucket: &Handle<'_>,
    common: impl Future<Output = Result<tagged::ByArn, CloudError>>,
) -> Result<Option<Labels>, CloudError> {
    let arn = policy::arn(bucket.region, bucket.name);
    match common.await.ok().and_then(|mut common| common.remove(&arn)) {
        Some(labels) => Ok(Some(labels)),
        None => bucket.labels().await,
    }
}

fn whole(target: &Target<Props>, labels: &Labels, settings: Result<Facts, CloudError>) -> Seen<Facts> {
    match settings {
        Ok(facts) => {
            let facts = Facts { tags: labels.user(), ..facts };
            let id = CloudId(facts.name.clone());
            Seen::Found(Found { id, owner: labels.owner(&target.stack), facts })
        }
        Err(error) if error.code == "NoSuchBucket" => Seen::Absent,
        Err(error) => Seen::Unreadable(error),
    }
}

async fn look(clients: &Clients, target: &Target<Props>, all: &[Target<Props>]) -> Seen<Facts> {
    // Until it is known whose it must be, nothing can be said of it.
    let Some(account) = target.props.account.known() else { return Seen::Absent };
    let name = target.id.as_ref().map_or(&target.props.name, |id| &id.0);
    let bucket = handle(clients, name, account);
    if target.used {
        return presence(&bucket).await;
    }
    if target.id.is_some() {
        let (labels, settings) = join(labels(&bucket, tagged::read(clients, all)), settings(&bucket)).await;
        return match labels {
            Ok(Some(labels)) => whole(target, &labels, settings),
            Ok(None) => Seen::Absent,
            Err(error) => Seen::Unreadable(error),
        };
    }
    match bucket.labels().await {
        Ok(Some(labels)) if labels.owner(&target.stack) != Owner::Other => {
            whole(target, &labels, settings(&bucket).await)
        }
        Ok(Some(_)) => bare(name, Owner::Other),
        Ok(None) => Seen::Absent,
        Err(error) if error.kind == ErrorKind::Denied => presence(&bucket).await,
        Err(error) => Seen::Unreadable(error),
    }
}

async fn set_tls(bucket: &Handle<'_>, on: bool) -> Result<(), CloudError> {
    let have = bucket.policy().await?;
    let mut policy = Policy::parse(have.as_deref())?;
    let changed = if on {
        policy.put(policy::tls(&policy::arn(bucket.region, bucket.name)))
    } else {
        let had = policy.find(policy::TLS).is_some();
        policy.remove(policy::TLS);
        had
    };
    match policy.text() {
        _ if !changed => Ok(()),
        Some(text) => bucket.set_policy(&text).await,
        None => {
            let request = bucket.s3.delete_bucket_policy().bucket(bucket.name);
            let request = request.set_expected_bucket_owner(bucket.owner());
            request.send().await.named("s3:DeleteBucketPolicy").map(|_| ())
        }
    }
}

/// A new bucket is not known everywhere at once, neither as missing nor as made: whose it is will
/// show when the creation is repeated.
fn young(error: CloudError) -> CloudError {
    let is_young = ["NoSuchBucket", "BucketAlreadyOwnedByYou"].contains(&error.code.as_str());
    CloudError { kind: if is_young { ErrorKind::NotYet } else { error.kind }, ..error }
}

/// Tags are written as a whole: those of others are read first, and stay.
async fn retag(bucket: &Handle<'_>, op: &Op, diffs: &[FieldDiff]) -> Result<(), CloudError> {
    let (set, gone) = tag_changes(diffs);
    if set.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let mut tags = bucket.labels().await?.unwrap_or_default().all();
    tags.retain(|key, _| !gone.contains(key) && !key.starts_with("aws:"));
    tags.extend(set);
    bucket.set_tags(op.all_tags(&tags)).await
}

#[async_trait]
impl Ops for Bucket {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        join_all(targets.iter().map(|target| look(clients, target, targets))).await
    }

    /// The tags are written with the creation. In us-east-1 S3 creates a bucket again that the
    /// account owns already, so what is there is asked for first.
    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let bucket = handle(clients, &props.name, known(&props.account, CREATE, "account")?);
        let tags = op.all_tags(&props.tags);
        match bucket.labels().await? {
            None => bucket.create(tags.clone()).await.map_err(young)?,
            Some(labels) if labels.is_of(&op.stack, &op.identity) => {}
            Some(_) => {
                let text = format!("the bucket {} exists already", props.name);
                return Err(CloudError::new(ErrorKind::Exists, CREATE, text));
            }
        }
        // Emulators take no tags with the creation.
        bucket.set_tags(tags).await.map_err(young)?;
        bucket.set_versioning(props.versioning).await.map_err(young)?;
        bucket.set_encryption(&props.encryption).await.map_err(young)?;
        bucket.set_privacy(props.private).await.map_err(young)?;
        bucket.set_lifecycle(&lifecycle(props)).await.map_err(young)?;
        set_tls(&bucket, props.tls_only).await.map_err(young)?;
        Ok(CloudId(props.name.clone()))
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let bucket = handle(clients, &id.0, text(&want.account));
        let differs = |name: &str| diffs.iter().any(|diff| diff.field == name);
        retag(&bucket, op, diffs).await?;
        if differs("versioning") {
            bucket.set_versioning(want.versioning).await?;
        }
        if differs("encryption") {
            bucket.set_encryption(&want.encryption).await?;
        }
        if differs("private") {
            bucket.set_privacy(want.private).await?;
        }
        if LIFECYCLE.into_iter().any(differs) {
            bucket.set_lifecycle(&lifecycle(want)).await?;
        }
        if differs("tls_only") {
            set_tls(&bucket, want.tls_only).await?;
        }
        Ok(())
    }

    /// S3 refuses to delete a bucket that is not empty, and nothing here empties one.
    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        unless_gone(clients.s3.delete_bucket().bucket(&id.0).send().await.named("s3:DeleteBucket"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dumps_cost_is_told_and_never_counted_as_nothing() {
        let Price::Unknown(why) = Bucket::price(&Map::new(), &PriceBook::of("us-east-1")) else {
            panic!("a price that nobody can know")
        };
        assert!(why.contains("0.023 dollars a GB-month"), "{why}");
    }
}
