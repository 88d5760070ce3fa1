//! What a call comes to when it is not a success: the service's error, and its wire formats.
//!
//! Successes have no wire format here: their typed output bypasses deserialization.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::operation::BuildError;

/// An error answer of a service: the HTTP status, the service's code and its message.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The service's error code, such as `InvalidVolume.NotFound`.
    pub code: String,
    /// The sentence AWS would say.
    pub message: String,
}

impl ApiError {
    /// A client error, HTTP 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    /// An error with a status of its own, such as IAM's 404 and 409.
    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        ApiError { status, code: code.to_owned(), message: message.into() }
    }

    /// EC2's error for a parameter that is needed and was not given.
    pub fn missing(parameter: &str) -> Self {
        Self::new("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    /// EC2's error for a value that a parameter cannot have.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }
}

/// An SDK output misses a required field: a mistake of the simulation, told as an internal error.
impl From<BuildError> for ApiError {
    fn from(error: BuildError) -> Self {
        Self::with_status(501, "SimulationDefect", error.to_string())
    }
}

/// The services that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// AWS Backup.
    Backup,
    /// CloudWatch: alarms and dashboards.
    CloudWatch,
    /// DynamoDB.
    DynamoDb,
    /// Elastic Compute Cloud.
    Ec2,
    /// Identity and Access Management.
    Iam,
    /// Key Management Service.
    Kms,
    /// CloudWatch Logs.
    Logs,
    /// Route 53.
    Route53,
    /// Simple Storage Service.
    S3,
    /// Secrets Manager.
    Secrets,
    /// Simple Notification Service.
    Sns,
    /// Systems Manager.
    Ssm,
    /// Security Token Service.
    Sts,
    /// The Resource Groups Tagging API.
    Tagging,
}

/// How errors look on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#api-error-response>
    Ec2Query,
    /// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization>;
    /// Route 53 wraps its errors in the same way.
    Query,
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses>
    S3,
    /// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
    Json,
}

impl Service {
    /// The service that the SDK calls by this id.
    pub fn from_sdk(id: &str) -> Option<Self> {
        match id.to_ascii_lowercase().as_str() {
            "backup" => Some(Service::Backup),
            "cloudwatch" => Some(Service::CloudWatch),
            "cloudwatch logs" => Some(Service::Logs),
            "dynamodb" => Some(Service::DynamoDb),
            "ec2" => Some(Service::Ec2),
            "iam" => Some(Service::Iam),
            "kms" => Some(Service::Kms),
            "resource groups tagging api" => Some(Service::Tagging),
            "route 53" => Some(Service::Route53),
            "s3" => Some(Service::S3),
            "secrets manager" => Some(Service::Secrets),
            "sns" => Some(Service::Sns),
            "ssm" => Some(Service::Ssm),
            "sts" => Some(Service::Sts),
            _ => None,
        }
    }

    /// The service's name in permissions.
    pub fn prefix(self) -> &'static str {
        match self {
            Service::Backup => "backup",
            Service::CloudWatch => "cloudwatch",
            Service::DynamoDb => "dynamodb",
            Service::Ec2 => "ec2",
            Service::Iam => "iam",
            Service::Kms => "kms",
            Service::Logs => "logs",
            Service::Route53 => "route53",
            Service::S3 => "s3",
            Service::Secrets => "secretsmanager",
            Service::Sns => "sns",
            Service::Ssm => "ssm",
            Service::Sts => "sts",
            Service::Tagging => "tag",
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Service::Ec2 => Protocol::Ec2Query,
            Service::CloudWatch | Service::Iam | Service::Route53 | Service::Sns | Service::Sts => {
                Protocol::Query
            }
            Service::S3 => Protocol::S3,
            Service::Backup
            | Service::DynamoDb
            | Service::Kms
            | Service::Logs
            | Service::Secrets
            | Service::Ssm
            | Service::Tagging => Protocol::Json,
        }
    }

    /// How the service says that it is called too often.
    pub fn throttled(self) -> ApiError {
        match self.protocol() {
            Protocol::Ec2Query => {
                ApiError::with_status(503, "RequestLimitExceeded", "Request limit exceeded.")
            }
            Protocol::S3 => ApiError::with_status(503, "SlowDown", "Please reduce your request rate."),
            Protocol::Query => ApiError::new("Throttling", "Rate exceeded"),
            Protocol::Json => ApiError::new("ThrottlingException", "Rate exceeded"),
        }
    }

    /// How the service says that it failed.
    pub fn failed(self) -> ApiError {
        let code = match self {
            Service::Iam => "ServiceFailure",
            Service::Backup => "ServiceUnavailableException",
            Service::Logs => "ServiceUnavailableException",
            Service::Kms => "KMSInternalException",
            Service::Secrets => "InternalServiceError",
            Service::Tagging => "InternalServiceException",
            Service::CloudWatch => "InternalServiceFault",
            Service::Ssm | Service::DynamoDb => "InternalServerError",
            Service::Ec2 | Service::Route53 | Service::S3 | Service::Sns | Service::Sts => "InternalError",
        };
        ApiError::with_status(500, code, "An internal error has occurred")
    }

    /// How the service says that the caller may not do this.
    pub fn denied(self, operation: &str) -> ApiError {
        let action = format!("{}:{operation}", self.prefix());
        match self.protocol() {
            Protocol::Ec2Query => ApiError::with_status(
                403,
                "UnauthorizedOperation",
                format!("You are not authorized to perform this operation. The simulation denies {action}."),
            ),
            Protocol::S3 => ApiError::with_status(403, "AccessDenied", "Access Denied"),
            Protocol::Query => {
                let message = format!("User is not authorized to perform: {action}");
                ApiError::with_status(403, "AccessDenied", message)
            }
            Protocol::Json => {
                let message = format!("User is not authorized to perform: {action}");
                ApiError::new("AccessDeniedException", message)
            }
        }
    }
}

/// The HTTP answer that carries an error in the service's own format.
pub(crate) fn error_response(
    service: Option<Service>,
    error: &ApiError,
    request_id: &str,
) -> Result<HttpResponse, ConnectorError> {
    let (code, message) = (escape(&error.code), escape(&error.message));
    let protocol = service.map_or(Protocol::Ec2Query, Service::protocol);
    let body = match protocol {
        Protocol::Ec2Query => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Errors><Error><Code>{code}</Code>\
             <Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
        ),
        Protocol::Query => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
             </Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        ),
        Protocol::S3 => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message>\
             <RequestId>{request_id}</RequestId><HostId>simulated</HostId></Error>"
        ),
        Protocol::Json => serde_json::json!({ "__type": error.code, "message": error.message }).to_string(),
    };
    response(error.status, body, request_id)
}

/// The HTTP answer to a HEAD request that failed: a status without a body.
pub(crate) fn bare_response(status: u16, request_id: &str) -> Result<HttpResponse, ConnectorError> {
    response(status, String::new(), request_id)
}

/// The HTTP answer of a success: nothing but the request id.
pub(crate) fn empty_response(request_id: &str) -> Result<HttpResponse, ConnectorError> {
    response(200, String::new(), request_id)
}

fn response(status: u16, body: impl Into<SdkBody>, request_id: &str) -> Result<HttpResponse, ConnectorError> {
    let status =
        StatusCode::try_from(status).map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut answer = HttpResponse::new(status, body.into());
    answer.headers_mut().insert("x-amzn-requestid", request_id.to_owned());
    // S3 has a name of its own for it.
    answer.headers_mut().insert("x-amz-request-id", request_id.to_owned());
    Ok(answer)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
