//! A backup plan with one rule: when backups are made, where they go, how long they stay.
//!
//! Names of plans are not unique: without its id a plan is found by its name and whose it is.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_backup::{
    operation::get_backup_plan::GetBackupPlanOutput,
    types::{BackupPlanInput, BackupPlansListMember, BackupRule, BackupRuleInput, Lifecycle},
};
use futures_util::future::{join, join_all};
use lh_kind::{
    Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Op, Ops, Owner, Price, PriceBook,
    Rules, Seen, Target,
};
use lh_model::{CloudId, Late, Map};
use serde::{Deserialize, Serialize};

use super::tags;
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::{Tags, known, labels::Labels, tagged},
};

const CREATE: &str = "backup:CreateBackupPlan";
const UPDATE: &str = "backup:UpdateBackupPlan";
const GET: &str = "backup:GetBackupPlan";
const LIST: &str = "backup:ListBackupPlans";
/// The name of the one rule.
const RULE: &str = "timescaledb";

/// The kind. Its id is the plan's.
pub struct BackupPlan;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Shown in the console.
    pub name: String,
    /// The vault that recovery points go to, by its name.
    pub vault: Late<String>,
    /// `cron(…)`, in UTC.
    pub schedule: String,
    /// Days until a recovery point is deleted.
    pub retain_days: i64,
    /// Days until it moves to cold storage.
    #[serde(default)]
    pub cold_after_days: Option<i64>,
    /// Names of further rules; the stack wants none.
    #[serde(default)]
    pub other_rules: Vec<String>,
    /// The user's tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What AWS Backup shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Shown in the console.
    pub name: String,
    /// The vault that recovery points go to.
    pub vault: Option<String>,
    /// `cron(…)`, in UTC.
    pub schedule: Option<String>,
    /// Days until a recovery point is deleted.
    pub retain_days: Option<i64>,
    /// Days until it moves to cold storage.
    pub cold_after_days: Option<i64>,
    /// Names of further rules.
    pub other_rules: Vec<String>,
    /// The user's tags.
    pub tags: Tags,
    /// Its ARN.
    pub arn: String,
}

