//! Tags of log groups.

use super::{gone, invalid, key};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Tags};
use aws_sdk_cloudwatchlogs::operation::list_tags_for_resource::{
    ListTagsForResourceInput, ListTagsForResourceOutput,
};
use aws_sdk_cloudwatchlogs::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_cloudwatchlogs::operation::untag_resource::{UntagResourceInput, UntagResourceOutput};
use std::collections::HashMap;

/// Adds or overwrites tags, 50 at most:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>.
pub(super) fn put(tags: &mut Tags, new: Option<&HashMap<String, String>>) -> Result<(), ApiError> {
    for (key, value) in new.into_iter().flatten() {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that start with aws: are reserved."));
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > 50 {
        return Err(ApiError::new("TooManyTagsException", "A resource can have no more than 50 tags."));
    }
    Ok(())
}

/// The log group of this ARN, which has no `:*` at its end, and its name.
fn find<'s>(
    s: &'s mut Scene<'_>,
    arn: &Option<String>,
) -> Result<(String, &'s mut world::LogGroup), ApiError> {
    let arn = arn.as_deref().unwrap_or_default();
    if !arn.starts_with("arn:") || arn.ends_with(":*") {
        return Err(invalid("The ARN of the log group is not valid."));
    }
    let found = s.here.logs.groups.iter_mut().find(|(_, group)| group.arn == arn);
    found.map(|(name, group)| (name.clone(), group)).ok_or_else(gone)
}

/// TagResource.
pub(super) fn tag(s: &mut Scene<'_>, i: &TagResourceInput) -> Result<TagResourceOutput, ApiError> {
    put(&mut find(s, &i.resource_arn)?.1.tags, i.tags.as_ref())?;
    Ok(TagResourceOutput::builder().build())
}

/// UntagResource.
pub(super) fn untag(s: &mut Scene<'_>, i: &UntagResourceInput) -> Result<UntagResourceOutput, ApiError> {
    let (_, group) = find(s, &i.resource_arn)?;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        group.tags.remove(key);
    }
    Ok(UntagResourceOutput::builder().build())
}

/// ListTagsForResource.
pub(super) fn list(
    s: &mut Scene<'_>,
    i: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, ApiError> {
    let (name, group) = find(s, &i.resource_arn)?;
    let tags = group.tags.clone().into_iter().collect();
    if !s.visible(&key(&name)) {
        return Err(gone());
    }
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(tags)).build())
}
