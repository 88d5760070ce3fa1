//! Which endpoint a service is called at, and whether it is AWS's own. Nothing is sent from here.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The endpoint that environment or profile name for the service of this id, as the SDK looks it
/// up: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.
fn named(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = config.service_config().and_then(|all| all.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The endpoint of the service, where it is not AWS's own: an emulator's.
pub(crate) fn foreign(config: &SdkConfig, service: &str) -> Option<String> {
    named(config, service).filter(|url| !is_aws(url))
}

/// Whether S3 is reached without TLS, as emulators are.
pub(crate) fn is_plain_http(config: &SdkConfig) -> bool {
    named(config, "S3").is_some_and(|url| url.to_ascii_lowercase().starts_with("http://"))
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
