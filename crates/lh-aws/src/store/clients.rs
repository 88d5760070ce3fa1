//! The clients of the store, made like [`Clients`](crate::Clients): same chain, same limits.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use lh_kind::{CloudError, Pace};

use crate::{
    clients::{ConnectOptions, settings},
    trace::Trace,
};

/// The clients that state needs; cheap to clone.
#[derive(Clone)]
pub struct StoreClients {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) region: String,
    pub(super) pace: Arc<dyn Pace>,
}

impl StoreClients {
    /// Makes the clients. Nothing is sent yet.
    ///
    /// Endpoints come from the standard chain (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, a
    /// profile's `endpoint_url`). Buckets are addressed as host names at AWS's own endpoints, and
    /// in the path at any other: `bucket.localhost` or `bucket.minio` resolves in few places.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names a file that cannot be used.
    pub async fn connect(options: ConnectOptions<'_>) -> Result<Self, CloudError> {
        let (config, interceptor, pace) = settings(options).await?;
        let mut s3 = aws_sdk_s3::config::Builder::from(&config).interceptor(Trace);
        if endpoint(&config).is_some_and(|url| !is_aws(&url)) {
            s3.set_force_path_style(Some(true));
        }
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).interceptor(Trace);
        let mut sts = aws_sdk_sts::config::Builder::from(&config).interceptor(Trace);
        if let Some(interceptor) = interceptor {
            s3.push_interceptor(interceptor.clone());
            dynamodb.push_interceptor(interceptor.clone());
            sts.push_interceptor(interceptor);
        }
        Ok(Self {
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            pace,
        })
    }
}

/// The endpoint that the configuration names for S3, as the SDK looks it up:
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = config.service_config().and_then(|service| service.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// Whether the endpoint is AWS's own, such as that of a VPC.
fn is_aws(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default().to_ascii_lowercase();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_awss_own_endpoints_have_buckets_in_their_host_names() {
        assert!(is_aws("https://s3.us-east-1.amazonaws.com"));
        assert!(is_aws("https://vpce-1-a.s3.us-east-1.vpce.amazonaws.com/"));
        for url in ["http://127.0.0.1:5000", "http://localhost:4566", "http://amazonaws.com.example:80/"] {
            assert!(!is_aws(url), "{url}");
        }
    }
}
