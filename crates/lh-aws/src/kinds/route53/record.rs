//! DNS record: the name that clients use, as an `A` record in a hosted zone that exists. Records
//! take no tags: a text record beside it, changed in the same transaction, says whose it is.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet, RrType};
use futures_util::future::{join, join_all};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Price, PriceBook, Readiness,
    Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    pending::{self, GET_CHANGE},
    sets::{self, CHANGE, LIST, tidy},
};
use crate::{clients::Clients, error::Named, kinds::known};

/// The kind. Its id is the zone's id and the record's name: `Z0123…/db.example.com`.
pub struct DnsRecord;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// The hosted zone.
    pub zone_id: Late<String>,
    /// The full name, without a dot at its end.
    pub name: String,
    /// The IPv4 address.
    pub value: Late<String>,
    /// Seconds for which resolvers keep it.
    pub ttl: i64,
    /// That the text record says whose it is; always wanted.
    pub marked: bool,
}

/// What Route 53 shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The hosted zone.
    pub zone_id: String,
    /// The full name, without a dot at its end.
    pub name: String,
    /// The IPv4 address; a list where somebody made several of it, and what else stands there.
    pub value: Value,
    /// Seconds; none for an alias.
    pub ttl: Option<i64>,
    /// Whether the text record says that it is this stack's.
    pub marked: bool,
    /// Whether all name servers have it.
    pub in_sync: bool,
}

impl Rules for DnsRecord {
    const NAME: &'static str = "dns_record";
    const DOC: &'static str = "A DNS record of the server (Route 53 API reference: ChangeResourceRecordSets)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("zone_id", "hosted zone"),
        Field::replace("name", "name"),
        Field::online("value", "address"),
        Field::online("ttl", "seconds for which resolvers keep it"),
        Field::online("marked", "the text record that says whose it is"),
    ];
    const CALLS: Calls = Calls {
        observe: &[LIST, GET_CHANGE],
        create: &[CHANGE, LIST],
        update: &[CHANGE],
        delete: &[CHANGE, LIST],
    };
    type Props = Props;
    type Facts = Facts;

    fn ready(facts: &Facts) -> Readiness {
        if facts.in_sync {
            Readiness::Ready
        } else {
            Readiness::Pending("on its way to the name servers".to_owned())
        }
    }

    /// A record costs nothing; the zone, which is not the stack's, is paid for by its owner, and
    /// queries by their number, which nobody knows beforehand.
    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

fn id_of(zone: &str, name: &str) -> CloudId {
    CloudId(format!("{zone}/{}", tidy(name)))
}

/// Zone and name of a target; none while the zone is not known.
fn place(target: &Target<Props>) -> Option<(String, String)> {
    if let Some((zone, name)) = target.id.as_ref().and_then(|id| id.0.split_once('/')) {
        return Some((zone.to_owned(), name.to_owned()));
    }
    Some((target.props.zone_id.known()?.clone(), tidy(&target.props.name)))
}

