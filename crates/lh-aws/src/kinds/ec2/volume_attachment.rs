//! The data volume attached to the instance.

use async_trait::async_trait;
use aws_sdk_ec2::types::{VolumeAttachment as Described, VolumeAttachmentState};
use lh_kind::{
    Calls, CloudError, Downtime, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price,
    PriceBook, Readiness, Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::{
    query::{self, Object},
    volume,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{known, text, unreadable},
};

/// The kind. Its id is `<volume>:<instance>`.
pub struct VolumeAttachment;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The volume.
    pub volume_id: Late<String>,
    /// The instance.
    pub instance_id: Late<String>,
    /// Device name, such as `/dev/sdf`; the instance shows it under a name of its own.
    pub device: String,
}

/// What EC2 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The volume.
    pub volume_id: String,
    /// The instance.
    pub instance_id: String,
    /// Device name.
    pub device: String,
    /// `attaching`, `attached`, `detaching`, ….
    pub state: String,
}

impl Rules for VolumeAttachment {
    const NAME: &'static str = "volume_attachment";
    const DOC: &'static str = "A volume attached to an instance (EC2 API reference: AttachVolume)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const DOWNTIME: Downtime = Downtime { stop_start: 0, replace: 60 };
    const DELETED_AFTER: &'static [&'static str] = &["instance"];
    const FIELDS: &'static [Field] = &[
        Field::replace("volume_id", "volume"),
        Field::replace("instance_id", "instance"),
        Field::replace("device", "device name"),
    ];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeVolumes"],
        create: &["ec2:AttachVolume", "ec2:DescribeVolumes"],
        update: &[],
        delete: &["ec2:DetachVolume"],
    };
    type Props = Props;
    type Facts = Facts;

    fn ready(facts: &Facts) -> Readiness {
        match facts.state.as_str() {
            "attached" => Readiness::Ready,
            "detaching" | "detached" => Readiness::Leaving(facts.state.clone()),
            other => Readiness::Pending(other.to_owned()),
        }
    }

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// The volume of a target: from its properties, else from its id.
fn volume_of(target: &Target<Props>) -> Option<String> {
    let recorded = target.id.as_ref().and_then(|id| id.0.split_once(':')).map(|(volume, _)| volume);
    recorded.map(str::to_owned).or_else(|| target.props.volume_id.known().cloned())
}

fn is_there(attachment: &Described) -> bool {
    attachment.state() != Some(&VolumeAttachmentState::Detached)
}

fn id_of(volume: &str, instance: &str) -> CloudId {
    CloudId(format!("{volume}:{instance}"))
}

/// The wanted attachment; else the one that stands in its way.
fn attachment_of<'a>(attachments: &'a [Described], target: &Target<Props>) -> Option<&'a Described> {
    let recorded = target.id.as_ref().and_then(|id| id.0.split_once(':')).map(|(_, instance)| instance);
    let instance = recorded.unwrap_or_else(|| text(&target.props.instance_id));
    let there = || attachments.iter().filter(|attachment| is_there(attachment));
    there().find(|attachment| attachment.instance_id() == Some(instance)).or_else(|| there().next())
}

fn found(attachment: &Described) -> Seen<Facts> {
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let facts = Facts {
        volume_id: own(attachment.volume_id()),
        instance_id: own(attachment.instance_id()),
        device: own(attachment.device()),
        state: own(attachment.state().map(VolumeAttachmentState::as_str)),
    };
    Seen::Found(Found { id: id_of(&facts.volume_id, &facts.instance_id), owner: Owner::Parent, facts })
}

#[async_trait]
impl Ops for VolumeAttachment {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        // An attachment of a volume that does not exist yet cannot exist either: then nothing is asked.
        let questions = query::by("volume-id", targets.iter().filter_map(volume_of));
        let volumes = match query::gather(questions, |question| volume::read(clients, question)).await {
            Ok(volumes) => volumes,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let look = |target: &Target<Props>| {
            let volume = volume_of(target).and_then(|id| volumes.iter().find(|v| v.id() == id));
            volume.and_then(|volume| attachment_of(volume.attachments(), target)).map_or(Seen::Absent, found)
        };
        targets.iter().map(look).collect()
    }

    async fn create(clients: &Clients, _op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "ec2:AttachVolume";
        let volume = known(&props.volume_id, operation, "volume_id")?;
        let instance = known(&props.instance_id, operation, "instance_id")?;
        let request =
            clients.ec2.attach_volume().volume_id(volume).instance_id(instance).device(&props.device);
        match request.send().await.named(operation) {
            Ok(_) => Ok(id_of(volume, instance)),
            Err(error) if matches!(error.kind, ErrorKind::NotYet | ErrorKind::Invalid) => {
                // Attached by an earlier attempt whose answer was lost, or in somebody's way.
                let question = query::by("volume-id", [volume.clone()]).concat();
                let volumes = volume::read(clients, question).await?;
                let ours = volumes.iter().flat_map(|v| v.attachments()).any(|attachment| {
                    attachment.instance_id() == Some(instance)
                        && matches!(
                            attachment.state(),
                            Some(VolumeAttachmentState::Attached | VolumeAttachmentState::Attaching)
                        )
                });
                if ours { Ok(id_of(volume, instance)) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        _clients: &Clients,
        _op: &Op,
        _id: &CloudId,
        _want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, _id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        if facts.state == VolumeAttachmentState::Detaching.as_str() {
            return Ok(());
        }
        let request = clients.ec2.detach_volume().volume_id(&facts.volume_id).instance_id(&facts.instance_id);
        match request.send().await.named("ec2:DetachVolume") {
            // "IncorrectState: volume is in the 'available' state": detached already.
            Err(error) if error.code == "IncorrectState" && error.message.contains("available") => Ok(()),
            Err(error) if error.code == "InvalidAttachment.NotFound" => Ok(()),
            result => unless_gone(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attachment_elsewhere_is_shown_rather_than_hidden() {
        let at = |instance: &str| {
            Described::builder()
                .volume_id("vol-1")
                .instance_id(instance)
                .device("/dev/sdf")
                .state(VolumeAttachmentState::Attached)
                .build()
        };
        let props = json!({"volume_id": "vol-1", "instance_id": "i-mine", "device": "/dev/sdf"});
        let target = Target {
            address: lh_model::Address::new("volume_attachment", "data"),
            stack: lh_model::StackId("s".into()),
            id: None,
            identity: "x".parse().unwrap(),
            props: serde_json::from_value(props).unwrap(),
            used: false,
        };
        let both = [at("i-other"), at("i-mine")];
        assert_eq!(attachment_of(&both, &target).and_then(Described::instance_id), Some("i-mine"));
        assert_eq!(attachment_of(&both[..1], &target).and_then(Described::instance_id), Some("i-other"));
    }
}
