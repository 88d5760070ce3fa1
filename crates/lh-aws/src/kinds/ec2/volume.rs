//! The data volume: an EBS volume apart from the instance, so that it outlives every instance.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    ResourceType, Volume as Described, VolumeModification, VolumeModificationState, VolumeState, VolumeType,
};
use futures_util::{FutureExt, future::join};
use lh_kind::{
    Amount, AtDestroy, Calls, CloudError, Field, FieldDiff, Found, Idempotency, Line, Mutability, Op, Ops,
    Price, PriceBook, Readiness, Refusal, Rules, Seen, Share, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    query::{self, Object},
    tags,
};
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, refuse_fixed, unreadable},
};

/// The way to a smaller volume, or one elsewhere: EBS has none, data moves by dump and restore.
const MOVE: &str = "Back up the database, create a new stack with the volume as wanted, restore the \
                    backup there, and release the old volume when the new one has proved itself.";
/// Properties that `ModifyVolume` changes.
const MODIFIED: [&str; 4] = ["size", "type", "iops", "throughput"];
/// What gp3 includes in its price (Amazon EBS pricing).
const FREE_IOPS: i64 = 3000;
/// MiB/s that gp3 includes in its price.
const FREE_THROUGHPUT: i64 = 125;

/// The kind.
pub struct Volume;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Availability zone; must be the instance's.
    pub zone: Late<String>,
    /// GiB.
    pub size: i32,
    /// Volume type, `gp3`.
    #[serde(rename = "type", default = "gp3")]
    pub kind: String,
    /// I/O operations a second.
    #[serde(default)]
    pub iops: Option<i32>,
    /// MiB a second.
    #[serde(default)]
    pub throughput: Option<i32>,
    /// Whether it is encrypted.
    #[serde(default)]
    pub encrypted: bool,
    /// The KMS key, where it is not the account's default for EBS.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

fn gp3() -> String {
    "gp3".to_owned()
}

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
    /// The user's tags.
    pub tags: Tags,
    /// `creating`, `available`, `in-use`, ….
    pub state: String,
    /// `modifying`, `failed`, …; null when nothing is under way.
    #[serde(default)]
    pub modification_state: Option<String>,
}

impl Rules for Volume {
    const NAME: &'static str = "volume";
    const DOC: &'static str = "An EBS volume that holds data (EC2 API reference: CreateVolume)";
    const CREATE: Idempotency = Idempotency::Token;
    const HOLDS_DATA: bool = true;
    const AT_DESTROY: AtDestroy = AtDestroy::AfterCopy("snapshot");
    const FIELDS: &'static [Field] = &[
        Field::with("zone", "availability zone", Mutability::Fixed(MOVE)),
        Field::online("size", "size in GiB; grows only"),
        Field::online("type", "volume type"),
        Field::online("iops", "I/O operations a second"),
        Field::online("throughput", "throughput in MiB a second"),
        Field::with("encrypted", "encryption", Mutability::Fixed(MOVE)),
        Field::with("kms_key", "KMS key", Mutability::Fixed(MOVE)),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &["ec2:DescribeVolumes", "ec2:DescribeVolumesModifications"],
        create: &["ec2:CreateVolume"],
        update: &["ec2:ModifyVolume", "ec2:CreateTags", "ec2:DeleteTags"],
        delete: &["ec2:DeleteVolume"],
    };
    type Props = Props;
    type Facts = Facts;

    fn judge(_want: &Map, have: &Map, diffs: &[FieldDiff]) -> Result<(), Refusal> {
        let shrunk = diffs.iter().find(|diff| {
            diff.field == "size" && diff.new.as_i64().zip(diff.old.as_i64()).is_some_and(|(n, o)| n < o)
        });
        if let Some(diff) = shrunk {
            let why = format!(
                "the volume has {} GiB, and EBS volumes can grow but never shrink to {} GiB",
                diff.old, diff.new
            );
            return Err(Refusal { field: "size".to_owned(), why, fix: MOVE.to_owned() });
        }
        refuse_fixed(Self::FIELDS, diffs)?;
        still_modifying(have, diffs)
    }

    fn ready(facts: &Facts) -> Readiness {
        match (facts.state.as_str(), facts.modification_state.as_deref()) {
            (_, Some("modifying")) => Readiness::Pending("modifying".to_owned()),
            ("available" | "in-use", _) => Readiness::Ready,
            ("deleting" | "deleted", _) => Readiness::Leaving(facts.state.clone()),
            ("error", _) => Readiness::Failed("EBS reports the state `error`".to_owned()),
            _ => Readiness::Pending(facts.state.clone()),
        }
    }

    fn price(props: &Map, book: &PriceBook) -> Price {
        estimate(props, book).map_or_else(|unknown| unknown, Price::Known)
    }
}

