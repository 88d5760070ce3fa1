//! The clients of the store, made like [`Clients`](crate::Clients): same chain, same limits.

use std::sync::Arc;

use lh_kind::{CloudError, Pace};

use crate::clients::{ConnectOptions, client, s3_client, settings};
use crate::endpoints::is_plain_http;

/// The clients that state needs; cheap to clone.
#[derive(Clone)]
pub struct StoreClients {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) region: String,
    /// Whether S3 is reached without TLS.
    pub(super) plain_http: bool,
    pub(super) pace: Arc<dyn Pace>,
}

impl StoreClients {
    /// Makes the clients. Nothing is sent yet.
    ///
    /// Endpoints come from the standard chain (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, a
    /// profile's `endpoint_url`).
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names a file that cannot be used.
    pub async fn connect(options: ConnectOptions<'_>) -> Result<Self, CloudError> {
        let (config, interceptor, pace) = settings(options).await?;
        Ok(Self {
            s3: s3_client(&config, interceptor.as_slice()),
            dynamodb: client!(aws_sdk_dynamodb, &config, &interceptor),
            sts: client!(aws_sdk_sts, &config, &interceptor),
            plain_http: is_plain_http(&config),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            pace,
        })
    }
}
