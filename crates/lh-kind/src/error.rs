//! What a call to AWS can end with, sorted by what to do about it.

use serde::{Deserialize, Serialize};

/// What kind of failure, by what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// It is not there.
    NotFound,
    /// Something of this name exists already.
    Exists,
    /// The client token was used with other parameters: the first call took effect.
    TokenMismatch,
    /// Something else still uses it, or what it needs is not visible yet: passes by itself.
    NotYet,
    /// AWS has no capacity for it now.
    Capacity,
    /// A quota of the account is used up.
    Quota,
    /// Not allowed by IAM.
    Denied,
    /// Credentials are missing, expired or wrong.
    Credentials,
    /// AWS refuses the parameters.
    Invalid,
    /// It is no longer as the plan saw it: the call was not made.
    Stale,
    /// Too many calls, and the retries are used up.
    Throttled,
    /// No answer: the effect is unknown.
    Unreachable,
    /// Anything else.
    Other,
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{operation}: {}{message}{}", code_prefix(code), request_suffix(request_id))]
pub struct CloudError {
    /// Sorted by what to do.
    pub kind: ErrorKind,
    /// The operation as in IAM, `ec2:RunInstances`.
    pub operation: String,
    /// AWS's error code; empty when no answer came.
    pub code: String,
    /// AWS's message, or what went wrong on the way.
    pub message: String,
    /// AWS's request id, for support and CloudTrail.
    pub request_id: Option<String>,
}

impl CloudError {
    /// An error without an answer from AWS.
    pub fn new(kind: ErrorKind, operation: &str, message: impl Into<String>) -> Self {
        let (operation, message) = (operation.to_owned(), message.into());
        Self { kind, operation, code: String::new(), message, request_id: None }
    }

    /// A property that had to be known by now is not: a fault of the plan, not of the user.
    pub fn unresolved(operation: &str, field: &str) -> Self {
        let message = format!("the property `{field}` was still unknown when the call was made");
        Self::new(ErrorKind::Other, operation, message)
    }

    /// Whether the call may have taken effect although it failed.
    pub fn is_uncertain(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Throttled)
    }

    /// Whether the same call may well succeed in a moment: AWS answered, and will answer again. A
    /// call without an answer has taken a minute already.
    pub fn is_passing(&self) -> bool {
        match self.kind {
            ErrorKind::Throttled => true,
            ErrorKind::Unreachable => !self.code.is_empty(),
            _ => false,
        }
    }

    /// What the user can do, where the kind of failure tells.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self.kind {
            ErrorKind::Denied => {
                "Give these credentials the permission for this operation; the plan lists every operation it needs."
            }
            ErrorKind::Credentials => {
                "Sign in (`aws sso login`, `aws configure`, or set AWS_PROFILE) and run the command again."
            }
            ErrorKind::Capacity => {
                "AWS has no such instance to give in this zone now: try later, another type, or `purchase: on-demand`."
            }
            ErrorKind::Quota => "Ask AWS for a higher quota, or release what is not used.",
            ErrorKind::Throttled => {
                "AWS limits the rate of calls in this account: wait a minute and run the command again."
            }
            ErrorKind::Unreachable => {
                "Check the network, the region and AWS_ENDPOINT_URL, then run the command again; it continues where it stopped."
            }
            ErrorKind::Stale => {
                "Plan again and look at what has changed; the new plan starts from what AWS shows now."
            }
            _ => return None,
        })
    }
}

fn code_prefix(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!("{code}: ") }
}

fn request_suffix(id: &Option<String>) -> String {
    id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default()
}