/// What stands at the name, so that no `A` record can be made there, or that is one.
fn standing<'a>(sets: &'a [ResourceRecordSet], name: &str) -> Option<&'a ResourceRecordSet> {
    let rival = |kind: &RrType| *kind == RrType::A || *kind == RrType::Cname;
    sets.iter().find(|set| tidy(&set.name) == tidy(name) && rival(&set.r#type))
}

fn value_of(set: &ResourceRecordSet) -> Value {
    let values: Vec<&str> = set.resource_records().iter().map(|record| record.value.as_str()).collect();
    match (values.as_slice(), set.alias_target(), &set.r#type) {
        ([one], _, kind) if *kind == RrType::A => json!(one),
        ([], Some(alias), _) => json!(format!("alias of {}", alias.dns_name)),
        (several, ..) => json!(several),
    }
}

/// Whether the name servers have the record of `target`, as far as this process changed it.
async fn is_in_sync(clients: &Clients, target: &Target<Props>) -> Result<bool, CloudError> {
    match place(target) {
        Some((zone, name)) => {
            pending::is_in_sync(&clients.pending_records, &clients.route53, &id_of(&zone, &name).0).await
        }
        None => Ok(true),
    }
}

fn look(
    sets: &[ResourceRecordSet],
    target: &Target<Props>,
    in_sync: Result<bool, CloudError>,
) -> Seen<Facts> {
    let Some((zone, name)) = place(target) else { return Seen::Absent };
    let Some(set) = standing(sets, &name) else { return Seen::Absent };
    let id = id_of(&zone, &name);
    let in_sync = match in_sync {
        Ok(in_sync) => in_sync,
        Err(error) => return Seen::Unreadable(error),
    };
    let labels = sets::labels(sets, &name);
    let marked = labels.is_at(&target.stack, &target.address);
    let facts = Facts { zone_id: zone, name, value: value_of(set), ttl: set.ttl, marked, in_sync };
    Seen::Found(Found { id, owner: labels.owner(&target.stack), facts })
}

/// One transaction: all of it happens, or nothing.
async fn send(
    clients: &Clients,
    zone: &str,
    name: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<(), CloudError> {
    let wrong = |error: aws_smithy_types::error::operation::BuildError| {
        CloudError::new(ErrorKind::Other, CHANGE, error.to_string())
    };
    let mut batch = ChangeBatch::builder().comment("lhctl");
    for (action, set) in changes {
        let change = Change::builder().action(action).resource_record_set(set).build().map_err(wrong)?;
        batch = batch.changes(change);
    }
    let batch = batch.build().map_err(wrong)?;
    let request = clients.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    let answer = request.send().await.named(CHANGE)?;
    if let Some(info) = answer.change_info() {
        clients.pending_records.note(&id_of(zone, name).0, &info.id);
    }
    Ok(())
}

/// The record and its marker as wanted.
fn wanted(op: &Op, props: &Props) -> Result<(ResourceRecordSet, ResourceRecordSet), CloudError> {
    let value = known(&props.value, CHANGE, "value")?;
    let record = sets::set(&props.name, RrType::A, props.ttl, value)?;
    let text = sets::marker_text(&op.tags);
    Ok((record, sets::set(&sets::marker_name(&props.name), RrType::Txt, props.ttl, &text)?))
}

#[async_trait]
impl Ops for DnsRecord {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (zone, name) in targets.iter().filter_map(place) {
            names.entry(zone).or_default().insert(name);
        }
        let reads = names.into_iter().map(|(zone, names)| async move {
            // One name is asked for; for several the zone is read.
            let only = names.first().filter(|_| names.len() == 1).map(String::as_str);
            let sets = sets::read(clients, &zone, only).await;
            (zone, sets)
        });
        let in_sync = targets.iter().map(|target| is_in_sync(clients, target));
        let (zones, in_sync) = join(join_all(reads), join_all(in_sync)).await;
        let zones: BTreeMap<_, _> = zones.into_iter().collect();
        let look = |(target, in_sync)| match place(target).and_then(|(zone, _)| zones.get(&zone)) {
            Some(Ok(sets)) => look(sets, target, in_sync),
            Some(Err(error)) => Seen::Unreadable(error.clone()),
            None => Seen::Absent,
        };
        targets.iter().zip(in_sync).map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let zone = known(&props.zone_id, CHANGE, "zone_id")?;
        let (record, marker) = wanted(op, props)?;
        // CREATE fails where anything stands already, so that nobody's record is overwritten.
        let changes = vec![(ChangeAction::Create, record), (ChangeAction::Upsert, marker)];
        let Err(error) = send(clients, zone, &props.name, changes).await else {
            return Ok(id_of(zone, &props.name));
        };
        if error.is_uncertain() || error.kind == ErrorKind::Denied {
            return Err(error);
        }
        let sets = sets::read(clients, zone, Some(&props.name)).await?;
        match standing(&sets, &props.name) {
            Some(_) if sets::labels(&sets, &props.name).is_of(&op.stack, &op.identity) => {
                Ok(id_of(zone, &props.name))
            }
            Some(_) => Err(CloudError { kind: ErrorKind::Exists, ..error }),
            None => Err(error),
        }
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let (record, marker) = wanted(op, want)?;
        let zone = id.0.split_once('/').map(|(zone, _)| zone).unwrap_or_default();
        let changes = vec![(ChangeAction::Upsert, record), (ChangeAction::Upsert, marker)];
        send(clients, zone, &want.name, changes).await
    }

    async fn delete(clients: &Clients, op: &Op, id: &CloudId, facts: &Facts) -> Result<(), CloudError> {
        let Facts { zone_id, name, .. } = facts;
        // A deletion names exactly what is there.
        let sets = sets::read(clients, zone_id, Some(name)).await?;
        let marker = sets::marker_name(name);
        let ours = sets::labels(&sets, name).is_at(&op.stack, &op.address);
        let goes = |set: &&ResourceRecordSet| {
            let record = tidy(&set.name) == tidy(name) && set.r#type == RrType::A;
            record || (ours && tidy(&set.name) == marker && set.r#type == RrType::Txt)
        };
        let changes: Vec<_> =
            sets.iter().filter(goes).map(|set| (ChangeAction::Delete, set.clone())).collect();
        if changes.is_empty() {
            return Ok(());
        }
        tracing::debug!(record = %id, "deletes the record and its marker");
        send(clients, zone_id, name, changes).await
    }
}
