//! Seeing volumes: two calls for all of them, and what EC2 shows in the words of their properties.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_ec2::types::{
    Volume as Described, VolumeModification, VolumeModificationState, VolumeState, VolumeType,
};
use futures_util::{FutureExt, future::join};
use lh_kind::{CloudError, Found, Seen, Target};
use lh_model::CloudId;
use serde::{Deserialize, Serialize};

use super::{DATABASE_TAG, Props};
use crate::{
    clients::Clients,
    error::Named,
    kinds::{
        Tags,
        ec2::{
            query::{self, Object},
            tags,
        },
        labels::Labels,
        unreadable,
    },
};

/// What EC2 shows. While a modification is under way, size, type, IOPS and throughput are those
/// it leads to: asking for them once more would be refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Availability zone.
    pub zone: String,
    /// GiB.
    pub size: Option<i32>,
    /// Volume type.
    #[serde(rename = "type")]
    pub kind: String,
    /// I/O operations a second.
    pub iops: Option<i32>,
    /// MiB a second.
    pub throughput: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The KMS key, where the stack names one.
    pub kms_key: Option<String>,
    /// The database that was made in it.
    #[serde(default)]
    pub database: Option<String>,
    /// The user's tags.
    pub tags: Tags,
    /// `creating`, `available`, `in-use`, ….
    pub state: String,
    /// `modifying`, `failed`, …; null when nothing is under way.
    #[serde(default)]
    pub modification_state: Option<String>,
}

impl Object for Described {
    fn id(&self) -> &str {
        self.volume_id().unwrap_or_default()
    }

    fn labels(&self) -> Labels {
        tags::labels(self.tags())
    }

    fn is_leaving(&self) -> bool {
        matches!(self.state(), Some(VolumeState::Deleting | VolumeState::Deleted))
    }

    fn since(&self) -> i64 {
        self.create_time().map_or(0, aws_smithy_types::DateTime::secs)
    }
}

/// `DescribeVolumes`, shared with attachments that ask the same at the same time.
pub(crate) async fn read(clients: &Clients, question: query::Question) -> Result<Vec<Described>, CloudError> {
    let text = clients.reads.text(&question);
    let request = clients.ec2.describe_volumes().set_filters(Some(question));
    let ask = async move {
        let pages = request.into_paginator().items().send();
        let volumes: Result<Vec<_>, _> = pages.try_collect().await.named("ec2:DescribeVolumes");
        volumes.map(Arc::new)
    };
    Ok(clients.reads.volumes.join(text, ask.boxed()).await?.as_ref().clone())
}

/// The latest modification of each of `volumes` that was ever modified.
async fn modifications(
    clients: &Clients,
    volumes: Vec<String>,
) -> Result<BTreeMap<String, VolumeModification>, CloudError> {
    let mut latest = BTreeMap::new();
    for question in query::by("volume-id", volumes) {
        let request = clients.ec2.describe_volumes_modifications().set_filters(Some(question));
        let pages = request.into_paginator().items().send();
        let found: Vec<VolumeModification> =
            pages.try_collect().await.named("ec2:DescribeVolumesModifications")?;
        for modification in found {
            latest.insert(modification.volume_id().unwrap_or_default().to_owned(), modification);
        }
    }
    Ok(latest)
}

fn is_as_wanted(volume: &Described, props: &Props) -> bool {
    let kind = volume.volume_type().map(VolumeType::as_str);
    volume.size() == Some(props.size)
        && kind == Some(props.kind.as_str())
        && props.iops.is_none_or(|iops| volume.iops() == Some(iops))
        && props.throughput.is_none_or(|throughput| volume.throughput() == Some(throughput))
}

/// The key as the stack names it, where that is the key's own id or ARN; an alias cannot be told
/// apart from its key without asking KMS, and the key of a volume never changes.
fn key_as_named(volume: &Described, props: &Props) -> Option<String> {
    let (named, arn) = (props.kms_key.as_ref()?, volume.kms_key_id().unwrap_or_default());
    let same = arn == named || arn.ends_with(&format!("/{named}")) || named.contains("alias/");
    Some(if same { named.clone() } else { arn.to_owned() })
}

