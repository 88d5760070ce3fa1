//! The AWS clients: one HTTP client, the standard credential chain, bounded retries and timeouts.

use std::{sync::Arc, time::Duration};

use crate::endpoints;
use aws_config::{
    BehaviorVersion, Region, SdkConfig, default_provider::credentials::DefaultCredentialsChain, imds,
    provider_config::ProviderConfig,
};
use aws_smithy_http_client::{
    Builder as HttpBuilder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, interceptors::SharedInterceptor};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use lh_kind::{CloudError, ErrorKind, Pace};

use crate::{gate::Gate, kinds::route53::pending::Pending, pace::RealTime, reads::Reads};

/// No call takes longer than this, its retries included.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// One attempt of a call.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);
/// Connecting; a little over three seconds, so that one lost SYN packet is sent again.
const CONNECT_LIMIT: Duration = Duration::from_millis(3100);
/// Attempts of one call.
const ATTEMPTS: u32 = 5;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The instance metadata service answers from the same machine or not at all.
const METADATA_LIMIT: Duration = Duration::from_secs(1);
/// What the AWS CLI and SDKs call the file with further certificate authorities.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// What the clients are made of.
#[derive(Default)]
pub struct ConnectOptions<'a> {
    /// AWS region, such as `us-east-1`.
    pub region: &'a str,
    /// The named profile; without one, `AWS_PROFILE` or the default.
    pub profile: Option<&'a str>,
    /// A further interceptor: the simulated world.
    pub interceptor: Option<SharedInterceptor>,
    /// Another HTTP client than the built-in one.
    pub http: Option<SharedHttpClient>,
    /// A complete configuration instead of the standard chain; region and profile are ignored.
    pub sdk_config: Option<SdkConfig>,
    /// How time passes during waits; without one, really.
    pub pace: Option<Arc<dyn Pace>>,
    /// How it passes while something runs on a host; without one, as during waits.
    pub host_pace: Option<Arc<dyn Pace>>,
    /// Why nothing runs on the instances, where nothing does.
    pub idle: Option<String>,
}

/// The clients of all services used; cheap to clone.
#[derive(Clone)]
pub struct Clients {
    /// AWS Backup.
    pub backup: aws_sdk_backup::Client,
    /// CloudWatch: alarms and dashboards.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Amazon EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// Key Management Service.
    pub kms: aws_sdk_kms::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// Amazon S3, for buckets that are resources; state has clients of its own.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Simple Notification Service.
    pub sns: aws_sdk_sns::Client,
    /// Systems Manager: Parameter Store.
    pub ssm: aws_sdk_ssm::Client,
    /// Security Token Service.
    pub sts: aws_sdk_sts::Client,
    /// The Resource Groups Tagging API.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// EC2 without the SDK's own retries: for calls that would make or modify something a second
    /// time if they were sent again after their answer was lost. The engine looks first.
    pub(crate) ec2_once: aws_sdk_ec2::Client,
    /// Why nothing runs on the instances, where nothing does.
    pub(crate) idle: Option<String>,
    pub(crate) pace: Arc<dyn Pace>,
    pub(crate) host_pace: Arc<dyn Pace>,
    pub(crate) reads: Arc<Reads>,
    pub(crate) gate: Gate,
    /// Changes of DNS records that this process has made and that are on their way.
    pub(crate) pending_records: Arc<Pending>,
}

/// The configuration of a service's client: the common one, and the interceptors.
macro_rules! service {
    ($service:ident, $config:expr, $interceptor:expr) => {{
        let mut service = $service::config::Builder::from($config).interceptor($crate::trace::Trace);
        for interceptor in $interceptor.iter() {
            service.push_interceptor(interceptor.clone());
        }
        service
    }};
}

/// The client of a service.
macro_rules! client {
    ($service:ident, $config:expr, $interceptor:expr) => {
        $service::Client::from_conf($crate::clients::service!($service, $config, $interceptor).build())
    };
}

pub(crate) use {client, service};

