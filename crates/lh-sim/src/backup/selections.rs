//! Selections: what a plan backs up, and under which role. There is no way to change one.

use super::{PAGES, check_creator, check_name, invalid, plans, required};
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::page;
use crate::scene::Scene;
use crate::world::Selection;
use aws_sdk_backup::operation::{
    create_backup_selection::{CreateBackupSelectionInput, CreateBackupSelectionOutput},
    delete_backup_selection::{DeleteBackupSelectionInput, DeleteBackupSelectionOutput},
    get_backup_selection::{GetBackupSelectionInput, GetBackupSelectionOutput},
    list_backup_selections::{ListBackupSelectionsInput, ListBackupSelectionsOutput},
};
use aws_sdk_backup::types::{BackupSelection as Shown, BackupSelectionsListMember, Condition, ConditionType};

fn key(id: &str) -> String {
    format!("backup-selection/{id}")
}

/// CreateBackupSelection: the role must be there, for AWS Backup to take, and may do something:
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupSelection.html>.
pub(super) fn create(
    s: &mut Scene<'_>,
    i: &CreateBackupSelectionInput,
) -> Result<CreateBackupSelectionOutput, ApiError> {
    check_creator(&i.creator_request_id)?;
    let (plan_id, plan) = plans::find(s, &i.backup_plan_id)?;
    let same = plan
        .selections
        .iter()
        .find(|(_, old)| i.creator_request_id.is_some() && old.creator == i.creator_request_id);
    if let Some((id, old)) = same {
        return Ok(made(&plan_id, id, old));
    }
    let given = i.backup_selection.as_ref().ok_or_else(|| invalid("BackupSelection is required."))?;
    check_name(&given.selection_name, "SelectionName", "-_.")?;
    check_role(s, &given.iam_role_arn)?;
    if given.resources().iter().any(|arn| !(arn.starts_with("arn:") || arn == "*")) {
        return Err(invalid("A resource of a selection is an ARN."));
    }
    let selection = Selection {
        name: given.selection_name.clone(),
        role: given.iam_role_arn.clone(),
        resources: given.resources().to_vec(),
        tags: given
            .list_of_tags()
            .iter()
            .map(|c| (c.condition_key.clone(), c.condition_value.clone()))
            .collect(),
        creator: i.creator_request_id.clone(),
        created_at: s.now,
    };
    let id = s.random.request_id();
    s.born(&key(&id));
    let answer = made(&plan_id, &id, &selection);
    plans::find(s, &i.backup_plan_id)?.1.selections.insert(id, selection);
    Ok(answer)
}

fn made(plan: &str, id: &str, selection: &Selection) -> CreateBackupSelectionOutput {
    let answer = CreateBackupSelectionOutput::builder().selection_id(id).backup_plan_id(plan);
    answer.creation_date(date(selection.created_at)).build()
}

/// The sentences are AWS's own; a young role is not known to AWS Backup yet.
fn check_role(s: &mut Scene<'_>, arn: &str) -> Result<(), ApiError> {
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let role = s.iam.roles.get(&name).filter(|role| role.trust.contains("backup.amazonaws.com")).cloned();
    let Some(role) = role.filter(|_| s.visible(&format!("role/{name}"))) else {
        return Err(invalid(format!("IAM Role {arn} cannot be assumed by AWS Backup")));
    };
    if role.attached.is_empty() && role.inline.is_empty() {
        return Err(invalid(format!("IAM Role {arn} is not authorized to call tag:GetResources")));
    }
    Ok(())
}

fn gone(id: &str) -> ApiError {
    invalid(format!("Cannot find Selection with ID {id}"))
}

/// GetBackupSelection.
pub(super) fn get(
    s: &mut Scene<'_>,
    i: &GetBackupSelectionInput,
) -> Result<GetBackupSelectionOutput, ApiError> {
    let id = required(&i.selection_id, "SelectionId")?;
    let (plan_id, plan) = plans::find(s, &i.backup_plan_id)?;
    let found = plan.selections.get(id).cloned().ok_or_else(|| gone(id))?;
    if !s.visible(&key(id)) {
        return Err(gone(id));
    }
    let condition = |(key, value): &(String, String)| {
        Condition::builder()
            .condition_type(ConditionType::Stringequals)
            .condition_key(key)
            .condition_value(value)
            .build()
    };
    let tags = found.tags.iter().map(condition).collect::<Result<_, _>>()?;
    let body = Shown::builder()
        .selection_name(&found.name)
        .iam_role_arn(&found.role)
        .set_resources(Some(found.resources))
        .set_list_of_tags(Some(tags))
        .build()?;
    Ok(GetBackupSelectionOutput::builder()
        .backup_selection(body)
        .selection_id(id)
        .backup_plan_id(plan_id)
        .creation_date(date(found.created_at))
        .set_creator_request_id(found.creator)
        .build())
}

/// ListBackupSelections: names and roles, without what is selected.
pub(super) fn list(
    s: &mut Scene<'_>,
    i: &ListBackupSelectionsInput,
) -> Result<ListBackupSelectionsOutput, ApiError> {
    let (plan_id, plan) = plans::find(s, &i.backup_plan_id)?;
    let all: Vec<(String, Selection)> =
        plan.selections.iter().map(|(id, one)| (id.clone(), one.clone())).collect();
    let all: Vec<_> = all.into_iter().filter(|(id, _)| s.visible(&key(id))).collect();
    let (all, next) = page(all, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let member = |(id, one): (String, Selection)| {
        BackupSelectionsListMember::builder()
            .selection_id(id)
            .selection_name(one.name)
            .backup_plan_id(&plan_id)
            .creation_date(date(one.created_at))
            .set_creator_request_id(one.creator)
            .iam_role_arn(one.role)
            .build()
    };
    let members = all.into_iter().map(member).collect();
    let answer = ListBackupSelectionsOutput::builder().set_backup_selections_list(Some(members));
    Ok(answer.set_next_token(next).build())
}

/// DeleteBackupSelection.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteBackupSelectionInput,
) -> Result<DeleteBackupSelectionOutput, ApiError> {
    let id = required(&i.selection_id, "SelectionId")?;
    let (_, plan) = plans::find(s, &i.backup_plan_id)?;
    plan.selections.remove(id).ok_or_else(|| gone(id))?;
    Ok(DeleteBackupSelectionOutput::builder().build())
}
