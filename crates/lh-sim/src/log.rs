//! The log of calls in this process, and how many rounds they took.
//!
//! A round is a unit of waiting: calls that overlap share one. It is for assertions on how a
//! client batches its calls, not for timing.

use crate::outcome::Service;

/// One attempt of one call, as it came to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The place in the log, from 1.
    pub seq: u64,
    /// The service as IAM names it: `ec2`, `secretsmanager`, ….
    pub service: String,
    /// The operation, such as `RunInstances`.
    pub operation: String,
    /// Whether the operation can change the world.
    pub mutating: bool,
    /// The number among the mutating calls that reached the world, which fuses count.
    pub mutation: Option<u64>,
    /// One more than the largest round of the calls that had completed when this one started.
    pub round: usize,
    /// The request id of the answer.
    pub request_id: String,
    /// The service's error code, or what became of the answer; none for a success.
    pub error: Option<String>,
}

impl Call {
    /// The permission that the call needs, as IAM names it. Only S3 names permissions otherwise than
    /// operations: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>.
    pub fn action(&self) -> String {
        let prefix = match Service::from_sdk(&self.service) {
            Some(service) => service.prefix().to_owned(),
            None => self.service.clone(),
        };
        let name = match (prefix.as_str(), self.operation.as_str()) {
            ("s3", "HeadBucket" | "ListObjectsV2") => "ListBucket",
            ("s3", "ListObjectVersions") => "ListBucketVersions",
            ("s3", "HeadObject") => "GetObject",
            ("s3", "DeleteObjects") => "DeleteObject",
            ("s3", "GetBucketEncryption") => "GetEncryptionConfiguration",
            ("s3", "PutBucketEncryption") => "PutEncryptionConfiguration",
            ("s3", "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
            ("s3", "PutPublicAccessBlock") => "PutBucketPublicAccessBlock",
            ("s3", "GetBucketLifecycleConfiguration") => "GetLifecycleConfiguration",
            ("s3", "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle") => {
                "PutLifecycleConfiguration"
            }
            ("s3", "DeleteBucketTagging") => "PutBucketTagging",
            (_, other) => other,
        };
        format!("{prefix}:{name}")
    }
}

/// The log of a process.
#[derive(Debug, Default)]
pub(crate) struct Log {
    calls: Vec<Call>,
    started: u64,
    next: u64,
    completed: usize,
}

impl Log {
    /// A call starts now; the answer is its round.
    pub fn start(&mut self) -> usize {
        self.started += 1;
        self.completed + 1
    }

    /// How many calls have started so far.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// A call that started in `call.round` is complete.
    pub fn complete(&mut self, mut call: Call) {
        self.next += 1;
        call.seq = self.next;
        self.completed = self.completed.max(call.round);
        self.calls.push(call);
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.clone()
    }

    /// The longest chain of calls of which each started after the one before had completed.
    pub fn rounds(&self) -> usize {
        self.calls.iter().map(|call| call.round).max().unwrap_or(0)
    }

    /// Starts over.
    pub fn forget(&mut self) {
        *self = Log::default();
    }
}
