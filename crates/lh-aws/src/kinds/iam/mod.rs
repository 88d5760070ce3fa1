//! Kinds of IAM.

pub mod iam_policy_attachment;
pub mod iam_role;
pub mod iam_role_policy;
pub mod instance_profile;
pub(crate) mod policy;

use aws_sdk_iam::types::Tag;
use lh_kind::{CloudError, ErrorKind};

use crate::kinds::{Tags, labels::Labels};

/// The tags as read.
pub(crate) fn labels(tags: &[Tag]) -> Labels {
    Labels::new(tags.iter().map(|tag| (Some(tag.key()), Some(tag.value()))))
}

/// Tags to write.
pub(crate) fn list(tags: Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (String, String)| {
        let built = Tag::builder().key(key).value(value).build();
        built.map_err(|error| CloudError::new(ErrorKind::Other, "iam:Tag", error.to_string()))
    };
    tags.into_iter().map(tag).collect()
}