impl Clients {
    /// Makes the clients. Nothing is sent yet: credentials are looked for at the first call.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names a file that cannot be used.
    pub async fn connect(mut options: ConnectOptions<'_>) -> Result<Self, CloudError> {
        let (host_pace, idle) = (options.host_pace.take(), options.idle.take());
        let (config, interceptor, pace) = settings(options).await?;
        let gate = Gate::default();
        let gated = std::iter::once(SharedInterceptor::new(gate.clone())).chain(interceptor);
        let (config, interceptor) = (&config, &gated.collect::<Vec<_>>());
        let once =
            crate::clients::service!(aws_sdk_ec2, config, interceptor).retry_config(RetryConfig::disabled());
        Ok(Self {
            backup: client!(aws_sdk_backup, config, interceptor),
            cloudwatch: client!(aws_sdk_cloudwatch, config, interceptor),
            ec2: client!(aws_sdk_ec2, config, interceptor),
            iam: client!(aws_sdk_iam, config, interceptor),
            kms: client!(aws_sdk_kms, config, interceptor),
            logs: client!(aws_sdk_cloudwatchlogs, config, interceptor),
            route53: client!(aws_sdk_route53, config, interceptor),
            s3: s3_client(config, interceptor),
            secrets: client!(aws_sdk_secretsmanager, config, interceptor),
            sns: client!(aws_sdk_sns, config, interceptor),
            ssm: client!(aws_sdk_ssm, config, interceptor),
            sts: client!(aws_sdk_sts, config, interceptor),
            tagging: client!(aws_sdk_resourcegroupstagging, config, interceptor),
            ec2_once: aws_sdk_ec2::Client::from_conf(once.build()),
            idle: idle.or_else(|| endpoints::foreign(config, "EC2").map(|url| emulated(&url))),
            host_pace: host_pace.unwrap_or_else(|| pace.clone()),
            pace,
            reads: Arc::default(),
            gate,
            pending_records: Arc::default(),
        })
    }
}

fn emulated(url: &str) -> String {
    format!("EC2's endpoint {url} is not AWS's own, and an emulator's instances run nothing")
}

/// S3's client. Buckets are addressed as host names at AWS's own endpoints, and in the path at any
/// other: `bucket.localhost` or `bucket.minio` resolves in few places.
pub(crate) fn s3_client(config: &SdkConfig, interceptors: &[SharedInterceptor]) -> aws_sdk_s3::Client {
    let mut s3 = service!(aws_sdk_s3, config, interceptors);
    if endpoints::foreign(config, "S3").is_some() {
        s3.set_force_path_style(Some(true));
    }
    aws_sdk_s3::Client::from_conf(s3.build())
}

/// What `options` come to: the configuration, the further interceptor, and how time passes.
pub(crate) async fn settings(
    options: ConnectOptions<'_>,
) -> Result<(SdkConfig, Option<SharedInterceptor>, Arc<dyn Pace>), CloudError> {
    let ConnectOptions { region, profile, interceptor, http, sdk_config, pace, .. } = options;
    let config = match (sdk_config, http) {
        (Some(config), None) => config,
        (Some(config), Some(http)) => config.into_builder().http_client(http).build(),
        (None, Some(http)) => standard(region, profile, http).await,
        (None, None) => standard(region, profile, http_client()?).await,
    };
    Ok((config, interceptor, pace.unwrap_or_else(|| Arc::new(RealTime))))
}

/// Retries as the SDKs do by default, but each pause and the whole call bounded.
pub fn retry_config() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(LONGEST_PAUSE)
}

/// Nothing waits silently for more than a minute.
pub fn timeout_config() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_LIMIT)
        .operation_attempt_timeout(ATTEMPT_LIMIT)
        .operation_timeout(CALL_LIMIT)
        .build()
}

/// The standard chain: environment, profiles, SSO, web identity, container, instance metadata;
/// endpoints from `AWS_ENDPOINT_URL` and its forms for one service.
async fn standard(region: &str, profile: Option<&str>, http: SharedHttpClient) -> SdkConfig {
    let region = Region::new(region.to_owned());
    let provider = ProviderConfig::default().with_http_client(http.clone()).with_region(Some(region.clone()));
    // Outside EC2 nobody answers at the metadata address: say so after a second, not after a minute.
    let metadata = imds::Client::builder()
        .configure(&provider)
        .connect_timeout(METADATA_LIMIT)
        .read_timeout(METADATA_LIMIT)
        .operation_timeout(METADATA_LIMIT * 2)
        .max_attempts(1)
        .build();
    let mut chain = DefaultCredentialsChain::builder().imds_client(metadata).region(region.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(http)
        .retry_config(retry_config())
        .timeout_config(timeout_config());
    if let Some(profile) = profile {
        chain = chain.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    let chain = chain.configure(provider).build().await;
    loader.credentials_provider(chain).load().await
}

/// rustls on ring with the system's certificate authorities and those of `AWS_CA_BUNDLE`.
fn http_client() -> Result<SharedHttpClient, CloudError> {
    let builder = HttpBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let Some(path) = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty()) else {
        return Ok(builder.build_https());
    };
    let wrong = |why: String| {
        let message = format!("{CA_BUNDLE} names {}, which cannot be used: {why}", path.display());
        CloudError::new(ErrorKind::Other, "connect", message)
    };
    let bundle = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    let store = TrustStore::default().with_native_roots(true).with_pem_certificate(bundle);
    let context =
        TlsContext::builder().with_trust_store(store).build().map_err(|error| wrong(error.to_string()))?;
    Ok(builder.tls_context(context).build_https())
}
