//! The state bucket: versioned, encrypted, private, TLS only, state written on conditions only.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};
use aws_smithy_types::error::operation::BuildError;
use lh_kind::{CloudError, ErrorKind};
use lh_state::StoreError;

use super::{Done, Outcome, Report, patiently, policy};
use crate::{
    error::Named,
    store::{StatePlace, StoreClients, failed},
};

/// The region whose buckets are created without a location constraint.
const FIRST_REGION: &str = "us-east-1";

struct Work<'a> {
    clients: &'a StoreClients,
    bucket: &'a str,
    account: &'a str,
}

pub(super) async fn make(
    clients: &StoreClients,
    place: &StatePlace,
    account: &str,
) -> Result<Vec<Done>, StoreError> {
    let work = Work { clients, bucket: &place.bucket, account };
    let mut report = Report::new(format!("bucket {}", place.bucket));
    let wrong = |error: CloudError| failed(format!("s3://{}", place.bucket), &error);
    if work.exists().await? {
        report.note("bucket", Outcome::Right, format!("in {}", clients.region));
    } else {
        work.create().await?;
        report.note("bucket", Outcome::Created, format!("in {}", clients.region));
    }
    let outcome = work.versioning().await.map_err(wrong)?;
    report.note("versioning", outcome, "every earlier state is kept");
    let (outcome, algorithm) = work.encryption().await.map_err(wrong)?;
    report.note("encryption", outcome, format!("{algorithm} by default"));
    let outcome = work.privacy().await.map_err(wrong)?;
    report.note("public access", outcome, "blocked");
    let outcome = work.policy(place).await.map_err(wrong)?;
    report.note("policy", outcome, "TLS only; the state is written only with If-Match or If-None-Match");
    Ok(report.done)
}

fn unbuilt(operation: &'static str) -> impl Fn(BuildError) -> CloudError {
    move |error| CloudError::new(ErrorKind::Other, operation, error.to_string())
}

