//! From an SDK error to a [`CloudError`]: sorted by what can be done about it.

use std::{error::Error, fmt::Debug};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lh_kind::{CloudError, ErrorKind};

/// Gives a failed call its name, as in IAM, and sorts it.
pub(crate) trait Named<T> {
    /// The same result with the error as a [`CloudError`] of `operation`.
    fn named(self, operation: &str) -> Result<T, CloudError>;
}

impl<T, E, R> Named<T> for Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    fn named(self, operation: &str) -> Result<T, CloudError> {
        self.map_err(|error| cloud_error(operation, &error))
    }
}

/// Deleting what is gone already is a success.
pub(crate) fn unless_gone<T>(result: Result<T, CloudError>) -> Result<(), CloudError> {
    match result {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The error of `operation` (named as in IAM), sorted.
pub(crate) fn cloud_error<E, R>(operation: &str, error: &SdkError<E, R>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let chain = chain_of(error);
    if let Some(from) = chain.iter().position(|cause| cause.is::<CredentialsError>()) {
        let profile = profile().map(|name| format!(" (AWS_PROFILE is `{name}`)")).unwrap_or_default();
        let message = format!("no usable AWS credentials were found{profile}: {}", told(&chain[from..]));
        return CloudError::new(ErrorKind::Credentials, operation, message);
    }
    match error {
        SdkError::ServiceError(answer) => service_error(operation, error.meta(), status(answer.raw())),
        SdkError::ConstructionFailure(_) => CloudError::new(
            ErrorKind::Other,
            operation,
            format!("the request could not be built: {}", told(&chain)),
        ),
        _ => {
            let service = operation.split(':').next().unwrap_or(operation);
            let message = format!("the service {service} gave no usable answer: {}", told(&chain));
            CloudError::new(ErrorKind::Unreachable, operation, message)
        }
    }
}

/// The profile that credentials are taken from: one that does not exist is skipped by the SDK's
/// chain without a word.
fn profile() -> Option<String> {
    std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty())
}

fn status<R: 'static>(raw: &R) -> Option<u16> {
    let raw: &dyn std::any::Any = raw;
    raw.downcast_ref::<HttpResponse>().map(|answer| answer.status().as_u16())
}

/// An answer without a body, as S3 gives to some requests, has no code but its status:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn code_of(status: u16) -> &'static str {
    match status {
        403 => "AccessDenied",
        404 => "NotFound",
        409 => "Conflict",
        412 => "PreconditionFailed",
        429 => "TooManyRequestsException",
        503 => "ServiceUnavailable",
        500..=599 => "InternalError",
        _ => "UnknownError",
    }
}

fn service_error(
    operation: &str,
    meta: &aws_smithy_types::error::ErrorMetadata,
    status: Option<u16>,
) -> CloudError {
    let code = meta.code().or(status.map(code_of)).unwrap_or("UnknownError").to_owned();
    let message = match (meta.message(), status) {
        (Some(message), _) => message.to_owned(),
        (None, Some(status)) => format!("AWS answered with HTTP {status} and no explanation"),
        (None, None) => "AWS gave no further explanation".to_owned(),
    };
    let kind = sort(&code, &message);
    let request_id = meta.request_id().map(str::to_owned);
    CloudError { kind, operation: operation.to_owned(), code, message, request_id }
}

/// The error and everything behind it.
fn chain_of<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let (mut chain, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        chain.push(error);
        next = error.source();
    }
    chain
}

/// Layers of the SDK that say only that something below them failed.
const EMPTY_WORDS: [&str; 2] = ["dispatch failure", "other"];