/// EBS takes a modification only when the one before is complete, and four a day at most; of the
/// count EC2 tells nothing, of the one under way it does.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html>
fn still_modifying(have: &Map, diffs: &[FieldDiff]) -> Result<(), Refusal> {
    let state = have.get("modification_state").and_then(Value::as_str);
    let asked = diffs.iter().find(|diff| MODIFIED.contains(&diff.field.as_str()));
    let (Some(state @ ("modifying" | "optimizing")), Some(diff)) = (state, asked) else { return Ok(()) };
    let why = format!(
        "the volume's last modification is still {state}, and EBS takes the next one only when that is complete"
    );
    let fix = "Wait until `aws ec2 describe-volumes-modifications` says `completed`, which takes minutes to \
               hours by the volume's size, and plan again. The database runs on meanwhile."
        .to_owned();
    Err(Refusal { field: diff.field.clone(), why, fix })
}

fn estimate(props: &Map, book: &PriceBook) -> Result<Vec<Line>, Price> {
    let number = |name: &str| props.get(name).and_then(Value::as_i64);
    let kind = props.get("type").and_then(Value::as_str).unwrap_or("gp3");
    if kind != "gp3" {
        return Err(Price::Unknown(format!("the price list has gp3 volumes only, not {kind}")));
    }
    let size = number("size").unwrap_or_default();
    let line = |what: String, dollars: f64, share| Line { what, monthly: Amount::dollars(dollars), share };
    #[allow(clippy::cast_precision_loss)]
    let at = |count: i64, price: f64| count as f64 * price;
    let backed_up = book.find(&["snapshot_share"])?;
    let mut lines = vec![
        line(format!("{size} GiB gp3"), at(size, book.find(&["gp3_gib"])?), Share::Guide),
        line("snapshots".to_owned(), at(size, backed_up * book.find(&["snapshot_gib"])?), Share::Guide),
    ];
    let extra = [
        (number("iops").unwrap_or_default() - FREE_IOPS, "gp3_iops", "IOPS"),
        (number("throughput").unwrap_or_default() - FREE_THROUGHPUT, "gp3_mibps", "MiB/s"),
    ];
    for (count, price, unit) in extra.into_iter().filter(|(count, ..)| *count > 0) {
        lines.push(line(
            format!("{count} {unit} beyond gp3's own"),
            at(count, book.find(&[price])?),
            Share::Extra,
        ));
    }
    Ok(lines)
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
    Facts {
        zone: volume.availability_zone().unwrap_or_default().to_owned(),
        size,
        kind: kind.map(VolumeType::as_str).unwrap_or_default().to_owned(),
        iops: under_way.and_then(VolumeModification::target_iops).or(volume.iops()),
        throughput: under_way.and_then(VolumeModification::target_throughput).or(volume.throughput()),
        encrypted: volume.encrypted().unwrap_or_default(),
        kms_key: key_as_named(volume, props),
        tags: volume.labels().user(),
        state: volume.state().map(VolumeState::as_str).unwrap_or_default().to_owned(),
        modification_state: state.map(|state| state.as_str().to_owned()),
    }
}