fn facts(volume: &Described, props: &Props, modification: Option<&VolumeModification>) -> Facts {
    let state = modification.and_then(VolumeModification::modification_state);
    let under_way = modification.filter(|_| state == Some(&VolumeModificationState::Modifying));
    let size = under_way.and_then(VolumeModification::target_size).or(volume.size());
    let kind = under_way.and_then(VolumeModification::target_volume_type).or(volume.volume_type());
    // A volume that was made by another hand has no such tag: then nothing can be told.
    let database = volume.labels().get(DATABASE_TAG).map(str::to_owned);
    Facts {
        zone: volume.availability_zone().unwrap_or_default().to_owned(),
        size,
        kind: kind.map(VolumeType::as_str).unwrap_or_default().to_owned(),
        iops: under_way.and_then(VolumeModification::target_iops).or(volume.iops()),
        throughput: under_way.and_then(VolumeModification::target_throughput).or(volume.throughput()),
        encrypted: volume.encrypted().unwrap_or_default(),
        kms_key: key_as_named(volume, props),
        database: database.or_else(|| props.database.clone()),
        tags: volume.labels().user(),
        state: volume.state().map(VolumeState::as_str).unwrap_or_default().to_owned(),
        modification_state: state.map(|state| state.as_str().to_owned()),
    }
}

/// What EC2 shows of each target.
pub(super) async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
    let questions = query::by_id_or_stack("volume-id", targets);
    let known = query::ids(targets).collect();
    let (volumes, under_way) =
        join(query::gather(questions, |question| read(clients, question)), modifications(clients, known))
            .await;
    let volumes = match volumes {
        Ok(volumes) => volumes,
        Err(error) => return unreadable(&error, targets.len()),
    };
    let found: Vec<Option<&Described>> = targets.iter().map(|target| query::find(&volumes, target)).collect();
    let unasked = targets.iter().zip(&found).filter(|(target, _)| target.id.is_none());
    let differing = unasked.filter_map(|(t, volume)| volume.filter(|v| !is_as_wanted(v, &t.props)));
    let more = modifications(clients, differing.map(|v| v.id().to_owned()).collect()).await;
    let under_way =
        under_way.and_then(|known| Ok(known.into_iter().chain(more?).collect::<BTreeMap<_, _>>()));
    let look = |(target, volume): (&Target<Props>, Option<&Described>)| {
        let Some(volume) = volume else { return Seen::Absent };
        let modification = match &under_way {
            Ok(under_way) => under_way.get(volume.id()),
            Err(error) if !is_as_wanted(volume, &target.props) => {
                return Seen::Unreadable(error.clone());
            }
            Err(_) => None,
        };
        let (id, owner) = (CloudId(volume.id().to_owned()), volume.labels().owner(&target.stack));
        Seen::Found(Found { id, owner, facts: facts(volume, &target.props, modification) })
    };
    targets.iter().zip(found).map(look).collect()
}

#[cfg(test)]
mod tests {
    use lh_kind::{Readiness, Rules};
    use serde_json::json;

    use super::{super::Volume, *};

    #[test]
    fn a_modification_under_way_shows_what_it_leads_to() {
        let volume = Described::builder().volume_id("vol-1").size(20).state(VolumeState::InUse).build();
        let modification = VolumeModification::builder()
            .target_size(50)
            .modification_state(VolumeModificationState::Modifying)
            .build();
        let props: Props = serde_json::from_value(json!({"zone": "a", "size": 50})).unwrap();
        assert!(!is_as_wanted(&volume, &props));
        let shown = facts(&volume, &props, Some(&modification));
        assert_eq!(shown.size, Some(50));
        assert_eq!(Volume::ready(&shown), Readiness::Pending("modifying".to_owned()));
    }
}
