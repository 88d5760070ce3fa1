//! Plans: each change makes a new version.

use super::{PAGES, check_creator, check_name, invalid, missing, required, tags};
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::page;
use crate::scene::Scene;
use crate::world::{BackupPlan, BackupRule, PlanVersion, Tags};
use aws_sdk_backup::operation::{
    create_backup_plan::{CreateBackupPlanInput, CreateBackupPlanOutput},
    delete_backup_plan::{DeleteBackupPlanInput, DeleteBackupPlanOutput},
    get_backup_plan::{GetBackupPlanInput, GetBackupPlanOutput},
    list_backup_plans::{ListBackupPlansInput, ListBackupPlansOutput},
    update_backup_plan::{UpdateBackupPlanInput, UpdateBackupPlanOutput},
};
use aws_sdk_backup::types::{
    BackupPlan as Shown, BackupPlanInput, BackupPlansListMember, BackupRule as ShownRule, BackupRuleInput,
    Lifecycle,
};
use std::collections::BTreeMap;

/// Days that a recovery point spends in cold storage at least.
const COLD_DAYS: i64 = 90;

fn key(id: &str) -> String {
    format!("backup-plan/{id}")
}

/// The plan of this id that is not deleted.
pub(super) fn find<'s>(
    s: &'s mut Scene<'_>,
    asked: &Option<String>,
) -> Result<(String, &'s mut BackupPlan), ApiError> {
    let id = required(asked, "BackupPlanId")?.to_owned();
    let none = || missing("Backup plan", &id);
    let plan = s.here.backup.plans.get_mut(&id).filter(|plan| plan.deleted_at.is_none()).ok_or_else(none)?;
    Ok((id, plan))
}

/// What a plan says, checked.
fn version(s: &mut Scene<'_>, given: Option<&BackupPlanInput>) -> Result<PlanVersion, ApiError> {
    let given = given.ok_or_else(|| invalid("BackupPlan is required."))?;
    check_name(&given.backup_plan_name, "BackupPlanName", "-_.")?;
    if given.rules.is_empty() {
        return Err(invalid("A backup plan has at least one rule."));
    }
    let rules = given.rules.iter().map(|given| rule(s, given)).collect::<Result<_, _>>()?;
    Ok(PlanVersion { id: s.random.request_id(), name: given.backup_plan_name.clone(), rules })
}

/// A rule: <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html>.
fn rule(s: &Scene<'_>, given: &BackupRuleInput) -> Result<BackupRule, ApiError> {
    check_name(&given.rule_name, "RuleName", "-_.")?;
    let vault = &given.target_backup_vault_name;
    if !s.here.backup.vaults.contains_key(vault) {
        return Err(invalid(format!("Cannot find Backup vault with name {vault}")));
    }
    let schedule = given.schedule_expression.clone();
    if schedule.as_ref().is_some_and(|text| !(text.starts_with("cron(") && text.ends_with(')'))) {
        return Err(invalid("Invalid schedule expression: only cron expressions are allowed."));
    }
    let life = given.lifecycle.as_ref();
    let (delete, cold) = (
        life.and_then(|life| life.delete_after_days),
        life.and_then(|life| life.move_to_cold_storage_after_days),
    );
    if delete.zip(cold).is_some_and(|(delete, cold)| cold > 0 && delete < cold + COLD_DAYS) {
        return Err(invalid(
            "Invalid lifecycle. DeleteAfterDays cannot be less than 90 days apart from MoveToColdStorageAfterDays",
        ));
    }
    Ok(BackupRule {
        name: given.rule_name.clone(),
        vault: vault.clone(),
        schedule,
        delete_after_days: delete,
        cold_after_days: cold,
    })
}

/// CreateBackupPlan: <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupPlan.html>.
/// The request that made a plan is answered with it; a plan that says the same is refused.
pub(super) fn create(
    s: &mut Scene<'_>,
    i: &CreateBackupPlanInput,
) -> Result<CreateBackupPlanOutput, ApiError> {
    check_creator(&i.creator_request_id)?;
    let alive = s.here.backup.plans.iter().filter(|(_, plan)| plan.deleted_at.is_none());
    let mut alive = alive.map(|(id, plan)| (id.clone(), plan.clone())).collect::<Vec<_>>().into_iter();
    let same_request =
        |plan: &BackupPlan| i.creator_request_id.is_some() && plan.creator == i.creator_request_id;
    if let Some((id, plan)) = alive.clone().find(|(_, plan)| same_request(plan)) {
        return Ok(made(&id, &plan));
    }
    let wanted = version(s, i.backup_plan.as_ref())?;
    let same = |plan: &BackupPlan| {
        let has = plan.current();
        (&has.name, &has.rules) == (&wanted.name, &wanted.rules)
    };
    if alive.any(|(_, plan)| same(&plan)) {
        let message = "Backup plan with the same plan document already exists";
        return Err(ApiError::new("AlreadyExistsException", message));
    }
    let mut given = Tags::new();
    tags::put(&mut given, i.backup_plan_tags.as_ref())?;
    let id = s.random.request_id();
    let plan = BackupPlan {
        arn: s.arn("backup", &format!("backup-plan:{id}")),
        creator: i.creator_request_id.clone(),
        created_at: s.now,
        deleted_at: None,
        versions: vec![wanted],
        tags: given,
        selections: BTreeMap::new(),
    };
    s.born(&key(&id));
    s.born(&format!("tags/{}", plan.arn));
    let answer = made(&id, &plan);
    s.here.backup.plans.insert(id, plan);
    Ok(answer)
}

