//! Instances, volumes and spot requests as they stand, many at once.

use aws_sdk_ec2::types::{Instance, SpotInstanceRequest, Volume, VolumeModification};
use aws_smithy_types::DateTime;
use futures_util::future::{join, try_join_all};
use lh_kind::CloudError;

use super::Inspector;
use crate::{
    error::Named,
    kinds::ec2::query::{Question, by},
};

/// An instance as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceSight {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// `running`, `stopped`, ….
    pub state: String,
    /// Why it is in this state, where EC2 says so.
    pub reason: Option<String>,
    /// Its availability zone.
    pub zone: String,
    /// When it was launched or last started, in seconds since 1970.
    pub started: i64,
}

/// A volume as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSight {
    /// Its id.
    pub id: String,
    /// GiB.
    pub size: i32,
    /// `in-use`, `available`, ….
    pub state: String,
    /// The instance it is attached to.
    pub attached_to: Option<String>,
    /// Its last modification that is not complete: state and percent.
    pub modification: Option<(String, i64)>,
}

/// A spot request as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotSight {
    /// Its id.
    pub id: String,
    /// Its instance.
    pub instance: String,
    /// `active`, `open`, `disabled`, `cancelled`, `closed`.
    pub state: String,
    /// EC2's status code: `fulfilled`, `marked-for-stop`, …:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html>.
    pub status: String,
}

impl Inspector {
    /// The instances of these ids that EC2 shows.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn instances(&self, ids: &[String]) -> Result<Vec<InstanceSight>, CloudError> {
        let ask = async |question: Question| {
            let request = self.clients.ec2.describe_instances().set_filters(Some(question));
            let pages = request.into_paginator().items().send();
            let found: Result<Vec<_>, CloudError> = pages.try_collect().await.named("ec2:DescribeInstances");
            found
        };
        let found = try_join_all(by("instance-id", ids.iter().cloned()).into_iter().map(ask)).await?;
        let all = found.into_iter().flatten().flat_map(|one| one.instances.unwrap_or_default());
        Ok(all.map(|instance| instance_sight(&instance)).collect())
    }

    /// The volumes of these ids that EC2 shows, with what is under way.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn volumes(&self, ids: &[String]) -> Result<Vec<VolumeSight>, CloudError> {
        let volumes = async |question: Question| {
            let request = self.clients.ec2.describe_volumes().set_filters(Some(question));
            let pages = request.into_paginator().items().send();
            let found: Result<Vec<_>, CloudError> = pages.try_collect().await.named("ec2:DescribeVolumes");
            found
        };
        let modifications = async |question: Question| {
            let request = self.clients.ec2.describe_volumes_modifications().set_filters(Some(question));
            let pages = request.into_paginator().items().send();
            let found: Result<Vec<_>, CloudError> =
                pages.try_collect().await.named("ec2:DescribeVolumesModifications");
            found
        };
        let questions = || by("volume-id", ids.iter().cloned()).into_iter();
        let both = join(try_join_all(questions().map(volumes)), try_join_all(questions().map(modifications)));
        let (volumes, modifications) = both.await;
        let modifications: Vec<VolumeModification> = modifications?.into_iter().flatten().collect();
        Ok(volumes?.iter().flatten().map(|volume| volume_sight(volume, &modifications)).collect())
    }

    /// When the modifications of a volume were begun, in seconds since 1970, with the state of each.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn modifications(&self, volume: &str) -> Result<Vec<(i64, String)>, CloudError> {
        let question = by("volume-id", [volume.to_owned()]).pop();
        let request = self.clients.ec2.describe_volumes_modifications().set_filters(question);
        let pages = request.into_paginator().items().send();
        let found: Vec<VolumeModification> =
            pages.try_collect().await.named("ec2:DescribeVolumesModifications")?;
        let told = |one: &VolumeModification| {
            let state = one.modification_state().map(|state| state.as_str().to_owned());
            (one.start_time().map_or(0, DateTime::secs), state.unwrap_or_default())
        };
        Ok(found.iter().map(told).collect())
    }

    /// The spot requests behind these instances.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn spot_requests(&self, instances: &[String]) -> Result<Vec<SpotSight>, CloudError> {
        let ask = async |question: Question| {
            let request = self.clients.ec2.describe_spot_instance_requests().set_filters(Some(question));
            let pages = request.into_paginator().items().send();
            let found: Result<Vec<_>, CloudError> =
                pages.try_collect().await.named("ec2:DescribeSpotInstanceRequests");
            found
        };
        let found = try_join_all(by("instance-id", instances.iter().cloned()).into_iter().map(ask)).await?;
        Ok(found.iter().flatten().map(spot_sight).collect())
    }
}

fn own(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn instance_sight(instance: &Instance) -> InstanceSight {
    let state = instance.state().and_then(|state| state.name());
    InstanceSight {
        id: own(instance.instance_id()),
        kind: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        state: state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        reason: instance.state_reason().and_then(|reason| reason.message()).map(str::to_owned),
        zone: own(instance.placement().and_then(|placement| placement.availability_zone())),
        started: instance.launch_time().map_or(0, DateTime::secs),
    }
}

fn volume_sight(volume: &Volume, modifications: &[VolumeModification]) -> VolumeSight {
    let under_way = |one: &&VolumeModification| {
        let state = one.modification_state().map(|state| state.as_str());
        one.volume_id() == volume.volume_id() && !matches!(state, None | Some("completed"))
    };
    let modification = modifications.iter().rev().find(under_way).map(|one| {
        let state = one.modification_state().map(|state| state.as_str().to_owned()).unwrap_or_default();
        (state, one.progress().unwrap_or_default())
    });
    VolumeSight {
        id: own(volume.volume_id()),
        size: volume.size().unwrap_or_default(),
        state: volume.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        attached_to: volume.attachments().first().and_then(|one| one.instance_id()).map(str::to_owned),
        modification,
    }
}

fn spot_sight(request: &SpotInstanceRequest) -> SpotSight {
    SpotSight {
        id: own(request.spot_instance_request_id()),
        instance: own(request.instance_id()),
        state: request.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        status: own(request.status().and_then(|status| status.code())),
    }
}
