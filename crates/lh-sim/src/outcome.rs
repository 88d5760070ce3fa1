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

/// The services that are simulated. Each speaks one of four error formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// DynamoDB: AWS JSON 1.0.
    DynamoDb,
    /// Elastic Compute Cloud: the EC2 query protocol.
    Ec2,
    /// Identity and Access Management: the AWS query protocol.
    Iam,
    /// Simple Storage Service: REST with XML.
    S3,
    /// Systems Manager: AWS JSON 1.1.
    Ssm,
    /// Security Token Service: the AWS query protocol.
    Sts,
}

impl Service {
    /// The service that the SDK calls by this id.
    pub fn from_sdk(id: &str) -> Option<Self> {
        match id.to_ascii_lowercase().as_str() {
            "dynamodb" => Some(Service::DynamoDb),
            "ec2" => Some(Service::Ec2),
            "iam" => Some(Service::Iam),
            "s3" => Some(Service::S3),
            "ssm" => Some(Service::Ssm),
            "sts" => Some(Service::Sts),
            _ => None,
        }
    }

    /// How the service says that it is called too often.
    pub fn throttled(self) -> ApiError {
        match self {
            Service::Ec2 => ApiError::with_status(503, "RequestLimitExceeded", "Request limit exceeded."),
            Service::Iam | Service::Sts => ApiError::new("Throttling", "Rate exceeded"),
            Service::S3 => ApiError::with_status(503, "SlowDown", "Please reduce your request rate."),
            Service::Ssm | Service::DynamoDb => ApiError::new("ThrottlingException", "Rate exceeded"),
        }
    }

    /// How the service says that it failed.
    pub fn failed(self) -> ApiError {
        let code = match self {
            Service::Ec2 | Service::S3 | Service::Sts => "InternalError",
            Service::Iam => "ServiceFailure",
            Service::Ssm | Service::DynamoDb => "InternalServerError",
        };
        ApiError::with_status(500, code, "An internal error has occurred")
    }

    /// How the service says that the caller may not do this.
    pub fn denied(self, operation: &str) -> ApiError {
        match self {
            Service::Ec2 => ApiError::with_status(
                403,
                "UnauthorizedOperation",
                format!(
                    "You are not authorized to perform this operation. The simulation denies ec2:{operation}."
                ),
            ),
            Service::Iam | Service::Sts => ApiError::with_status(
                403,
                "AccessDenied",
                format!("User is not authorized to perform: {self:?}:{operation}"),
            ),
            Service::S3 => ApiError::with_status(403, "AccessDenied", "Access Denied"),
            Service::Ssm | Service::DynamoDb => ApiError::new(
                "AccessDeniedException",
                format!(
                    "User is not authorized to perform: {}:{operation}",
                    if self == Service::Ssm { "ssm" } else { "dynamodb" }
                ),
            ),
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
    let body = match service {
        // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#api-error-response
        Some(Service::Ec2) | None => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Errors><Error><Code>{code}</Code>\
             <Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
        ),
        // https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization
        Some(Service::Iam | Service::Sts) => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
             </Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        ),
        // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses
        Some(Service::S3) => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message>\
             <RequestId>{request_id}</RequestId><HostId>simulated</HostId></Error>"
        ),
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
        Some(Service::DynamoDb) => {
            let kind = format!("com.amazonaws.dynamodb.v20120810#{}", error.code);
            serde_json::json!({ "__type": kind, "message": error.message }).to_string()
        }
        // https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
        Some(Service::Ssm) => {
            serde_json::json!({ "__type": error.code, "message": error.message }).to_string()
        }
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

fn response(status: u16, body: String, request_id: &str) -> Result<HttpResponse, ConnectorError> {
    let status =
        StatusCode::try_from(status).map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut answer = HttpResponse::new(status, SdkBody::from(body));
    answer.headers_mut().insert("x-amzn-requestid", request_id.to_owned());
    // S3 has a name of its own for it.
    answer.headers_mut().insert("x-amz-request-id", request_id.to_owned());
    Ok(answer)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
