//! Roles.

use super::policies;
use crate::clock::date;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Tags};
use aws_sdk_iam::operation::create_role::{CreateRoleInput, CreateRoleOutput};
use aws_sdk_iam::operation::delete_role::{DeleteRoleInput, DeleteRoleOutput};
use aws_sdk_iam::operation::get_role::{GetRoleInput, GetRoleOutput};
use aws_sdk_iam::operation::tag_role::{TagRoleInput, TagRoleOutput};
use aws_sdk_iam::operation::untag_role::{UntagRoleInput, UntagRoleOutput};
use aws_sdk_iam::operation::update_assume_role_policy::{
    UpdateAssumeRolePolicyInput, UpdateAssumeRolePolicyOutput,
};
use aws_sdk_iam::operation::update_role::{UpdateRoleInput, UpdateRoleOutput};
use aws_sdk_iam::types::{Role, RoleLastUsed};
use std::collections::{BTreeMap, BTreeSet};

fn name(value: &Option<String>) -> Result<&String, ApiError> {
    super::name(value, "roleName", 64)
}

/// The role of this name.
pub(super) fn find<'s>(
    s: &'s mut Scene<'_>,
    asked: &Option<String>,
) -> Result<&'s mut world::Role, ApiError> {
    let name = name(asked)?;
    s.iam.roles.get_mut(name).ok_or_else(|| super::missing("role", name))
}

/// The role of this name, for an operation that reads: it may be too young to be seen.
pub(super) fn see<'s>(s: &'s mut Scene<'_>, asked: &Option<String>) -> Result<&'s mut world::Role, ApiError> {
    let called = name(asked)?.clone();
    let seen = !s.iam.roles.contains_key(&called) || s.visible(&format!("role/{called}"));
    if !seen {
        return Err(super::missing("role", &called));
    }
    find(s, asked)
}

/// CreateRole: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.
pub(super) fn create(s: &mut Scene<'_>, i: &CreateRoleInput) -> Result<CreateRoleOutput, ApiError> {
    let called = name(&i.role_name)?;
    let trust = policies::document(i.assume_role_policy_document.as_ref(), "Principal")?;
    if s.iam.roles.contains_key(called) {
        return Err(super::exists("Role", called));
    }
    let mut tags = Tags::new();
    super::put_tags(&mut tags, i.tags.as_deref().unwrap_or_default())?;
    let role = world::Role {
        id: s.random.iam_id("AROA"),
        name: called.clone(),
        path: i.path.clone().unwrap_or_else(|| "/".to_owned()),
        trust,
        description: i.description.clone(),
        max_session: i.max_session_duration.unwrap_or(3600),
        tags,
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
        created_at: s.now,
    };
    s.born(&format!("role/{called}"));
    let shown = show(s, &role)?;
    s.iam.roles.insert(called.clone(), role);
    Ok(CreateRoleOutput::builder().role(shown).build())
}

/// A role as the SDK shows it; the trust policy is URL-encoded, as AWS does.
pub(super) fn show(s: &Scene<'_>, role: &world::Role) -> Result<Role, ApiError> {
    Ok(Role::builder()
        .path(&role.path)
        .role_name(&role.name)
        .role_id(&role.id)
        .arn(s.iam_arn(&format!("role{}{}", role.path, role.name)))
        .create_date(date(role.created_at))
        .assume_role_policy_document(policies::encoded(&role.trust))
        .set_description(role.description.clone())
        .max_session_duration(role.max_session)
        .role_last_used(RoleLastUsed::builder().build())
        .set_tags(Some(super::show_tags(&role.tags)?))
        .build()?)
}

/// UpdateRole: description and session length.
pub(super) fn update(s: &mut Scene<'_>, i: &UpdateRoleInput) -> Result<UpdateRoleOutput, ApiError> {
    let role = find(s, &i.role_name)?;
    role.description = i.description.clone().or(role.description.take());
    role.max_session = i.max_session_duration.unwrap_or(role.max_session);
    Ok(UpdateRoleOutput::builder().build())
}

/// GetRole, with its tags.
pub(super) fn get(s: &mut Scene<'_>, i: &GetRoleInput) -> Result<GetRoleOutput, ApiError> {
    let role = see(s, &i.role_name)?.clone();
    Ok(GetRoleOutput::builder().role(show(s, &role)?).build())
}

/// UpdateAssumeRolePolicy: replaces the trust policy.
pub(super) fn update_trust(
    s: &mut Scene<'_>,
    i: &UpdateAssumeRolePolicyInput,
) -> Result<UpdateAssumeRolePolicyOutput, ApiError> {
    let trust = policies::document(i.policy_document.as_ref(), "Principal")?;
    find(s, &i.role_name)?.trust = trust;
    Ok(UpdateAssumeRolePolicyOutput::builder().build())
}

/// TagRole.
pub(super) fn tag(s: &mut Scene<'_>, i: &TagRoleInput) -> Result<TagRoleOutput, ApiError> {
    let role = find(s, &i.role_name)?;
    super::put_tags(&mut role.tags, i.tags.as_deref().unwrap_or_default())?;
    Ok(TagRoleOutput::builder().build())
}

/// UntagRole.
pub(super) fn untag(s: &mut Scene<'_>, i: &UntagRoleInput) -> Result<UntagRoleOutput, ApiError> {
    let role = find(s, &i.role_name)?;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        role.tags.remove(key);
    }
    Ok(UntagRoleOutput::builder().build())
}

/// DeleteRole: not while it has policies or is in a profile:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>.
pub(super) fn delete(s: &mut Scene<'_>, i: &DeleteRoleInput) -> Result<DeleteRoleOutput, ApiError> {
    let role = find(s, &i.role_name)?.clone();
    if !role.inline.is_empty() {
        return Err(super::conflict("Cannot delete entity, must delete policies first."));
    }
    if !role.attached.is_empty() {
        return Err(super::conflict("Cannot delete entity, must detach all policies first."));
    }
    if s.iam.profiles.values().any(|profile| profile.role.as_ref() == Some(&role.name)) {
        return Err(super::conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    s.iam.roles.remove(&role.name);
    Ok(DeleteRoleOutput::builder().build())
}
