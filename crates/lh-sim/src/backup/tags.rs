//! Tags of vaults and plans, by ARN.

use super::{invalid, missing, required};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Tags;
use aws_sdk_backup::operation::{
    list_tags::{ListTagsInput, ListTagsOutput},
    tag_resource::{TagResourceInput, TagResourceOutput},
    untag_resource::{UntagResourceInput, UntagResourceOutput},
};
use std::collections::HashMap;

/// Adds or overwrites tags.
pub(super) fn put(tags: &mut Tags, new: Option<&HashMap<String, String>>) -> Result<(), ApiError> {
    for (key, value) in new.into_iter().flatten() {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that start with aws: are reserved."));
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > 50 {
        return Err(ApiError::new("LimitExceededException", "A resource has at most 50 tags."));
    }
    Ok(())
}

fn find<'s>(s: &'s mut Scene<'_>, arn: &Option<String>) -> Result<&'s mut Tags, ApiError> {
    let arn = required(arn, "ResourceArn")?;
    let backup = &mut s.here.backup;
    let vault = backup.vaults.values_mut().find(|vault| vault.arn == arn).map(|vault| &mut vault.tags);
    let plan = backup.plans.values_mut().find(|plan| plan.arn == arn && plan.deleted_at.is_none());
    vault.or(plan.map(|plan| &mut plan.tags)).ok_or_else(|| missing("resource", arn))
}

/// ListTags: <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html>.
pub(super) fn list(s: &mut Scene<'_>, i: &ListTagsInput) -> Result<ListTagsOutput, ApiError> {
    let tags = find(s, &i.resource_arn)?.clone().into_iter().collect();
    Ok(ListTagsOutput::builder().set_tags(Some(tags)).build())
}

/// TagResource.
pub(super) fn add(s: &mut Scene<'_>, i: &TagResourceInput) -> Result<TagResourceOutput, ApiError> {
    put(find(s, &i.resource_arn)?, i.tags.as_ref())?;
    Ok(TagResourceOutput::builder().build())
}

/// UntagResource.
pub(super) fn remove(s: &mut Scene<'_>, i: &UntagResourceInput) -> Result<UntagResourceOutput, ApiError> {
    let tags = find(s, &i.resource_arn)?;
    for key in i.tag_key_list.as_deref().unwrap_or_default() {
        tags.remove(key);
    }
    Ok(UntagResourceOutput::builder().build())
}