impl Rules for BackupPlan {
    const NAME: &'static str = "backup_plan";
    const DOC: &'static str = "A schedule of backups (AWS Backup API reference: CreateBackupPlan)";
    const CREATE: Idempotency = Idempotency::Token;
    const FIELDS: &'static [Field] = &[
        Field::online("name", "name"),
        Field::online("vault", "vault that recovery points go to"),
        Field::online("schedule", "when backups are made, in UTC"),
        Field::online("retain_days", "days until a recovery point is deleted"),
        Field::online("cold_after_days", "days until a recovery point moves to cold storage"),
        Field::online("other_rules", "rules that the stack does not ask for"),
        Field::online("tags", "tags"),
    ];
    const CALLS: Calls = Calls {
        observe: &[GET, LIST, tagged::GET_RESOURCES, tags::LIST],
        create: &[CREATE],
        update: &[UPDATE, GET, "backup:TagResource", "backup:UntagResource"],
        delete: &["backup:DeleteBackupPlan"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(_props: &Map, _book: &PriceBook) -> Price {
        Price::FREE
    }
}

fn document(props: &Props, operation: &'static str) -> Result<BackupPlanInput, CloudError> {
    let unbuilt = |error: aws_smithy_types::error::operation::BuildError| {
        CloudError::new(ErrorKind::Other, operation, error.to_string())
    };
    let life = Lifecycle::builder()
        .delete_after_days(props.retain_days)
        .set_move_to_cold_storage_after_days(props.cold_after_days);
    let rule = BackupRuleInput::builder()
        .rule_name(RULE)
        .target_backup_vault_name(known(&props.vault, operation, "vault")?)
        .schedule_expression(&props.schedule)
        .lifecycle(life.build())
        .build()
        .map_err(unbuilt)?;
    BackupPlanInput::builder().backup_plan_name(&props.name).rules(rule).build().map_err(unbuilt)
}

/// The plan of this id; `None` for one that is gone, or deleted and still shown.
async fn get(clients: &Clients, id: String) -> (String, Result<Option<GetBackupPlanOutput>, CloudError>) {
    let answer = match clients.backup.get_backup_plan().backup_plan_id(&id).send().await.named(GET) {
        Ok(plan) if plan.deletion_date.is_some() => Ok(None),
        Ok(plan) => Ok(Some(plan)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    (id, answer)
}

async fn list(clients: &Clients) -> Result<Vec<BackupPlansListMember>, CloudError> {
    let pages = clients.backup.list_backup_plans().into_paginator().items().send();
    pages.try_collect().await.named(LIST)
}

/// The ids of the targets that state knows no id of: by name, and by the request or the tags that
/// say whose a plan is.
async fn find(clients: &Clients, targets: &[&Target<Props>]) -> Result<Vec<Option<String>>, CloudError> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<Target<Props>> = targets.iter().map(|target| (*target).clone()).collect();
    let (plans, common) = join(list(clients), tagged::read(clients, &all)).await;
    let plans = plans?;
    let of_name = |plan: &&BackupPlansListMember| {
        targets.iter().any(|target| plan.backup_plan_name() == Some(&target.props.name))
    };
    let arns = plans.iter().filter(of_name).filter_map(|plan| plan.backup_plan_arn.clone());
    let labels = tagged::complete(&common, arns, |arn| tags::of(clients, arn)).await;
    let none = Ok(Labels::default());
    let mut ids = Vec::new();
    for target in targets {
        let mut best: Option<(bool, String)> = None;
        for plan in plans.iter().filter(|plan| plan.backup_plan_name() == Some(&target.props.name)) {
            let labels = labels.get(plan.backup_plan_arn().unwrap_or_default()).unwrap_or(&none);
            let labels = labels.as_ref().map_err(Clone::clone)?;
            let same = plan.creator_request_id() == Some(&target.identity.token())
                || labels.is_of(&target.stack, &target.identity);
            if (same || labels.is_at(&target.stack, &target.address))
                && best.as_ref().is_none_or(|(exact, _)| same && !exact)
            {
                best = Some((same, plan.backup_plan_id().unwrap_or_default().to_owned()));
            }
        }
        ids.push(best.map(|(_, id)| id));
    }
    Ok(ids)
}

fn facts(plan: &GetBackupPlanOutput, labels: &Labels) -> Facts {
    let body = plan.backup_plan();
    let rules = body.map(|body| body.rules()).unwrap_or_default();
    let ours: Option<&BackupRule> = rules.iter().find(|rule| rule.rule_name() == RULE);
    let life = ours.and_then(|rule| rule.lifecycle());
    // AWS keeps what was switched off as -1.
    let days = |days: Option<i64>| days.filter(|days| *days >= 0);
    let others = rules.iter().map(BackupRule::rule_name).filter(|name| *name != RULE);
    Facts {
        name: body.map(|body| body.backup_plan_name().to_owned()).unwrap_or_default(),
        vault: ours.map(|rule| rule.target_backup_vault_name().to_owned()),
        schedule: ours.and_then(|rule| rule.schedule_expression.clone()),
        retain_days: days(life.and_then(Lifecycle::delete_after_days)),
        cold_after_days: days(life.and_then(Lifecycle::move_to_cold_storage_after_days)),
        other_rules: others.map(str::to_owned).collect(),
        tags: labels.user(),
        arn: plan.backup_plan_arn().unwrap_or_default().to_owned(),
    }
}

/// The ids to look at, in the order of `targets`.
async fn ids(clients: &Clients, targets: &[Target<Props>]) -> Result<Vec<Option<String>>, CloudError> {
    let new: Vec<&Target<Props>> = targets.iter().filter(|target| target.id.is_none()).collect();
    let mut found = find(clients, &new).await?.into_iter();
    let id = |target: &Target<Props>| match &target.id {
        Some(id) => Some(id.0.clone()),
        None => found.next().flatten(),
    };
    Ok(targets.iter().map(id).collect())
}

#[async_trait]
impl Ops for BackupPlan {
    type Client = Clients;

    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let ids = match ids(clients, targets).await {
            Ok(ids) => ids,
            Err(error) => return crate::kinds::unreadable(&error, targets.len()),
        };
        let asked = join_all(ids.iter().flatten().map(|id| get(clients, id.clone())));
        let (plans, common) = join(asked, tagged::read(clients, targets)).await;
        let plans: BTreeMap<String, _> = plans.into_iter().collect();
        let there = plans.values().filter_map(|plan| plan.as_ref().ok()?.as_ref());
        let arns: Vec<String> = there.filter_map(|plan| plan.backup_plan_arn.clone()).collect();
        let labels = tagged::complete(&common, arns, |arn| tags::of(clients, arn)).await;
        let none = Ok(Labels::default());
        let look = |(target, id): (&Target<Props>, &Option<String>)| {
            let Some(id) = id else { return Seen::Absent };
            let plan = match plans.get(id) {
                Some(Ok(Some(plan))) => plan,
                Some(Err(error)) => return Seen::Unreadable(error.clone()),
                _ => return Seen::Absent,
            };
            match labels.get(plan.backup_plan_arn().unwrap_or_default()).unwrap_or(&none) {
                Ok(labels) => {
                    let by_request = plan.creator_request_id() == Some(&target.identity.token());
                    let owner = match labels.owner(&target.stack) {
                        Owner::Other if by_request => Owner::Stack(target.identity.clone()),
                        owner => owner,
                    };
                    Seen::Found(Found { id: CloudId(id.clone()), owner, facts: facts(plan, labels) })
                }
                Err(error) => Seen::Unreadable(error.clone()),
            }
        };
        targets.iter().zip(&ids).map(look).collect()
    }

    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let tags: HashMap<String, String> = op.all_tags(&props.tags).into_iter().collect();
        let request = clients
            .backup
            .create_backup_plan()
            .backup_plan(document(props, CREATE)?)
            .creator_request_id(op.token())
            .set_backup_plan_tags(Some(tags));
        let made = request.send().await.named(CREATE)?;
        Ok(CloudId(made.backup_plan_id.unwrap_or_default()))
    }

    async fn update(
        clients: &Clients,
        _op: &Op,
        id: &CloudId,
        want: &Props,
        diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        if diffs.iter().any(|diff| diff.field.starts_with("tags.")) {
            let plan = clients.backup.get_backup_plan().backup_plan_id(&id.0).send().await.named(GET)?;
            tags::retag(clients, plan.backup_plan_arn().unwrap_or_default(), diffs).await?;
        }
        if diffs.iter().any(|diff| !diff.field.starts_with("tags.")) {
            let request = clients.backup.update_backup_plan().backup_plan_id(&id.0);
            request.backup_plan(document(want, UPDATE)?).send().await.named(UPDATE)?;
        }
        Ok(())
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.backup.delete_backup_plan().backup_plan_id(&id.0);
        unless_gone(request.send().await.named("backup:DeleteBackupPlan"))
    }
}
