//! A selection: what a plan backs up, by tag and by resource, and under which role.
//!
//! AWS has no way to change a selection: another takes its place, which is made before the old one
//! is deleted, so that there is no time in which nothing is backed up. Names of selections are not
//! unique. It carries no tags: it belongs to its plan, and without its id, or where that has gone, it
//! is found by the request that made it, else by name.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_backup::types::{
    BackupSelection as Selected, BackupSelectionsListMember, Condition, ConditionType,
};
use futures_util::future::join_all;
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price, PriceBook,
    Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map, identity::sha256};
use serde::{Deserialize, Serialize};

use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known},
};

const CREATE: &str = "backup:CreateBackupSelection";
const GET: &str = "backup:GetBackupSelection";
const LIST: &str = "backup:ListBackupSelections";
const DELETE: &str = "backup:DeleteBackupSelection";

/// The kind. Its id is `<plan>:<selection>`; both are UUIDs.
pub struct BackupSelection;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Shown in the console.
    pub name: String,
    /// The plan.
    pub plan_id: Late<String>,
    /// The role that AWS Backup takes, by its ARN.
    pub role_arn: Late<String>,
    /// ARNs of what is backed up.
    pub resources: Vec<Late<String>>,
    /// Tags of what is backed up; a resource has at least one of them.
    #[serde(default)]
    pub tagged: Tags,
}

/// What AWS Backup shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Shown in the console.
    pub name: String,
    /// The plan.
    pub plan_id: String,
    /// The role that AWS Backup takes.
    pub role_arn: String,
    /// ARNs of what is backed up.
    pub resources: Vec<String>,
    /// Tags of what is backed up.
    pub tagged: Tags,
}

impl Rules for BackupSelection {
    const NAME: &'static str = "backup_selection";
    const DOC: &'static str = "What a backup plan backs up (AWS Backup API reference: CreateBackupSelection)";
    const CREATE: Idempotency = Idempotency::Token;
    const FIELDS: &'static [Field] = &[
        Field::online("name", "name"),
        Field::replace("plan_id", "backup plan"),
        Field::online("role_arn", "role that AWS Backup takes"),
        Field::online("resources", "what is backed up, by ARN"),
        Field::online("tagged", "what is backed up, by tag"),
    ];
    const CALLS: Calls =
        Calls { observe: &[GET, LIST], create: &[CREATE], update: &[CREATE, DELETE], delete: &[DELETE] };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

/// The selections of a plan; none for a plan that is gone.
async fn list(
    clients: &Clients,
    plan: String,
) -> (String, Result<Vec<BackupSelectionsListMember>, CloudError>) {
    let request = clients.backup.list_backup_selections().backup_plan_id(&plan);
    let answer: Result<Vec<_>, _> = request.into_paginator().items().send().try_collect().await.named(LIST);
    let answer = match answer {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    };
    (plan, answer)
}

async fn get(clients: &Clients, id: String) -> Seen<Facts> {
    let (plan, selection) = parts(&id);
    let request = clients.backup.get_backup_selection().backup_plan_id(plan).selection_id(selection);
    let answer = match request.send().await.named(GET) {
        Ok(answer) => answer,
        Err(error) if error.kind == ErrorKind::NotFound => return Seen::Absent,
        Err(error) => return Seen::Unreadable(error),
    };
    let Some(body) = answer.backup_selection() else { return Seen::Absent };
    let mut resources = body.resources().to_vec();
    resources.sort();
    let tag = |tag: &Condition| (tag.condition_key().to_owned(), tag.condition_value().to_owned());
    let facts = Facts {
        name: body.selection_name().to_owned(),
        plan_id: plan.to_owned(),
        role_arn: body.iam_role_arn().to_owned(),
        resources,
        tagged: body.list_of_tags().iter().map(tag).collect(),
    };
    Seen::Found(Found { id: CloudId(id), owner: Owner::Parent, facts })
}

/// Plan and selection.
fn parts(id: &str) -> (&str, &str) {
    id.split_once(':').unwrap_or((id, ""))
}

