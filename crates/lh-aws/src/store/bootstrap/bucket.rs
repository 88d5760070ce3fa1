//! The state bucket: versioned, encrypted, private, TLS only, state written on conditions only.

use lh_kind::CloudError;
use lh_state::StoreError;

use super::{Done, Outcome, Report, lifecycle, policy};
use crate::{
    bucket::{Bucket, Presence},
    pace::patiently,
    store::{StatePlace, StoreClients, failed},
};

/// What objects are encrypted with where nobody chose otherwise.
const ALGORITHM: &str = "AES256";

struct Work<'a> {
    clients: &'a StoreClients,
    bucket: Bucket<'a>,
}

pub(super) async fn make(
    clients: &StoreClients,
    place: &StatePlace,
    account: &str,
) -> Result<Vec<Done>, StoreError> {
    let bucket =
        Bucket { s3: &clients.s3, name: &place.bucket, region: &clients.region, account: Some(account) };
    let work = Work { clients, bucket };
    let mut report = Report::new(format!("bucket {}", place.bucket));
    let wrong = |error: CloudError| work.failed(&error);
    if work.exists().await? {
        report.note("bucket", Outcome::Right, format!("in {}", clients.region));
    } else {
        work.create().await?;
        report.note("bucket", Outcome::Created, format!("in {}", clients.region));
    }
    let outcome = work.versioning().await.map_err(wrong)?;
    report.note("versioning", outcome, "earlier states are kept");
    let (outcome, algorithm) = work.encryption().await.map_err(wrong)?;
    report.note("encryption", outcome, format!("{algorithm} by default"));
    let outcome = work.privacy().await.map_err(wrong)?;
    report.note("public access", outcome, "blocked");
    let outcome = work.lifecycle(place).await.map_err(wrong)?;
    report.note("lifecycle", outcome, lifecycle::DETAIL);
    if clients.plain_http {
        // The policy would shut this very run out; it is for AWS, whose endpoints speak TLS.
        report.note("policy", Outcome::Right, "left out: this endpoint of S3 is reached without TLS");
    } else {
        let outcome = work.policy(place).await.map_err(wrong)?;
        report.note("policy", outcome, "TLS only; the state is written only with If-Match or If-None-Match");
    }
    Ok(report.done)
}

impl Work<'_> {
    /// Whether the bucket is there, this account's, and in this region.
    async fn exists(&self) -> Result<bool, StoreError> {
        match self.bucket.presence().await.map_err(|error| self.failed(&error))? {
            Presence::Here => Ok(true),
            Presence::Absent => Ok(false),
            Presence::Elsewhere(there) => Err(self.elsewhere(&there)),
            Presence::Foreign => Err(self.foreign()),
        }
    }

    fn place(&self) -> String {
        format!("s3://{}", self.bucket.name)
    }

    fn failed(&self, error: &CloudError) -> StoreError {
        failed(self.place(), error)
    }

    fn refusal(&self, reason: String, fix: &str) -> StoreError {
        StoreError::Remote { place: self.place(), reason, fix: fix.to_owned() }
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
            self.bucket.account.unwrap_or_default()
        );
        self.refusal(
            reason,
            "Bucket names are shared by all AWS accounts: choose another name for `state.bucket`; or use credentials of the account that owns it.",
        )
    }

    async fn create(&self) -> Result<(), StoreError> {
        match self.bucket.create(Default::default()).await {
            Ok(()) => Ok(()),
            // The answer to an earlier attempt was lost.
            Err(error) if error.code == "BucketAlreadyOwnedByYou" => Ok(()),
            Err(error) if error.code == "BucketAlreadyExists" => Err(self.foreign()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn versioning(&self) -> Result<Outcome, CloudError> {
        let pace = self.clients.pace.as_ref();
        if patiently(pace, async || self.bucket.versioning().await).await? {
            return Ok(Outcome::Right);
        }
        patiently(pace, async || self.bucket.set_versioning(true).await).await?;
        Ok(Outcome::Mended)
    }

    /// Any default encryption is right: that with a KMS key is the stricter one.
    async fn encryption(&self) -> Result<(Outcome, String), CloudError> {
        if let Some(algorithm) = self.bucket.encryption().await? {
            return Ok((Outcome::Right, algorithm));
        }
        let pace = self.clients.pace.as_ref();
        patiently(pace, async || self.bucket.set_encryption(ALGORITHM).await).await?;
        Ok((Outcome::Mended, ALGORITHM.to_owned()))
    }

    async fn privacy(&self) -> Result<Outcome, CloudError> {
        if self.bucket.privacy().await? {
            return Ok(Outcome::Right);
        }
        let pace = self.clients.pace.as_ref();
        patiently(pace, async || self.bucket.set_privacy(true).await).await?;
        Ok(Outcome::Mended)
    }

    /// Rules of others stay as they are.
    async fn lifecycle(&self, place: &StatePlace) -> Result<Outcome, CloudError> {
        let Some(wanted) = lifecycle::mended(self.bucket.lifecycle().await?, place)? else {
            return Ok(Outcome::Right);
        };
        let pace = self.clients.pace.as_ref();
        patiently(pace, async || self.bucket.set_rules(wanted.clone()).await).await?;
        Ok(Outcome::Mended)
    }

    /// Statements of others stay as they are.
    async fn policy(&self, place: &StatePlace) -> Result<Outcome, CloudError> {
        let have = self.bucket.policy().await?;
        let Some(wanted) = policy::mended(have.as_deref(), place, &self.clients.region)? else {
            return Ok(Outcome::Right);
        };
        let pace = self.clients.pace.as_ref();
        patiently(pace, async || self.bucket.set_policy(&wanted).await).await?;
        Ok(Outcome::Mended)
    }
}
