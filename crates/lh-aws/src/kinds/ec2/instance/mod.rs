//! The instance: what it is made of, what may change and how, what it costs.
//!
//! Seeing it is in `see.rs`, launching in `launch.rs`, changing and deleting in `change.rs`,
//! and what surrounds the database on it in `renew.rs`.

mod change;
mod facts;
mod launch;
mod renew;
mod see;

use async_trait::async_trait;
use lh_kind::{
    Amount, Calls, CloudError, Downtime, Effect, Field, FieldDiff, Idempotency, Line, Mutability, Op, Ops,
    Price, PriceBook, Readiness, Rules, Seen, Share, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{facts::Facts, renew::note_host};
use crate::{clients::Clients, kinds::Tags};

/// Tag with the image of the database server that the host was last brought to.
const IMAGE_TAG: &str = "lhctl:database-image";
/// Tag with the digest of what the host was last brought to: only the host itself could tell.
const HOST_TAG: &str = "lhctl:host";
/// Tag with size and encryption of the root volume at launch, `8 encrypted`.
const ROOT_VOLUME_TAG: &str = "lhctl:root-volume";
/// Tag of an instance whose API termination we switched off: only then is that attribute read.
const PROTECTED_TAG: &str = "lhctl:termination-protection";

/// The kind.
pub struct Instance;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Instance type, `t4g.micro`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The image it starts from.
    pub image_id: Late<String>,
    /// The subnet it is in.
    pub subnet_id: Late<String>,
    /// Its security groups.
    pub security_group_ids: Vec<Late<String>>,
    /// Name of its instance profile.
    #[serde(default)]
    pub instance_profile: Option<Late<String>>,
    /// Name of the key pair for SSH.
    #[serde(default)]
    pub key_name: Option<Late<String>>,
    /// Cloud-init text.
    #[serde(default)]
    pub user_data: Option<Late<String>>,
    /// The image of the database server on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_image: Option<String>,
    /// The script that brings a host that serves to what the stack file says; a new instance has it
    /// from its cloud-init text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Bought on the spot market; null for on-demand.
    #[serde(default)]
    pub spot: Option<Spot>,
    /// The volume it boots from.
    #[serde(default)]
    pub root_volume: Option<RootVolume>,
    /// Whether EC2 refuses to terminate it.
    #[serde(default)]
    pub disable_api_termination: bool,
    /// Whether it runs; where given, a stopped instance is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// `required` for IMDSv2 only; where given, anything else is changed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// How a spot instance ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// `stop` or `terminate`.
    pub interruption: String,
}

/// The volume an instance boots from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootVolume {
    /// GiB.
    pub size: i32,
    /// Whether it is encrypted.
    #[serde(default = "yes")]
    pub encrypted: bool,
}

fn yes() -> bool {
    true
}

