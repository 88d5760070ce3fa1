//! The gate: while a plan is carried out, an operation that it does not list is not sent.
//!
//! A plan is a contract about what is called, and the policy made from it allows no more. A kind
//! that called something else would be a fault of lhctl; it fails here, before anything happens.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeSerializationInterceptorContextRef},
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// What may be called; everything while it is open. Clones are handles to the same gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<Option<BTreeSet<String>>>>);

/// An operation that the plan does not list.
#[derive(Debug, thiserror::Error)]
#[error("{0} was not called, since the plan does not list it. This is a fault of lhctl; please report it")]
struct Unlisted(String);

impl Gate {
    /// Lets only these operations through, named as in IAM, or everything.
    pub fn hold_to(&self, calls: Option<BTreeSet<String>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    fn check(&self, action: String) -> Result<(), Unlisted> {
        let listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passes = listed.as_ref().is_none_or(|listed| listed.contains(&action));
        if passes { Ok(()) } else { Err(Unlisted(action)) }
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "lhctl gate"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match cfg.load::<Metadata>() {
            Some(call) => Ok(self.check(action(call.service(), call.name()))?),
            None => Ok(()),
        }
    }
}

/// The permission that an operation needs, as IAM names it. Only S3 names them otherwise than its
/// operations (Service Authorization Reference, "Actions defined by Amazon S3").
pub(crate) fn action(service: &str, operation: &str) -> String {
    let prefix = match service {
        "CloudWatch Logs" => "logs".to_owned(),
        "Resource Groups Tagging API" => "tag".to_owned(),
        "Route 53" => "route53".to_owned(),
        "Secrets Manager" => "secretsmanager".to_owned(),
        other => other.to_lowercase(),
    };
    let name = match (prefix.as_str(), operation) {
        ("s3", "HeadBucket" | "ListObjects" | "ListObjectsV2") => "ListBucket",
        ("s3", "ListObjectVersions") => "ListBucketVersions",
        ("s3", "ListBuckets") => "ListAllMyBuckets",
        ("s3", "HeadObject") => "GetObject",
        ("s3", "DeleteObjects") => "DeleteObject",
        ("s3", "GetBucketEncryption") => "GetEncryptionConfiguration",
        ("s3", "PutBucketEncryption" | "DeleteBucketEncryption") => "PutEncryptionConfiguration",
        ("s3", "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
        ("s3", "PutPublicAccessBlock" | "DeletePublicAccessBlock") => "PutBucketPublicAccessBlock",
        ("s3", "GetBucketLifecycleConfiguration") => "GetLifecycleConfiguration",
        ("s3", "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle") => "PutLifecycleConfiguration",
        ("s3", "DeleteBucketTagging") => "PutBucketTagging",
        (_, other) => other,
    };
    format!("{prefix}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_as_iam_names_them() {
        let cases = [
            (("EC2", "RunInstances"), "ec2:RunInstances"),
            (("CloudWatch Logs", "CreateLogGroup"), "logs:CreateLogGroup"),
            (("Resource Groups Tagging API", "GetResources"), "tag:GetResources"),
            (("Secrets Manager", "CreateSecret"), "secretsmanager:CreateSecret"),
            (("S3", "GetPublicAccessBlock"), "s3:GetBucketPublicAccessBlock"),
            (("S3", "CreateBucket"), "s3:CreateBucket"),
        ];
        for ((service, operation), wanted) in cases {
            assert_eq!(action(service, operation), wanted);
        }
    }

    #[test]
    fn a_held_gate_lets_only_through_what_is_listed() {
        let gate = Gate::default();
        assert!(gate.check("ec2:RunInstances".into()).is_ok());
        gate.hold_to(Some(["ec2:DescribeVolumes".to_owned()].into()));
        assert!(gate.check("ec2:DescribeVolumes".into()).is_ok());
        let refused = gate.check("ec2:RunInstances".into()).unwrap_err().to_string();
        assert!(refused.starts_with("ec2:RunInstances was not called, since the plan does not list it."));
        gate.hold_to(None);
        assert!(gate.check("ec2:RunInstances".into()).is_ok());
    }
}
