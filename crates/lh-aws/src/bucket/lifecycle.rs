//! The one lifecycle rule that is ours. Rules of others stay as they are.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use lh_kind::CloudError;

use super::{Bucket, unbuilt, unless_unset};
use crate::error::Named;

/// The id of our rule.
const ID: &str = "lhctl-dumps";
/// The operation that writes rules.
pub(crate) const PUT: &str = "s3:PutLifecycleConfiguration";

/// What becomes of objects as they grow older, in days; `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lifecycle {
    /// The beginning of the keys that it is about.
    pub prefix: Option<String>,
    /// Until an object is deleted; with versioning, until it is no longer current.
    pub expire_days: Option<i32>,
    /// Until a version that is no longer current is deleted.
    pub noncurrent_days: Option<i32>,
    /// Until an upload that was never completed is deleted.
    pub abort_uploads_days: Option<i32>,
}

impl Lifecycle {
    /// What our rule among `rules` says; nothing where there is none, or it is switched off.
    pub fn of(rules: &[LifecycleRule]) -> Self {
        let ours = |rule: &&LifecycleRule| rule.id() == Some(ID) && rule.status == ExpirationStatus::Enabled;
        let Some(rule) = rules.iter().find(ours) else { return Self::default() };
        let abort = rule.abort_incomplete_multipart_upload.as_ref();
        Self {
            prefix: rule.filter.as_ref().and_then(|filter| filter.prefix.clone()),
            expire_days: rule.expiration.as_ref().and_then(|expiration| expiration.days),
            noncurrent_days: rule
                .noncurrent_version_expiration
                .as_ref()
                .and_then(|expiration| expiration.noncurrent_days),
            abort_uploads_days: abort.and_then(|abort| abort.days_after_initiation),
        }
    }

    fn rule(&self) -> Result<LifecycleRule, CloudError> {
        let prefix = self.prefix.clone().unwrap_or_default();
        let expiration = self.expire_days.map(|days| LifecycleExpiration::builder().days(days).build());
        let noncurrent = self
            .noncurrent_days
            .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
        let abort = self
            .abort_uploads_days
            .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        LifecycleRule::builder()
            .id(ID)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
            .set_expiration(expiration)
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(abort)
            .build()
            .map_err(unbuilt(PUT))
    }
}

impl Bucket<'_> {
    /// All lifecycle rules.
    pub async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, CloudError> {
        let request = self.s3.get_bucket_lifecycle_configuration().bucket(self.name);
        let request = request.set_expected_bucket_owner(self.owner());
        let answer = unless_unset(request.send().await.named("s3:GetLifecycleConfiguration"))?;
        Ok(answer.and_then(|answer| answer.rules).unwrap_or_default())
    }

    /// Puts our rule in the place of the one there is, beside those of others.
    pub async fn set_lifecycle(&self, wanted: &Lifecycle) -> Result<(), CloudError> {
        let mut rules = self.lifecycle().await?;
        rules.retain(|rule| rule.id() != Some(ID));
        rules.push(wanted.rule()?);
        self.set_rules(rules).await
    }

    /// Gives it these rules instead of all that it has.
    pub async fn set_rules(&self, rules: Vec<LifecycleRule>) -> Result<(), CloudError> {
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
        let request = self.s3.put_bucket_lifecycle_configuration().bucket(self.name);
        let request = request.set_expected_bucket_owner(self.owner());
        let request = request.lifecycle_configuration(all.map_err(unbuilt(PUT))?);
        request.send().await.named(PUT).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_what_was_wanted_and_says_nothing_when_switched_off() {
        let wanted = Lifecycle {
            prefix: Some("lighthouse-prod/".to_owned()),
            expire_days: Some(35),
            noncurrent_days: None,
            abort_uploads_days: Some(7),
        };
        let mut rule = wanted.rule().unwrap();
        assert_eq!(Lifecycle::of(std::slice::from_ref(&rule)), wanted);
        rule.status = ExpirationStatus::Disabled;
        assert_eq!(Lifecycle::of(&[rule]), Lifecycle::default());
    }
}
