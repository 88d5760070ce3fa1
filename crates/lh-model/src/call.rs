//! A call to a cloud that was answered: what a history of runs keeps of it. Never a body.

use serde::{Deserialize, Serialize};

/// One answered attempt of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallMade {
    /// The operation, named as in IAM: `ec2:CreateVolume`.
    pub operation: String,
    /// The id by which AWS knows the request; none where the answer had none, or none came.
    pub request_id: Option<String>,
    /// The HTTP status of the answer; none where none came.
    pub status: Option<u16>,
}
