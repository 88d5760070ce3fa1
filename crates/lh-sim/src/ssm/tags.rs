//! Tags of parameters.

use super::{invalid, key, tagged};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Tags;
use aws_sdk_ssm::operation::add_tags_to_resource::{AddTagsToResourceInput, AddTagsToResourceOutput};
use aws_sdk_ssm::operation::list_tags_for_resource::{ListTagsForResourceInput, ListTagsForResourceOutput};
use aws_sdk_ssm::operation::remove_tags_from_resource::{
    RemoveTagsFromResourceInput, RemoveTagsFromResourceOutput,
};
use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag};

/// Adds or overwrites tags.
pub(super) fn put(tags: &mut Tags, new: &[Tag]) -> Result<(), ApiError> {
    for tag in new {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that start with aws: are reserved."));
        }
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    if tags.len() > 50 {
        return Err(ApiError::new("TooManyTagsError", "A parameter has at most 50 tags."));
    }
    Ok(())
}

fn parameters_only(kind: Option<&ResourceTypeForTagging>) -> Result<(), ApiError> {
    if kind == Some(&ResourceTypeForTagging::Parameter) {
        return Ok(());
    }
    Err(ApiError::new("InvalidResourceType", "Only parameters are simulated."))
}

/// AddTagsToResource.
pub(super) fn add(
    s: &mut Scene<'_>,
    i: &AddTagsToResourceInput,
) -> Result<AddTagsToResourceOutput, ApiError> {
    parameters_only(i.resource_type.as_ref())?;
    put(tagged(s, &i.resource_id)?, i.tags.as_deref().unwrap_or_default())?;
    Ok(AddTagsToResourceOutput::builder().build())
}

/// RemoveTagsFromResource.
pub(super) fn remove(
    s: &mut Scene<'_>,
    i: &RemoveTagsFromResourceInput,
) -> Result<RemoveTagsFromResourceOutput, ApiError> {
    parameters_only(i.resource_type.as_ref())?;
    let tags = tagged(s, &i.resource_id)?;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        tags.remove(key);
    }
    Ok(RemoveTagsFromResourceOutput::builder().build())
}

/// ListTagsForResource.
pub(super) fn list(
    s: &mut Scene<'_>,
    i: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, ApiError> {
    parameters_only(i.resource_type.as_ref())?;
    let tags = tagged(s, &i.resource_id)?.clone();
    let id = i.resource_id.as_deref().unwrap_or_default();
    if !s.visible(&key(id)) {
        return Err(ApiError::new("InvalidResourceId", format!("The resource ID {id} is not valid.")));
    }
    let mut shown = Vec::new();
    for (key, value) in &tags {
        shown.push(Tag::builder().key(key).value(value).build()?);
    }
    Ok(ListTagsForResourceOutput::builder().set_tag_list(Some(shown)).build())
}
