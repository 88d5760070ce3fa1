//! The data volume: an EBS volume apart from the instance, so that it outlives every instance.
//!
//! Seeing it is in `see.rs`.

mod see;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, VolumeType};
use lh_kind::{
    Amount, AtDestroy, Calls, CloudError, Field, FieldDiff, Idempotency, Line, Mutability, Op, Ops, Price,
    PriceBook, Readiness, Refusal, Rules, Seen, Share, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::see::Facts;
pub(crate) use self::see::read;
use super::tags;
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, refuse_fixed},
};

/// The way to a smaller volume, or one elsewhere: EBS has none, data moves by dump and restore.
const MOVE: &str = "Back up the database, create a new stack with the volume as wanted, restore the \
                    backup there, and release the old volume when the new one has proved itself.";
/// The way to another name: roles, dumps and clients know the database by the one it was made under.
const RENAME: &str = "Keep the name; or dump the database, create a new stack that has the name as wanted, \
                      and restore the dump there with `lhctl db restore --into`.";
/// Tag with the name of the database in it: only the server could tell.
const DATABASE_TAG: &str = "lhctl:database";
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
    /// The database that is made in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

fn gp3() -> String {
    "gp3".to_owned()
}

impl Rules for Volume {
    const NAME: &'static str = "volume";
    const DOC: &'static str = "An EBS volume that holds data (EC2 API reference: CreateVolume)";
    const CREATE: Idempotency = Idempotency::Token;
    const HOLDS_DATA: bool = true;
    const AT_DESTROY: AtDestroy = AtDestroy::AfterCopy("snapshot");
    const MARKS: &'static [(&'static str, &'static str)] = &[(DATABASE_TAG, "database")];
    const FIELDS: &'static [Field] = &[
        Field::with("zone", "availability zone", Mutability::Fixed(MOVE)),
        Field::online("size", "size in GiB; grows only"),
        Field::online("type", "volume type"),
        Field::online("iops", "I/O operations a second"),
        Field::online("throughput", "throughput in MiB a second"),
        Field::with("encrypted", "encryption", Mutability::Fixed(MOVE)),
        Field::with("kms_key", "KMS key", Mutability::Fixed(MOVE)),
        Field::with("database", "name of the database in it", Mutability::Fixed(RENAME)),
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

#[async_trait]
impl Ops for Volume {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        see::observe(clients, targets).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let operation = "ec2:CreateVolume";
        let database = props.database.iter().map(|name| (DATABASE_TAG.to_owned(), name.clone()));
        let tags_of_it: Tags = props.tags.clone().into_iter().chain(database).collect();
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
            .tag_specifications(tags::specification(ResourceType::Volume, op, &tags_of_it));
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
    fn the_database_keeps_its_name() {
        let Change::Refuse(refusal) = change(json!({"database": "b"}), json!({"database": "a"})) else {
            panic!("it was not refused")
        };
        assert!(
            refusal.why.contains("name of the database") && refusal.fix.contains("--into"),
            "{refusal:?}"
        );
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
    fn the_guides_lines_and_what_it_leaves_out_are_told_apart() {
        let props = json!({"size": 20, "iops": 4000, "throughput": 125}).as_object().cloned().unwrap();
        let Price::Known(lines) = Volume::price(&props, &PriceBook::of("us-east-1")) else { panic!() };
        let text: Vec<_> = lines.iter().map(|l| (l.monthly.to_string(), l.share)).collect();
        let wanted = [("1.60", Share::Guide), ("0.10", Share::Guide), ("5.00", Share::Extra)];
        assert_eq!(text, wanted.map(|(amount, share)| (amount.to_owned(), share)));
        assert!(matches!(Volume::price(&props, &PriceBook::of("mars-1")), Price::Unknown(_)));
    }
}
