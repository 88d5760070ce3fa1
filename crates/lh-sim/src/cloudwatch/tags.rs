//! Tags of alarms.

use super::{invalid, required};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Tags};
use aws_sdk_cloudwatch::operation::list_tags_for_resource::{
    ListTagsForResourceInput, ListTagsForResourceOutput,
};
use aws_sdk_cloudwatch::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_cloudwatch::operation::untag_resource::{UntagResourceInput, UntagResourceOutput};
use aws_sdk_cloudwatch::types::Tag;

/// Adds or overwrites tags, 50 at most:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html>.
pub(super) fn put(tags: &mut Tags, new: &[Tag]) -> Result<(), ApiError> {
    for tag in new {
        let key = required(&tag.key, "Key")?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that start with aws: are reserved."));
        }
        tags.insert(key.clone(), tag.value.clone().unwrap_or_default());
    }
    if tags.len() > 50 {
        return Err(invalid("A resource can have no more than 50 tags."));
    }
    Ok(())
}

fn find<'s>(s: &'s mut Scene<'_>, arn: &Option<String>) -> Result<&'s mut world::Alarm, ApiError> {
    let arn = required(arn, "ResourceARN")?;
    let found = s.here.cloudwatch.alarms.values_mut().find(|alarm| alarm.arn == *arn);
    found.ok_or_else(|| {
        ApiError::with_status(404, "ResourceNotFoundException", "The resource does not exist.")
    })
}

/// TagResource.
pub(super) fn tag(s: &mut Scene<'_>, i: &TagResourceInput) -> Result<TagResourceOutput, ApiError> {
    put(&mut find(s, &i.resource_arn)?.tags, i.tags.as_deref().unwrap_or_default())?;
    Ok(TagResourceOutput::builder().build())
}

/// UntagResource.
pub(super) fn untag(s: &mut Scene<'_>, i: &UntagResourceInput) -> Result<UntagResourceOutput, ApiError> {
    let alarm = find(s, &i.resource_arn)?;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        alarm.tags.remove(key);
    }
    Ok(UntagResourceOutput::builder().build())
}

/// ListTagsForResource.
pub(super) fn list(
    s: &mut Scene<'_>,
    i: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, ApiError> {
    let tags = find(s, &i.resource_arn)?.tags.clone();
    let show = |(key, value)| Tag::builder().key(key).value(value).build();
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(tags.into_iter().map(show).collect())).build())
}
