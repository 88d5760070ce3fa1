//! Instances, images and spot requests, as the world keeps them.

use super::{Millis, Tags};
use serde::{Deserialize, Serialize};

/// The states of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being started.
    Pending,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped; it can be started again.
    Stopped,
    /// Being terminated.
    ShuttingDown,
    /// Gone; still shown for about an hour.
    Terminated,
}

impl InstanceState {
    /// AWS's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            InstanceState::Pending => "pending",
            InstanceState::Running => "running",
            InstanceState::Stopping => "stopping",
            InstanceState::Stopped => "stopped",
            InstanceState::ShuttingDown => "shutting-down",
            InstanceState::Terminated => "terminated",
        }
    }

    /// AWS's number of the state.
    pub fn code(self) -> i32 {
        match self {
            InstanceState::Pending => 0,
            InstanceState::Running => 16,
            InstanceState::ShuttingDown => 32,
            InstanceState::Terminated => 48,
            InstanceState::Stopping => 64,
            InstanceState::Stopped => 80,
        }
    }

    /// Whether the instance is on its way out, or out.
    pub fn ending(self) -> bool {
        matches!(self, InstanceState::ShuttingDown | InstanceState::Terminated)
    }
}

/// The metadata service of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    /// `optional` or `required`.
    pub http_tokens: String,
    /// `enabled` or `disabled`.
    pub http_endpoint: String,
    /// How many hops an answer may travel.
    pub hop_limit: i32,
    /// Whether tags can be read: `enabled` or `disabled`.
    pub instance_tags: String,
}

impl Default for MetadataOptions {
    fn default() -> Self {
        MetadataOptions {
            http_tokens: "optional".to_owned(),
            http_endpoint: "enabled".to_owned(),
            hop_limit: 1,
            instance_tags: "disabled".to_owned(),
        }
    }
}

/// An instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// The id, `i-…`.
    pub id: String,
    /// The reservation it was launched in.
    pub reservation_id: String,
    /// What it was launched with; some of it can be modified later.
    pub launch: Launch,
    /// The state.
    pub state: InstanceState,
    /// When it entered the state.
    pub state_since: Millis,
    /// Code and message of the last change of state that was not asked for plainly.
    pub state_reason: Option<(String, String)>,
    /// When it was launched or last started.
    pub launched_at: Millis,
    /// The zone of its subnet.
    pub zone: String,
    /// The VPC of its subnet.
    pub vpc_id: String,
    /// The private address.
    pub private_ip: String,
    /// The public address that comes and goes with running; an elastic address hides it.
    pub public_ip: Option<String>,
    /// The network interface.
    pub interface_id: String,
    /// Tags.
    pub tags: Tags,
    /// The spot request that it belongs to.
    pub spot_request_id: Option<String>,
    /// Whether termination by the API is refused.
    pub disable_api_termination: bool,
    /// The client token of its launch.
    pub client_token: Option<String>,
    /// What its serial console shows; the simulation writes nothing there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
}

/// What an instance is launched with. A persistent spot request keeps a copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The image.
    pub image_id: String,
    /// The processor architecture of the image.
    pub architecture: String,
    /// The device of the root volume.
    pub root_device: String,
    /// The instance type.
    pub instance_type: String,
    /// The subnet.
    pub subnet_id: String,
    /// Security groups.
    pub groups: Vec<String>,
    /// The key pair.
    pub key_name: Option<String>,
    /// The name of the IAM instance profile.
    pub profile: Option<String>,
    /// The user data, in base64 as the API carries it.
    pub user_data: Option<String>,
    /// Whether it has a public address while it runs.
    pub public_address: bool,
    /// Volumes made with the instance: device, GiB, type, IOPS, throughput, deleted on termination.
    pub disks: Vec<super::storage::Disk>,
    /// The metadata service.
    pub metadata: MetadataOptions,
    /// `stop` or `terminate`.
    pub shutdown_behavior: String,
    /// Whether detailed monitoring is on.
    pub monitoring: bool,
}

/// A machine image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Image {
    /// The id, `ami-…`.
    pub id: String,
    /// The name.
    pub name: String,
    /// The account of its owner.
    pub owner: String,
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// The device of the root volume.
    pub root_device: String,
    /// The size of the root volume in GiB.
    pub root_size: i32,
    /// When it was made, as AWS writes it.
    pub created: String,
}

/// Whether a spot request asks once or again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpotKind {
    /// One instance, then the request is closed.
    OneTime,
    /// A new instance each time the last one is gone, until the request is cancelled.
    Persistent,
}

/// What EC2 does with an instance that it takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// It is terminated.
    Terminate,
    /// It is stopped, and started again when there is capacity.
    Stop,
    /// It is hibernated; here the same as stopped.
    Hibernate,
}

/// The states of a spot request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpotState {
    /// Waiting for an instance.
    Open,
    /// It has an instance.
    Active,
    /// Its instance was stopped by the user.
    Disabled,
    /// Cancelled by the user; an instance it had goes on.
    Cancelled,
    /// Done: the instance of a one-time request is gone.
    Closed,
}

impl SpotState {
    /// AWS's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            SpotState::Open => "open",
            SpotState::Active => "active",
            SpotState::Disabled => "disabled",
            SpotState::Cancelled => "cancelled",
            SpotState::Closed => "closed",
        }
    }
}

/// A spot request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpotRequest {
    /// The id, `sir-…`.
    pub id: String,
    /// One-time or persistent.
    pub kind: SpotKind,
    /// What becomes of an interrupted instance.
    pub interruption: Interruption,
    /// The state.
    pub state: SpotState,
    /// AWS's status code, such as `fulfilled`.
    pub status: String,
    /// The instance it has now, or had last.
    pub instance_id: Option<String>,
    /// The most the user pays an hour.
    pub max_price: Option<String>,
    /// What to launch.
    pub launch: Launch,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Millis,
    /// When the next instance is launched or the stopped one started again.
    pub relaunch_at: Option<Millis>,
}