#[async_trait]
impl Ops for Volume {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let questions = query::by_id_or_stack("volume-id", targets);
        let known = query::ids(targets).collect();
        let (volumes, under_way) =
            join(query::gather(questions, |question| read(clients, question)), modifications(clients, known))
                .await;
        let volumes = match volumes {
            Ok(volumes) => volumes,
            Err(error) => return unreadable(&error, targets.len()),
        };
        let found: Vec<Option<&Described>> =
            targets.iter().map(|target| query::find(&volumes, target)).collect();
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

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "ec2:CreateVolume";
        let request = clients
            .ec2_once
            .create_volume()
            .client_token(op.token())
            .availability_zone(known(&props.zone, operation, "zone")?)
            .size(props.size)
            .volume_type(VolumeType::from(props.kind.as_str()))
            .set_iops(props.iops)
            .set_throughput(props.throughput)
            .encrypted(props.encrypted)
            .set_kms_key_id(props.kms_key.clone())
            .tag_specifications(tags::specification(ResourceType::Volume, op, &props.tags));
        let made = request.send().await.named(operation)?;
        Ok(CloudId(made.volume_id.unwrap_or_default()))
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        tags::retag(clients, &id.0, diffs).await?;
        let differs = |name: &str| diffs.iter().any(|diff| diff.field == name);
        let mut request = clients.ec2_once.modify_volume().volume_id(&id.0);
        if differs("size") {
            request = request.size(want.size);
        }
        if differs("type") {
            request = request.volume_type(VolumeType::from(want.kind.as_str()));
        }
        if differs("iops") {
            request = request.set_iops(want.iops);
        }
        if differs("throughput") {
            request = request.set_throughput(want.throughput);
        }
        if ["size", "type", "iops", "throughput"].into_iter().any(differs) {
            request.send().await.named("ec2:ModifyVolume")?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        unless_gone(clients.ec2.delete_volume().volume_id(&id.0).send().await.named("ec2:DeleteVolume"))
    }
}

#[cfg(test)]
mod tests {
    use lh_kind::{AnyRules, Change, Effect, Erased};
    use serde_json::json;

    use super::*;

    fn change(want: Value, have: Value) -> Change {
        let map = |value: Value| value.as_object().cloned().unwrap();
        Erased::<Volume>::new().diff(&map(want), &map(have), None)
    }

    #[test]
    fn a_volume_grows_online_and_never_shrinks_or_moves() {
        let have = json!({"size": 100, "zone": "us-east-1a", "encrypted": true});
        assert!(matches!(change(json!({"size": 200}), have.clone()), Change::InPlace(_, Effect::Online)));
        for refused in [json!({"size": 50}), json!({"zone": "us-east-1b"}), json!({"encrypted": false})] {
            let Change::Refuse(refusal) = change(refused.clone(), have.clone()) else {
                panic!("{refused} was not refused")
            };
            assert!(refusal.fix.contains("restore"), "{refusal:?}");
        }
    }

    #[test]
    fn the_next_modification_waits_for_the_one_before() {
        for (state, refused) in [("modifying", true), ("optimizing", true), ("completed", false)] {
            let have = json!({"size": 100, "tags": {}, "modification_state": state});
            let grown = change(json!({"size": 200}), have.clone());
            assert_eq!(matches!(grown, Change::Refuse(_)), refused, "{state}");
            let tagged = change(json!({"size": 100, "tags": {"Team": "a"}}), have);
            assert!(matches!(tagged, Change::InPlace(..)), "{state}");
        }
    }

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

    #[test]
    fn the_guides_lines_and_what_it_leaves_out_are_told_apart() {
        let props = json!({"size": 20, "iops": 4000, "throughput": 125}).as_object().cloned().unwrap();
        let Price::Known(lines) = Volume::price(&props, &PriceBook::of("us-east-1")) else { panic!() };
        let text: Vec<_> = lines.iter().map(|l| (l.monthly.to_string(), l.share)).collect();
        let wanted = [("1.60", Share::Guide), ("0.10", Share::Guide), ("5.00", Share::Extra)];
        assert_eq!(text, wanted.map(|(amount, share)| (amount.to_owned(), share)));
        assert!(matches!(Volume::price(&props, &PriceBook::of("mars-1")), Price::Unknown(_)));
    }
}
