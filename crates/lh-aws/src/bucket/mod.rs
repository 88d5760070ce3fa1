//! A private bucket: what the state bucket and a stack's own bucket have in common. Each setting is
//! read and written apart; whether one is as it should be is for the caller to judge.
//!
//! Requests name the account that must own the bucket: names are shared by all AWS accounts, and
//! nothing is to be written into somebody else's.

pub(crate) mod lifecycle;
pub(crate) mod policy;

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};
use aws_smithy_types::error::operation::BuildError;
use lh_kind::{CloudError, ErrorKind};

use crate::{
    error::Named,
    kinds::{Tags, labels::Labels},
};

/// The region whose buckets are created without a location constraint.
const FIRST_REGION: &str = "us-east-1";

/// A bucket by its name.
pub(crate) struct Bucket<'a> {
    pub s3: &'a aws_sdk_s3::Client,
    pub name: &'a str,
    /// The region of the client.
    pub region: &'a str,
    /// The account that must own it; without one, any may.
    pub account: Option<&'a str>,
}

/// Whether a bucket is there, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// There is none of this name.
    Absent,
    /// It is this account's, in this region.
    Here,
    /// It is in this region, as far as S3 tells.
    Elsewhere(String),
    /// It is another account's, or these credentials may not see it.
    Foreign,
}

pub(crate) fn unbuilt(operation: &'static str) -> impl Fn(BuildError) -> CloudError {
    move |error| CloudError::new(ErrorKind::Other, operation, error.to_string())
}

/// The answer, or `None` where S3 says that there is no such setting.
fn unless_unset<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == ErrorKind::NotFound && error.code != "NoSuchBucket" => Ok(None),
        Err(error) => Err(error),
    }
}