/// The selection of a target among those of its plan.
fn find(target: &Target<Props>, all: &[BackupSelectionsListMember]) -> Option<String> {
    let by_request = all.iter().find(|one| one.creator_request_id() == Some(&target.identity.token()));
    let by_name = || all.iter().find(|one| one.selection_name() == Some(&target.props.name));
    by_request.or_else(by_name)?.selection_id.clone()
}

async fn look(
    clients: &Clients,
    target: &Target<Props>,
    lists: &BTreeMap<String, Result<Vec<BackupSelectionsListMember>, CloudError>>,
) -> Seen<Facts> {
    let found = match &target.id {
        Some(id) => get(clients, id.0.clone()).await,
        None => Seen::Absent,
    };
    let plan = match &target.id {
        Some(id) => Some(parts(&id.0).0),
        None => target.props.plan_id.known().map(String::as_str),
    };
    let (Seen::Absent, Some(plan)) = (&found, plan) else { return found };
    // A change puts another in the place of the one that state knows.
    let all = match lists.get(plan) {
        Some(known) => known.clone(),
        None => list(clients, plan.to_owned()).await.1,
    };
    match all.map(|all| find(target, &all)) {
        Err(error) => Seen::Unreadable(error),
        Ok(Some(id)) => get(clients, format!("{plan}:{id}")).await,
        Ok(None) => Seen::Absent,
    }
}

async fn make(clients: &Clients, plan: &str, props: &Props, token: String) -> Result<CloudId, CloudError> {
    let request = clients.backup.create_backup_selection().backup_plan_id(plan);
    let request = request.backup_selection(document(props)?).creator_request_id(token);
    let made = request.send().await.named(CREATE)?;
    Ok(CloudId(format!("{plan}:{}", made.selection_id.unwrap_or_default())))
}

async fn remove(clients: &Clients, id: &CloudId) -> Result<(), CloudError> {
    let (plan, selection) = parts(&id.0);
    let request = clients.backup.delete_backup_selection().backup_plan_id(plan).selection_id(selection);
    unless_gone(request.send().await.named(DELETE))
}

/// The request that puts another in the place of `old`: the same when it is repeated, and another
/// for each change, also of one back to what was before.
fn successor(op: &Op, old: &CloudId) -> String {
    format!("lhctl-{}", &sha256(format!("{}\n{old}", op.identity).as_bytes())[..32])
}

fn document(props: &Props) -> Result<Selected, CloudError> {
    let unbuilt = |error: aws_smithy_types::error::operation::BuildError| {
        CloudError::new(ErrorKind::Other, CREATE, error.to_string())
    };
    let resources = props.resources.iter().map(|arn| known(arn, CREATE, "resources").cloned());
    let tag = |(key, value): (&String, &String)| {
        let tag = Condition::builder().condition_type(ConditionType::Stringequals);
        tag.condition_key(key).condition_value(value).build().map_err(unbuilt)
    };
    let tags: Vec<Condition> = props.tagged.iter().map(tag).collect::<Result<_, _>>()?;
    Selected::builder()
        .selection_name(&props.name)
        .iam_role_arn(known(&props.role_arn, CREATE, "role_arn")?)
        .set_resources(Some(resources.collect::<Result<_, _>>()?))
        .set_list_of_tags((!tags.is_empty()).then_some(tags))
        .build()
        .map_err(unbuilt)
}

#[async_trait]
impl Ops for BackupSelection {
    type Client = Clients;

    /// A selection is read alone, since lists do not tell what is selected; all at the same time.
    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let new = targets.iter().filter(|target| target.id.is_none());
        let plans: BTreeSet<String> =
            new.filter_map(|target| target.props.plan_id.known().cloned()).collect();
        let lists = join_all(plans.into_iter().map(|plan| list(clients, plan))).await;
        let lists: BTreeMap<String, _> = lists.into_iter().collect();
        join_all(targets.iter().map(|target| look(clients, target, &lists))).await
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let plan = known(&props.plan_id, CREATE, "plan_id")?;
        make(clients, plan, props, op.token()).await
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        id: &CloudId,
        want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        let made = make(clients, parts(&id.0).0, want, successor(op, id)).await?;
        if made != *id { remove(clients, id).await } else { Ok(()) }
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        remove(clients, id).await
    }
}
