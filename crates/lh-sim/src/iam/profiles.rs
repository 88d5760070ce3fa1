//! Instance profiles.

use super::roles;
use crate::clock::date;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Tags};
use aws_sdk_iam::operation::add_role_to_instance_profile::{
    AddRoleToInstanceProfileInput, AddRoleToInstanceProfileOutput,
};
use aws_sdk_iam::operation::create_instance_profile::{
    CreateInstanceProfileInput, CreateInstanceProfileOutput,
};
use aws_sdk_iam::operation::delete_instance_profile::{
    DeleteInstanceProfileInput, DeleteInstanceProfileOutput,
};
use aws_sdk_iam::operation::get_instance_profile::{GetInstanceProfileInput, GetInstanceProfileOutput};
use aws_sdk_iam::operation::remove_role_from_instance_profile::{
    RemoveRoleFromInstanceProfileInput, RemoveRoleFromInstanceProfileOutput,
};
use aws_sdk_iam::operation::tag_instance_profile::{TagInstanceProfileInput, TagInstanceProfileOutput};
use aws_sdk_iam::operation::untag_instance_profile::{UntagInstanceProfileInput, UntagInstanceProfileOutput};
use aws_sdk_iam::types::InstanceProfile;

fn name(value: &Option<String>) -> Result<&String, ApiError> {
    super::name(value, "instanceProfileName", 128)
}

fn find<'s>(s: &'s mut Scene<'_>, asked: &Option<String>) -> Result<&'s mut world::Profile, ApiError> {
    let name = name(asked)?;
    s.iam.profiles.get_mut(name).ok_or_else(|| super::missing("instance profile", name))
}

/// CreateInstanceProfile.
pub(super) fn create(
    s: &mut Scene<'_>,
    i: &CreateInstanceProfileInput,
) -> Result<CreateInstanceProfileOutput, ApiError> {
    let called = name(&i.instance_profile_name)?;
    if s.iam.profiles.contains_key(called) {
        return Err(super::exists("Instance Profile", called));
    }
    let mut tags = Tags::new();
    super::put_tags(&mut tags, i.tags.as_deref().unwrap_or_default())?;
    let profile = world::Profile {
        id: s.random.iam_id("AIPA"),
        name: called.clone(),
        path: i.path.clone().unwrap_or_else(|| "/".to_owned()),
        role: None,
        tags,
        created_at: s.now,
    };
    s.born(&format!("profile/{called}"));
    let shown = show(s, &profile)?;
    s.iam.profiles.insert(called.clone(), profile);
    Ok(CreateInstanceProfileOutput::builder().instance_profile(shown).build())
}

fn show(s: &Scene<'_>, profile: &world::Profile) -> Result<InstanceProfile, ApiError> {
    let role = profile.role.as_ref().and_then(|name| s.iam.roles.get(name));
    let roles = role.map(|role| roles::show(s, role)).transpose()?;
    Ok(InstanceProfile::builder()
        .path(&profile.path)
        .instance_profile_name(&profile.name)
        .instance_profile_id(&profile.id)
        .arn(s.iam_arn(&format!("instance-profile{}{}", profile.path, profile.name)))
        .create_date(date(profile.created_at))
        .set_roles(Some(roles.into_iter().collect()))
        .set_tags(Some(super::show_tags(&profile.tags)?))
        .build()?)
}

/// GetInstanceProfile, with its role and tags.
pub(super) fn get(
    s: &mut Scene<'_>,
    i: &GetInstanceProfileInput,
) -> Result<GetInstanceProfileOutput, ApiError> {
    let called = name(&i.instance_profile_name)?.clone();
    let profile = find(s, &i.instance_profile_name)?.clone();
    if !s.visible(&format!("profile/{called}")) {
        return Err(super::missing("instance profile", &called));
    }
    Ok(GetInstanceProfileOutput::builder().instance_profile(show(s, &profile)?).build())
}

/// AddRoleToInstanceProfile: "An instance profile can contain only one role, and this quota cannot
/// be increased":
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html>.
pub(super) fn add_role(
    s: &mut Scene<'_>,
    i: &AddRoleToInstanceProfileInput,
) -> Result<AddRoleToInstanceProfileOutput, ApiError> {
    let role = roles::find(s, &i.role_name)?.name.clone();
    let profile = find(s, &i.instance_profile_name)?;
    if profile.role.is_some() {
        return Err(super::limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    profile.role = Some(role);
    Ok(AddRoleToInstanceProfileOutput::builder().build())
}

/// RemoveRoleFromInstanceProfile.
pub(super) fn remove_role(
    s: &mut Scene<'_>,
    i: &RemoveRoleFromInstanceProfileInput,
) -> Result<RemoveRoleFromInstanceProfileOutput, ApiError> {
    let profile = find(s, &i.instance_profile_name)?;
    if profile.role.is_none() || profile.role != i.role_name {
        return Err(super::missing("role", i.role_name.as_deref().unwrap_or_default()));
    }
    profile.role = None;
    Ok(RemoveRoleFromInstanceProfileOutput::builder().build())
}

/// DeleteInstanceProfile: not while it has a role.
pub(super) fn delete(
    s: &mut Scene<'_>,
    i: &DeleteInstanceProfileInput,
) -> Result<DeleteInstanceProfileOutput, ApiError> {
    let profile = find(s, &i.instance_profile_name)?;
    if profile.role.is_some() {
        return Err(super::conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    let called = profile.name.clone();
    s.iam.profiles.remove(&called);
    Ok(DeleteInstanceProfileOutput::builder().build())
}

/// TagInstanceProfile.
pub(super) fn tag(
    s: &mut Scene<'_>,
    i: &TagInstanceProfileInput,
) -> Result<TagInstanceProfileOutput, ApiError> {
    let profile = find(s, &i.instance_profile_name)?;
    super::put_tags(&mut profile.tags, i.tags.as_deref().unwrap_or_default())?;
    Ok(TagInstanceProfileOutput::builder().build())
}

/// UntagInstanceProfile.
pub(super) fn untag(
    s: &mut Scene<'_>,
    i: &UntagInstanceProfileInput,
) -> Result<UntagInstanceProfileOutput, ApiError> {
    let profile = find(s, &i.instance_profile_name)?;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        profile.tags.remove(key);
    }
    Ok(UntagInstanceProfileOutput::builder().build())
}