impl Bucket<'_> {
    /// Whom each request expects as its owner.
    pub fn owner(&self) -> Option<String> {
        self.account.map(str::to_owned)
    }

    /// `HeadBucket`. An answer to it has no body, so only its status tells.
    pub async fn presence(&self) -> Result<Presence, CloudError> {
        let request = self.s3.head_bucket().bucket(self.name).set_expected_bucket_owner(self.owner());
        let error = match request.send().await {
            Ok(answer) => {
                let there = answer.bucket_region.unwrap_or_default();
                let here = there.is_empty() || there == self.region;
                return Ok(if here { Presence::Here } else { Presence::Elsewhere(there) });
            }
            Err(error) => error,
        };
        match error.raw_response().map(|answer| answer.status().as_u16()) {
            Some(404) => Ok(Presence::Absent),
            Some(301) => Ok(Presence::Elsewhere("another region".to_owned())),
            Some(403) => Ok(Presence::Foreign),
            _ => Err::<(), _>(error).named("s3:ListBucket").map(|()| Presence::Here),
        }
    }

    /// Creates it with these tags.
    pub async fn create(&self, tags: Tags) -> Result<(), CloudError> {
        let mut configuration = CreateBucketConfiguration::builder();
        if self.region != FIRST_REGION {
            configuration = configuration.location_constraint(BucketLocationConstraint::from(self.region));
        }
        let configuration = match tags.is_empty() {
            true if self.region == FIRST_REGION => None,
            true => Some(configuration.build()),
            false => Some(configuration.set_tags(Some(tag_list(tags)?)).build()),
        };
        let request = self.s3.create_bucket().bucket(self.name);
        let answer = request.set_create_bucket_configuration(configuration).send().await;
        answer.named("s3:CreateBucket").map(|_| ())
    }

    /// Its tags; `None` where there is no such bucket.
    pub async fn labels(&self) -> Result<Option<Labels>, CloudError> {
        let request = self.s3.get_bucket_tagging().bucket(self.name).set_expected_bucket_owner(self.owner());
        match unless_unset(request.send().await.named("s3:GetBucketTagging")) {
            Ok(answer) => {
                let set = answer.map(|answer| answer.tag_set).unwrap_or_default();
                Ok(Some(Labels::new(set.iter().map(|tag| (Some(tag.key()), Some(tag.value()))))))
            }
            Err(error) if error.code == "NoSuchBucket" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives it these tags and no others.
    pub async fn set_tags(&self, tags: Tags) -> Result<(), CloudError> {
        let operation = "s3:PutBucketTagging";
        let set =
            Tagging::builder().set_tag_set(Some(tag_list(tags)?)).build().map_err(unbuilt(operation))?;
        let request = self.s3.put_bucket_tagging().bucket(self.name).set_expected_bucket_owner(self.owner());
        request.tagging(set).send().await.named(operation).map(|_| ())
    }

    /// Whether versions are kept.
    pub async fn versioning(&self) -> Result<bool, CloudError> {
        let request =
            self.s3.get_bucket_versioning().bucket(self.name).set_expected_bucket_owner(self.owner());
        let error = match request.send().await {
            Ok(answer) => return Ok(answer.status == Some(BucketVersioningStatus::Enabled)),
            Err(error) => error,
        };
        // Some servers that speak S3's protocol, moto 5.2 among them, answer with another XML root
        // than S3, which the SDK does not read. The answer is there all the same.
        let answer = error.raw_response().filter(|answer| answer.status().is_success());
        match answer.and_then(|answer| answer.body().bytes()) {
            Some(text) => Ok(String::from_utf8_lossy(text).contains("<Status>Enabled</Status>")),
            None => Err(error).named("s3:GetBucketVersioning"),
        }
    }

    /// Keeps versions, or no new ones.
    pub async fn set_versioning(&self, on: bool) -> Result<(), CloudError> {
        let status = if on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let wanted = VersioningConfiguration::builder().status(status).build();
        let request =
            self.s3.put_bucket_versioning().bucket(self.name).set_expected_bucket_owner(self.owner());
        let answer = request.versioning_configuration(wanted).send().await;
        answer.named("s3:PutBucketVersioning").map(|_| ())
    }

    /// The algorithm of the default encryption: `AES256`, `aws:kms`.
    pub async fn encryption(&self) -> Result<Option<String>, CloudError> {
        let request =
            self.s3.get_bucket_encryption().bucket(self.name).set_expected_bucket_owner(self.owner());
        let answer = unless_unset(request.send().await.named("s3:GetEncryptionConfiguration"))?;
        let have = answer.and_then(|answer| answer.server_side_encryption_configuration);
        let rules = have.iter().flat_map(|all| &all.rules);
        let default = rules.filter_map(|rule| rule.apply_server_side_encryption_by_default.as_ref()).next();
        Ok(default.map(|default| default.sse_algorithm.to_string()))
    }

    /// Encrypts new objects so, where their writers name no other way.
    pub async fn set_encryption(&self, algorithm: &str) -> Result<(), CloudError> {
        let operation = "s3:PutEncryptionConfiguration";
        let algorithm = ServerSideEncryption::from(algorithm);
        let default = ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm);
        let default = default.build().map_err(unbuilt(operation))?;
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
        let all = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build();
        let request =
            self.s3.put_bucket_encryption().bucket(self.name).set_expected_bucket_owner(self.owner());
        let request = request.server_side_encryption_configuration(all.map_err(unbuilt(operation))?);
        request.send().await.named(operation).map(|_| ())
    }

    /// Whether every kind of public access is blocked.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    pub async fn privacy(&self) -> Result<bool, CloudError> {
        let request =
            self.s3.get_public_access_block().bucket(self.name).set_expected_bucket_owner(self.owner());
        let answer = unless_unset(request.send().await.named("s3:GetBucketPublicAccessBlock"))?;
        let have = answer.and_then(|answer| answer.public_access_block_configuration);
        Ok(have == Some(access(true)))
    }

    /// Blocks every kind of public access, or none.
    pub async fn set_privacy(&self, on: bool) -> Result<(), CloudError> {
        let request =
            self.s3.put_public_access_block().bucket(self.name).set_expected_bucket_owner(self.owner());
        let answer = request.public_access_block_configuration(access(on)).send().await;
        answer.named("s3:PutBucketPublicAccessBlock").map(|_| ())
    }

    /// Its policy, if it has one.
    pub async fn policy(&self) -> Result<Option<String>, CloudError> {
        let request = self.s3.get_bucket_policy().bucket(self.name).set_expected_bucket_owner(self.owner());
        let answer = unless_unset(request.send().await.named("s3:GetBucketPolicy"))?;
        Ok(answer.and_then(|answer| answer.policy))
    }

    /// Gives it this policy instead of any other.
    pub async fn set_policy(&self, policy: &str) -> Result<(), CloudError> {
        let request = self.s3.put_bucket_policy().bucket(self.name).set_expected_bucket_owner(self.owner());
        request.policy(policy).send().await.named("s3:PutBucketPolicy").map(|_| ())
    }
}

fn access(blocked: bool) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(blocked)
        .ignore_public_acls(blocked)
        .block_public_policy(blocked)
        .restrict_public_buckets(blocked)
        .build()
}

fn tag_list(tags: Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    tags.into_iter().map(tag).collect::<Result<_, _>>().map_err(unbuilt("s3:PutBucketTagging"))
}
