//! Tags of EC2 objects: written with the creation, changed afterwards.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use lh_kind::{CloudError, FieldDiff, Op, change::tag_changes};

use crate::{
    clients::Clients,
    error::Named,
    kinds::{Tags, labels::Labels},
};

/// The tags as read.
pub(crate) fn labels(tags: &[Tag]) -> Labels {
    Labels::new(tags.iter().map(|tag| (tag.key(), tag.value())))
}

fn list(tags: impl IntoIterator<Item = (String, String)>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Tags that a creation writes: the user's and those of ownership.
pub(crate) fn specification(of: ResourceType, op: &Op, user: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(of).set_tags(Some(list(op.all_tags(user)))).build()
}

/// Writes tags onto something that exists.
pub(crate) async fn write(
    clients: &Clients,
    id: &str,
    tags: impl IntoIterator<Item = (String, String)>,
) -> Result<(), CloudError> {
    let request = clients.ec2.create_tags().resources(id).set_tags(Some(list(tags)));
    request.send().await.named("ec2:CreateTags").map(drop)
}

/// Removes tags from something that exists, whatever their values.
pub(crate) async fn remove(clients: &Clients, id: &str, keys: &[String]) -> Result<(), CloudError> {
    let tags = keys.iter().map(|key| Tag::builder().key(key).build()).collect();
    let request = clients.ec2.delete_tags().resources(id).set_tags(Some(tags));
    request.send().await.named("ec2:DeleteTags").map(drop)
}

/// Makes the tags among `diffs` as wanted.
pub(crate) async fn retag(clients: &Clients, id: &str, diffs: &[FieldDiff]) -> Result<(), CloudError> {
    let (set, gone) = tag_changes(diffs);
    if !set.is_empty() {
        write(clients, id, set).await?;
    }
    if !gone.is_empty() {
        remove(clients, id, &gone).await?;
    }
    Ok(())
}