fn made(id: &str, plan: &BackupPlan) -> CreateBackupPlanOutput {
    CreateBackupPlanOutput::builder()
        .backup_plan_id(id)
        .backup_plan_arn(&plan.arn)
        .creation_date(date(plan.created_at))
        .version_id(plan.current().id)
        .build()
}

/// UpdateBackupPlan: the whole document, as a new version:
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateBackupPlan.html>.
pub(super) fn update(
    s: &mut Scene<'_>,
    i: &UpdateBackupPlanInput,
) -> Result<UpdateBackupPlanOutput, ApiError> {
    find(s, &i.backup_plan_id)?;
    let wanted = version(s, i.backup_plan.as_ref())?;
    let (id, plan) = find(s, &i.backup_plan_id)?;
    plan.versions.push(wanted);
    Ok(UpdateBackupPlanOutput::builder()
        .backup_plan_id(id)
        .backup_plan_arn(&plan.arn)
        .creation_date(date(plan.created_at))
        .version_id(plan.current().id)
        .build())
}

/// GetBackupPlan: a deleted plan is still shown, with the day of its deletion.
pub(super) fn get(s: &mut Scene<'_>, i: &GetBackupPlanInput) -> Result<GetBackupPlanOutput, ApiError> {
    let id = required(&i.backup_plan_id, "BackupPlanId")?;
    let none = || missing("Backup plan", id);
    let plan = s.here.backup.plans.get(id).cloned().ok_or_else(none)?;
    if !s.visible(&key(id)) {
        return Err(none());
    }
    let current = plan.current();
    let rules = current.rules.iter().map(show_rule).collect::<Result<_, _>>()?;
    let body = Shown::builder().backup_plan_name(&current.name).set_rules(Some(rules)).build()?;
    Ok(GetBackupPlanOutput::builder()
        .backup_plan(body)
        .backup_plan_id(id)
        .backup_plan_arn(&plan.arn)
        .version_id(&current.id)
        .set_creator_request_id(plan.creator.clone())
        .creation_date(date(plan.created_at))
        .set_deletion_date(plan.deleted_at.map(date))
        .build())
}

fn show_rule(rule: &BackupRule) -> Result<ShownRule, ApiError> {
    let life = Lifecycle::builder()
        .set_delete_after_days(rule.delete_after_days)
        .set_move_to_cold_storage_after_days(rule.cold_after_days);
    Ok(ShownRule::builder()
        .rule_name(&rule.name)
        .rule_id(&rule.name)
        .target_backup_vault_name(&rule.vault)
        .set_schedule_expression(rule.schedule.clone())
        .start_window_minutes(480)
        .completion_window_minutes(10_080)
        .lifecycle(life.build())
        .build()?)
}

/// ListBackupPlans, without the deleted ones unless they are asked for.
pub(super) fn list(s: &mut Scene<'_>, i: &ListBackupPlansInput) -> Result<ListBackupPlansOutput, ApiError> {
    let all = i.include_deleted == Some(true);
    let plans = s.here.backup.plans.iter().filter(|(_, plan)| all || plan.deleted_at.is_none());
    let plans: Vec<(String, BackupPlan)> = plans.map(|(id, plan)| (id.clone(), plan.clone())).collect();
    let plans: Vec<_> = plans.into_iter().filter(|(id, _)| s.visible(&key(id))).collect();
    let (plans, next) = page(plans, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let member = |(id, plan): (String, BackupPlan)| {
        let current = plan.current();
        BackupPlansListMember::builder()
            .backup_plan_id(id)
            .backup_plan_arn(&plan.arn)
            .backup_plan_name(current.name)
            .version_id(current.id)
            .creation_date(date(plan.created_at))
            .set_deletion_date(plan.deleted_at.map(date))
            .set_creator_request_id(plan.creator)
            .build()
    };
    let members = plans.into_iter().map(member).collect();
    Ok(ListBackupPlansOutput::builder().set_backup_plans_list(Some(members)).set_next_token(next).build())
}

/// DeleteBackupPlan: "A backup plan can only be deleted after all associated selections of
/// resources have been deleted": <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupPlan.html>.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteBackupPlanInput,
) -> Result<DeleteBackupPlanOutput, ApiError> {
    let now = s.now;
    let (id, plan) = find(s, &i.backup_plan_id)?;
    if !plan.selections.is_empty() {
        let message = "Related backup plan selections must be deleted prior to backup plan deletion";
        return Err(ApiError::new("InvalidRequestException", message));
    }
    plan.deleted_at = Some(now);
    Ok(DeleteBackupPlanOutput::builder()
        .backup_plan_id(id)
        .backup_plan_arn(&plan.arn)
        .deletion_date(date(now))
        .version_id(plan.current().id)
        .build())
}