/// The causes in one sentence; what a cause repeats of the one before it is left out.
fn told(chain: &[&(dyn Error + 'static)]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let empty = text.is_empty() || EMPTY_WORDS.contains(&text.as_str());
        if !empty && !texts.iter().any(|told| told.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

/// Error codes as the API references of the services list them.
fn sort(code: &str, message: &str) -> ErrorKind {
    if let Some(kind) = by_message(message) {
        return kind;
    }
    match code {
        "NoSuchEntity"
        | "NoSuchBucket"
        | "NoSuchBucketPolicy"
        | "NoSuchKey"
        | "NoSuchLifecycleConfiguration"
        | "NoSuchPublicAccessBlockConfiguration"
        | "NoSuchTagSet"
        | "NotFound"
        | "ResourceNotFound"
        | "ResourceNotFoundException"
        | "DashboardNotFoundError"
        | "ServerSideEncryptionConfigurationNotFoundError"
        | "NoSuchEntityException"
        | "NoSuchHostedZone"
        | "NoSuchChange"
        | "NotFoundException"
        | "ParameterNotFound"
        | "InvalidResourceId"
        | "InvalidSecurityGroupRuleId.NotFound"
        | "InvalidSpotInstanceRequestID.NotFound" => ErrorKind::NotFound,
        "EntityAlreadyExists"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "AlreadyExistsException"
        | "EntityAlreadyExistsException"
        | "ParameterAlreadyExists"
        | "ResourceExistsException"
        | "ResourceAlreadyExistsException"
        | "InvalidGroup.Duplicate"
        | "InvalidPermission.Duplicate"
        | "InvalidKeyPair.Duplicate" => ErrorKind::Exists,
        "IdempotentParameterMismatch" | "IdempotentInstanceTerminated" => ErrorKind::TokenMismatch,
        "DependencyViolation"
        | "IncorrectState"
        | "IncorrectInstanceState"
        | "IncorrectModificationState"
        | "IncorrectSpotRequestState"
        | "VolumeInUse"
        | "InvalidIPAddress.InUse"
        | "InvalidGroup.InUse"
        | "DeleteConflict"
        | "DeleteConflictException"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "ConcurrentAccess"
        | "OperationAbortedException"
        | "EntityTemporarilyUnmodifiable"
        | "InstanceNotReady"
        | "OperationAborted"
        | "OperationNotPermitted.InstanceNotReady" => ErrorKind::NotYet,
        "InsufficientInstanceCapacity"
        | "InsufficientHostCapacity"
        | "InsufficientReservedInstanceCapacity"
        | "InsufficientCapacity"
        | "InsufficientCapacityOnHost"
        | "InsufficientVolumeCapacity"
        | "InsufficientAddressCapacity"
        | "SpotMaxPriceTooLow"
        | "Unsupported.SpotCapacity" => ErrorKind::Capacity,
        "MaxSpotInstanceCountExceeded"
        | "VcpuLimitExceeded"
        | "VolumeLimitExceeded"
        | "MaxIOPSLimitExceeded"
        | "ParameterLimitExceeded"
        | "ServiceQuotaExceededException" => ErrorKind::Quota,
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "OptInRequired" => ErrorKind::Denied,
        "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "InvalidToken" => ErrorKind::Credentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "Throttled"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException"
        | "TooManyUpdates" => ErrorKind::Throttled,
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "Unavailable"
        | "ServiceFailure"
        | "InternalServiceError"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "RequestTimeout"
        | "RequestTimeoutException" => ErrorKind::Unreachable,
        "ValidationError"
        | "ValidationException"
        | "MissingParameter"
        | "MissingParameterValueException"
        | "MalformedPolicyDocument"
        | "Unsupported"
        | "UnsupportedOperation" => ErrorKind::Invalid,
        _ => by_shape(code),
    }
}

/// What a general code does not tell, and its sentence does.
fn by_message(message: &str) -> Option<ErrorKind> {
    // IAM is eventually consistent: a profile or role made a moment ago is not yet seen by EC2 and
    // AWS Backup, nor what was attached to it. A plan may still show a selection deleted before it.
    let young = [
        "Invalid IAM Instance Profile",
        "cannot be assumed by AWS Backup",
        "is not authorized to call tag:GetResources",
        "Related backup plan selections must be deleted prior",
    ];
    // AWS Backup says so under a code for wrong parameters.
    let gone = ["Cannot find Selection with", "Cannot find Backup plan with"];
    if young.iter().any(|text| message.contains(text)) {
        return Some(ErrorKind::NotYet);
    }
    gone.iter().any(|text| message.contains(text)).then_some(ErrorKind::NotFound)
}

/// Codes that follow AWS's naming without being listed one by one.
fn by_shape(code: &str) -> ErrorKind {
    if code.ends_with(".NotFound") {
        ErrorKind::NotFound
    } else if code.ends_with("LimitExceeded") || code.ends_with("LimitExceededException") {
        ErrorKind::Quota
    } else if code.starts_with("Invalid") || code.ends_with(".Malformed") {
        ErrorKind::Invalid
    } else {
        ErrorKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_to_do_about_them() {
        let cases = [
            ("InvalidVolume.NotFound", ErrorKind::NotFound),
            ("InvalidInstanceID.NotFound", ErrorKind::NotFound),
            ("NoSuchEntity", ErrorKind::NotFound),
            ("EntityAlreadyExists", ErrorKind::Exists),
            ("InvalidPermission.Duplicate", ErrorKind::Exists),
            ("IdempotentParameterMismatch", ErrorKind::TokenMismatch),
            ("DependencyViolation", ErrorKind::NotYet),
            ("InvalidIPAddress.InUse", ErrorKind::NotYet),
            ("InsufficientInstanceCapacity", ErrorKind::Capacity),
            ("VcpuLimitExceeded", ErrorKind::Quota),
            ("InstanceLimitExceeded", ErrorKind::Quota),
            ("UnauthorizedOperation", ErrorKind::Denied),
            ("ExpiredToken", ErrorKind::Credentials),
            ("InvalidParameterValue", ErrorKind::Invalid),
            ("RequestLimitExceeded", ErrorKind::Throttled),
            ("InternalError", ErrorKind::Unreachable),
            ("ResourceNotFound", ErrorKind::NotFound),
            ("ResourceAlreadyExistsException", ErrorKind::Exists),
            ("OperationAbortedException", ErrorKind::NotYet),
            ("AuthorizationError", ErrorKind::Denied),
            ("SomethingNew", ErrorKind::Other),
        ];
        for (code, kind) in cases {
            assert_eq!(sort(code, ""), kind, "{code}");
        }
        let young =
            "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name";
        assert_eq!(sort("InvalidParameterValue", young), ErrorKind::NotYet);
    }

    #[test]
    fn the_causes_of_an_unanswered_call_are_told_in_one_sentence() {
        type Sdk = SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, ()>;
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let error = cloud_error("sts:GetCallerIdentity", &Sdk::timeout_error(refused));
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.is_uncertain());
        assert!(error.message.contains("the service sts gave no usable answer"), "{}", error.message);
        assert!(error.message.contains("connection refused"), "{}", error.message);
    }

    #[test]
    fn missing_credentials_are_told_apart_from_a_missing_network() {
        type Sdk = SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, ()>;
        let none = CredentialsError::not_loaded("no providers in chain provided credentials");
        let error = cloud_error("sts:GetCallerIdentity", &Sdk::construction_failure(none));
        assert_eq!(error.kind, ErrorKind::Credentials);
        assert!(error.advice().is_some());
    }
}
