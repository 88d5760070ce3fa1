//! What becomes of older versions in the state bucket: every write of the state and every entry of a
//! journal that was trimmed leaves one behind. Rules of others stay as they are.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>

use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use lh_kind::CloudError;

use crate::{
    bucket::{lifecycle::PUT, unbuilt},
    store::StatePlace,
};

/// Days that an earlier state is kept, for `state rollback`.
const STATES: i32 = 365;
/// So many earlier states are kept however old they are: the most that S3 counts.
const NEWEST: i32 = 100;
/// Days that what is left of a journal, or of a forgotten run, is kept.
const LEFTOVERS: i32 = 30;

/// Said of it in the report.
pub(super) const DETAIL: &str =
    "earlier states stay for 365 days, and the newest 100 of them for ever; what is left of journals for 30";

/// The rules of the state at `place`. The state's prefix is that of its journal too: of two rules for
/// one version, S3 follows the shorter.
fn wanted(place: &StatePlace) -> Result<Vec<LifecycleRule>, CloudError> {
    let rule = |what: &str, prefix: &str, days: i32, newest: Option<i32>| {
        let noncurrent = NoncurrentVersionExpiration::builder()
            .noncurrent_days(days)
            .set_newer_noncurrent_versions(newest)
            .build();
        let rule = LifecycleRule::builder()
            .id(format!("lhctl-{what} {}", place.key))
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
            .noncurrent_version_expiration(noncurrent);
        // What was deleted leaves a marker, which would make each list of the journal longer.
        let markers = newest
            .is_none()
            .then(|| LifecycleExpiration::builder().expired_object_delete_marker(true).build());
        rule.set_expiration(markers).build().map_err(unbuilt(PUT))
    };
    Ok(vec![
        rule("states", &place.key, STATES, Some(NEWEST))?,
        rule("journal", &place.journal(), LEFTOVERS, None)?,
        rule("runs", &place.runs(), LEFTOVERS, None)?,
    ])
}

/// Whether both delete the same after the same time. How many are kept beyond it not every store
/// that speaks S3 tells.
fn is_same(one: &LifecycleRule, other: &LifecycleRule) -> bool {
    let days = |rule: &LifecycleRule| rule.noncurrent_version_expiration.as_ref()?.noncurrent_days;
    let prefix = |rule: &LifecycleRule| rule.filter.as_ref()?.prefix.clone();
    one.status == other.status && days(one) == days(other) && prefix(one) == prefix(other)
}

/// All rules as they should be; `None` where they are.
pub(super) fn mended(
    have: Vec<LifecycleRule>,
    place: &StatePlace,
) -> Result<Option<Vec<LifecycleRule>>, CloudError> {
    let wanted = wanted(place)?;
    let is_there = |rule: &LifecycleRule| have.iter().any(|one| one.id == rule.id && is_same(one, rule));
    if wanted.iter().all(is_there) {
        return Ok(None);
    }
    let others = have.into_iter().filter(|one| wanted.iter().all(|rule| rule.id != one.id));
    Ok(Some(others.chain(wanted.clone()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_others_stay_and_ours_are_put_once() {
        let place = StatePlace { bucket: "b".into(), key: "prod.json".into(), table: "t".into() };
        let theirs = LifecycleRule::builder().id("theirs").status(ExpirationStatus::Enabled).build().unwrap();
        let all = mended(vec![theirs.clone()], &place).unwrap().unwrap();
        assert_eq!((all.len(), &all[0]), (4, &theirs));
        assert_eq!(mended(all.clone(), &place).unwrap(), None);
        let mut weakened = all.clone();
        weakened[1].status = ExpirationStatus::Disabled;
        assert_eq!(mended(weakened, &place).unwrap().map(|rules| rules.len()), Some(4));
        let other = StatePlace { key: "dev.json".into(), ..place };
        assert_eq!(mended(all, &other).unwrap().map(|rules| rules.len()), Some(7));
    }
}
