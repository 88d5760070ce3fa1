//! Tags of topics.

use super::{required, see};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Tags};
use aws_sdk_sns::operation::list_tags_for_resource::{ListTagsForResourceInput, ListTagsForResourceOutput};
use aws_sdk_sns::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_sns::operation::untag_resource::{UntagResourceInput, UntagResourceOutput};
use aws_sdk_sns::types::Tag;

/// Adds or overwrites tags: <https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html>.
pub(super) fn put(tags: &mut Tags, new: &[Tag]) -> Result<(), ApiError> {
    for tag in new {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(super::invalid("Tag keys that start with aws: are reserved"));
        }
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    if tags.len() > 50 {
        return Err(ApiError::new("TagLimitExceeded", "Can't add more than 50 tags to a topic."));
    }
    Ok(())
}

fn gone() -> ApiError {
    ApiError::with_status(404, "ResourceNotFound", "Resource does not exist")
}

fn find<'s>(s: &'s mut Scene<'_>, arn: &Option<String>) -> Result<&'s mut world::Topic, ApiError> {
    s.here.sns.topics.get_mut(required(arn, "ResourceArn")?).ok_or_else(gone)
}

/// TagResource.
pub(super) fn tag(s: &mut Scene<'_>, i: &TagResourceInput) -> Result<TagResourceOutput, ApiError> {
    put(&mut find(s, &i.resource_arn)?.tags, i.tags.as_deref().unwrap_or_default())?;
    Ok(TagResourceOutput::builder().build())
}

/// UntagResource.
pub(super) fn untag(s: &mut Scene<'_>, i: &UntagResourceInput) -> Result<UntagResourceOutput, ApiError> {
    let topic = find(s, &i.resource_arn)?;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        topic.tags.remove(key);
    }
    Ok(UntagResourceOutput::builder().build())
}

/// ListTagsForResource.
pub(super) fn list(
    s: &mut Scene<'_>,
    i: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, ApiError> {
    let topic = see(s, required(&i.resource_arn, "ResourceArn")?).ok_or_else(gone)?;
    let mut shown = Vec::new();
    for (key, value) in &topic.tags {
        shown.push(Tag::builder().key(key).value(value).build()?);
    }
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(shown)).build())
}