impl Rules for Instance {
    const NAME: &'static str = "instance";
    const DOC: &'static str = "An EC2 instance (EC2 API reference: RunInstances)";
    const CREATE: Idempotency = Idempotency::Token;
    // Seconds, rounded up from what starting and preparing a t4g instance takes.
    const DOWNTIME: Downtime = Downtime { stop_start: 120, replace: 300 };
    const FIELDS: &'static [Field] = &[
        Field::with("type", "instance type", Mutability::StopStart),
        // The image that a lookup found is pinned in state: a difference means the user asked for it.
        Field::replace("image_id", "image"),
        Field::replace("subnet_id", "subnet"),
        Field::online("security_group_ids", "security groups"),
        Field::online("instance_profile", "instance profile"),
        Field::replace("key_name", "SSH key pair"),
        Field::with("user_data", "cloud-init text", Mutability::Unread).digest(),
        Field::with(
            "database_image",
            "image of the database server",
            Mutability::Apart("`lhctl db upgrade` changes it"),
        ),
        Field::online("host", "dumps, logs, metrics and programs of the host")
            .digest()
            .by(&["ssm:SendCommand", "ssm:GetCommandInvocation"]),
        Field::replace("spot", "spot market options"),
        Field::with("root_volume", "root volume", Mutability::AtCreation),
        Field::online("disable_api_termination", "termination protection"),
        Field::online("running", "whether it runs"),
        Field::online("http_tokens", "instance metadata tokens"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[
            "ec2:DescribeInstances",
            "ec2:DescribeSpotInstanceRequests",
            "ec2:DescribeInstanceAttribute",
        ],
        create: &["ec2:DescribeImages", "ec2:RunInstances"],
        update: &[
            "ec2:DescribeInstances",
            "ec2:StopInstances",
            "ec2:StartInstances",
            "ec2:ModifyInstanceAttribute",
            "ec2:ModifyInstanceMetadataOptions",
            "ec2:DescribeIamInstanceProfileAssociations",
            "ec2:AssociateIamInstanceProfile",
            "ec2:ReplaceIamInstanceProfileAssociation",
            "ec2:DisassociateIamInstanceProfile",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &["ec2:CancelSpotInstanceRequests", "ec2:ModifyInstanceAttribute", "ec2:TerminateInstances"],
    };
    type Props = Props;
    type Facts = Facts;

    /// "While a Spot Instance is stopped, you can modify some of its instance attributes, but
    /// not the instance type" (EC2 user guide, "Behavior of Spot Instance interruptions").
    fn refine(_want: &Map, have: &Map, mut diffs: Vec<FieldDiff>) -> Vec<FieldDiff> {
        if have.get("spot").is_some_and(|spot| !spot.is_null()) {
            for diff in diffs.iter_mut().filter(|diff| diff.field == "type") {
                diff.effect = Some(Effect::Replace);
            }
        }
        diffs
    }

    fn ready(facts: &Facts) -> Readiness {
        match facts.state.as_str() {
            "running" => Readiness::Ready,
            "shutting-down" | "terminated" => Readiness::Leaving(facts.state.clone()),
            other => Readiness::Pending(other.to_owned()),
        }
    }

    fn price(props: &Map, book: &PriceBook) -> Price {
        estimate(props, book).map_or_else(|unknown| unknown, Price::Known)
    }
}

fn estimate(props: &Map, book: &PriceBook) -> Result<Vec<Line>, Price> {
    let kind = props.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_spot = props.get("spot").is_some_and(|spot| !spot.is_null());
    let factor = if is_spot { book.find(&["spot_factor"])? } else { 1.0 };
    let dollars = book.find(&["instance_hour", kind])? * book.hours() * factor;
    let what = format!("{kind} {}", if is_spot { "spot" } else { "on-demand" });
    let mut lines = vec![Line { what, monthly: Amount::dollars(dollars), share: Share::Guide }];
    let root = props.get("root_volume").and_then(|root| root.get("size")).and_then(Value::as_f64);
    if let Some(size) = root {
        let monthly = Amount::dollars(size * book.find(&["gp3_gib"])?);
        lines.push(Line { what: format!("{size} GiB gp3 root volume"), monthly, share: Share::Extra });
    }
    Ok(lines)
}

#[async_trait]
impl Ops for Instance {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        see::observe(clients, targets).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        launch::launch(clients, op, props).await
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        change::update(clients, op, &id.0, want, diffs).await
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        change::delete(clients, &id.0, facts).await
    }
}

#[cfg(test)]
mod tests {
    use lh_kind::{AnyRules, Change, Erased};
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_new_type_stops_an_on_demand_instance_and_replaces_a_spot_instance() {
        let change = |have: Value| {
            Erased::<Instance>::new().diff(&map(json!({"type": "t4g.small"})), &map(have), None)
        };
        let on_demand = change(json!({"type": "t4g.micro", "spot": null}));
        assert!(matches!(on_demand, Change::InPlace(_, Effect::StopStart)));
        let spot = change(json!({"type": "t4g.micro", "spot": {"interruption": "stop"}}));
        assert!(matches!(spot, Change::Replace(_)));
    }

    #[test]
    fn user_data_never_acts_and_another_image_is_told() {
        let have =
            map(json!({"user_data": lh_kind::change::digested(&"old".into()), "database_image": "a:1"}));
        let change = |want: Value| Erased::<Instance>::new().diff(&map(want), &have, None);
        assert_eq!(change(json!({"user_data": "new"})), Change::Same(vec![]));
        assert!(matches!(change(json!({"database_image": "a:2"})), Change::Same(told) if told.len() == 1));
    }

    #[test]
    fn the_guides_instance_line_is_met_to_the_cent() {
        let book = PriceBook::of("us-east-1");
        let props =
            map(json!({"type": "t4g.micro", "spot": {"interruption": "stop"}, "root_volume": {"size": 8}}));
        let Price::Known(lines) = Instance::price(&props, &book) else { panic!() };
        assert_eq!(
            (lines[0].what.as_str(), lines[0].monthly.to_string().as_str()),
            ("t4g.micro spot", "1.84")
        );
        assert_eq!((lines[1].share, lines[1].monthly.to_string().as_str()), (Share::Extra, "0.64"));
        let other = map(json!({"type": "x9g.huge"}));
        assert!(matches!(Instance::price(&other, &book), Price::Unknown(_)));
    }
}