impl Work<'_> {
    /// Whether the bucket is there, this account's, and in this region. An answer to `HeadBucket`
    /// has no body, so only its status tells.
    async fn exists(&self) -> Result<bool, StoreError> {
        let request = self.clients.s3.head_bucket().bucket(self.bucket).expected_bucket_owner(self.account);
        let error = match request.send().await {
            Ok(answer) => {
                let there = answer.bucket_region.unwrap_or_default();
                let here = there.is_empty() || there == self.clients.region;
                return if here { Ok(true) } else { Err(self.elsewhere(&there)) };
            }
            Err(error) => error,
        };
        match error.raw_response().map(|answer| answer.status().as_u16()) {
            Some(404) => Ok(false),
            Some(301) => Err(self.elsewhere("another region")),
            Some(403) => Err(self.foreign()),
            _ => {
                let error = Err::<(), _>(error).named("s3:ListBucket");
                error.map(|()| true).map_err(|error| failed(format!("s3://{}", self.bucket), &error))
            }
        }
    }

    fn refusal(&self, reason: String, fix: &str) -> StoreError {
        StoreError::Remote { place: format!("s3://{}", self.bucket), reason, fix: fix.to_owned() }
    }

    fn elsewhere(&self, region: &str) -> StoreError {
        let reason = format!("the bucket is in {region}, not in {}", self.clients.region);
        self.refusal(
            reason,
            "Name its region with `state.region` in the stack file, or choose another bucket.",
        )
    }

    fn foreign(&self) -> StoreError {
        let reason = format!(
            "the bucket belongs to another AWS account, or the credentials for account {} may not see it; nothing was changed",
            self.account
        );
        self.refusal(
            reason,
            "Bucket names are shared by all AWS accounts: choose another name for `state.bucket`; or use credentials of the account that owns it.",
        )
    }

    async fn create(&self) -> Result<(), StoreError> {
        let region = self.clients.region.as_str();
        let constraint = (region != FIRST_REGION).then(|| {
            let place = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(place).build()
        });
        let request = self.clients.s3.create_bucket().bucket(self.bucket);
        let answer = request.set_create_bucket_configuration(constraint).send().await;
        match answer.named("s3:CreateBucket") {
            Ok(_) => Ok(()),
            // The answer to an earlier attempt was lost.
            Err(error) if error.code == "BucketAlreadyOwnedByYou" => Ok(()),
            Err(error) if error.code == "BucketAlreadyExists" => Err(self.foreign()),
            Err(error) => Err(failed(format!("s3://{}", self.bucket), &error)),
        }
    }

    async fn versioning(&self) -> Result<Outcome, CloudError> {
        let s3 = &self.clients.s3;
        let get = async || {
            let request = s3.get_bucket_versioning().bucket(self.bucket);
            request.expected_bucket_owner(self.account).send().await.named("s3:GetBucketVersioning")
        };
        match patiently(self.clients.pace.as_ref(), get).await {
            Ok(answer) if answer.status == Some(BucketVersioningStatus::Enabled) => {
                return Ok(Outcome::Right);
            }
            Ok(_) => {}
            // moto 5.2 answers with another XML root than S3, which the SDK cannot read: then it is
            // set, whether it was or not.
            Err(error) if error.code == "UnknownError" => {}
            Err(error) => return Err(error),
        }
        let wanted = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = async || {
            let request = s3.put_bucket_versioning().bucket(self.bucket);
            let request =
                request.expected_bucket_owner(self.account).versioning_configuration(wanted.clone());
            request.send().await.named("s3:PutBucketVersioning")
        };
        patiently(self.clients.pace.as_ref(), put).await?;
        Ok(Outcome::Mended)
    }

    /// Any default encryption is right: that with a KMS key is the stricter one.
    async fn encryption(&self) -> Result<(Outcome, String), CloudError> {
        let (s3, operation) = (&self.clients.s3, "s3:PutEncryptionConfiguration");
        let request = s3.get_bucket_encryption().bucket(self.bucket).expected_bucket_owner(self.account);
        let have = match request.send().await.named("s3:GetEncryptionConfiguration") {
            Ok(answer) => answer.server_side_encryption_configuration,
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let default = have.iter().flat_map(|all| &all.rules);
        let default = default.filter_map(|rule| rule.apply_server_side_encryption_by_default.as_ref()).next();
        if let Some(default) = default {
            return Ok((Outcome::Right, default.sse_algorithm.to_string()));
        }
        let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
        let default = default.build().map_err(unbuilt(operation))?;
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
        let all = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build();
        let all = all.map_err(unbuilt(operation))?;
        let put = async || {
            let request = s3.put_bucket_encryption().bucket(self.bucket).expected_bucket_owner(self.account);
            request.server_side_encryption_configuration(all.clone()).send().await.named(operation)
        };
        patiently(self.clients.pace.as_ref(), put).await?;
        Ok((Outcome::Mended, ServerSideEncryption::Aes256.to_string()))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
    async fn privacy(&self) -> Result<Outcome, CloudError> {
        let s3 = &self.clients.s3;
        let request = s3.get_public_access_block().bucket(self.bucket).expected_bucket_owner(self.account);
        let have = match request.send().await.named("s3:GetBucketPublicAccessBlock") {
            Ok(answer) => answer.public_access_block_configuration,
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let wanted = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        if have.as_ref() == Some(&wanted) {
            return Ok(Outcome::Right);
        }
        let put = async || {
            let request =
                s3.put_public_access_block().bucket(self.bucket).expected_bucket_owner(self.account);
            let request = request.public_access_block_configuration(wanted.clone());
            request.send().await.named("s3:PutBucketPublicAccessBlock")
        };
        patiently(self.clients.pace.as_ref(), put).await?;
        Ok(Outcome::Mended)
    }

    /// Statements of others stay as they are.
    async fn policy(&self, place: &StatePlace) -> Result<Outcome, CloudError> {
        let s3 = &self.clients.s3;
        let request = s3.get_bucket_policy().bucket(self.bucket).expected_bucket_owner(self.account);
        let have = match request.send().await.named("s3:GetBucketPolicy") {
            Ok(answer) => answer.policy,
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(wanted) = policy::mended(have.as_deref(), place, &self.clients.region)? else {
            return Ok(Outcome::Right);
        };
        let put = async || {
            let request = s3.put_bucket_policy().bucket(self.bucket).expected_bucket_owner(self.account);
            request.policy(&wanted).send().await.named("s3:PutBucketPolicy")
        };
        patiently(self.clients.pace.as_ref(), put).await?;
        Ok(Outcome::Mended)
    }
}
