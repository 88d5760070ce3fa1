//! Tags of vaults and plans: the common answer, else one by one; and their changes.

use std::collections::HashMap;

use lh_kind::{CloudError, FieldDiff, Target, change::tag_changes};

use crate::{clients::Clients, error::Named, kinds::labels::Labels};

/// The operation that asks for one thing's tags.
pub(crate) const LIST: &str = "backup:ListTags";

/// The tags of one vault or plan.
pub(crate) async fn of(clients: &Clients, arn: String) -> Result<Labels, CloudError> {
    let answer = clients.backup.list_tags().resource_arn(arn).send().await.named(LIST)?;
    let pairs = answer.tags.unwrap_or_default();
    Ok(Labels::new(pairs.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())))))
}

/// Makes the tags as wanted.
pub(crate) async fn retag(clients: &Clients, arn: &str, diffs: &[FieldDiff]) -> Result<(), CloudError> {
    let (set, gone) = tag_changes(diffs);
    if !set.is_empty() {
        let tags: HashMap<String, String> = set.into_iter().collect();
        let request = clients.backup.tag_resource().resource_arn(arn).set_tags(Some(tags));
        request.send().await.named("backup:TagResource")?;
    }
    if !gone.is_empty() {
        let request = clients.backup.untag_resource().resource_arn(arn).set_tag_key_list(Some(gone));
        request.send().await.named("backup:UntagResource")?;
    }
    Ok(())
}

/// Whether anything but its being there matters of any of `targets`.
pub(crate) fn are_asked<P>(targets: &[Target<P>]) -> bool {
    targets.iter().any(|target| !target.used)
}
