//! Tags of EC2 objects: at creation, and by CreateTags, DeleteTags and DescribeTags.
//!
//! Restrictions: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>.

use super::query::Kind;
use crate::filters::{self, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use crate::world::{Region, Tags};
use aws_sdk_ec2::operation::create_tags::{CreateTagsInput, CreateTagsOutput};
use aws_sdk_ec2::operation::delete_tags::{DeleteTagsInput, DeleteTagsOutput};
use aws_sdk_ec2::operation::describe_tags::{DescribeTagsInput, DescribeTagsOutput};
use aws_sdk_ec2::types::{ResourceType, Tag, TagDescription, TagSpecification};

const MOST: usize = 50;

/// The tags that specifications give to one kind of resource. A specification for a kind that the
/// operation does not make is refused.
pub(crate) fn at_creation(
    specifications: Option<&[TagSpecification]>,
    kind: &str,
    makes: &[&str],
) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for specification in specifications.unwrap_or_default() {
        let of = specification.resource_type.as_ref().map_or("", ResourceType::as_str);
        if !makes.contains(&of) {
            return Err(ApiError::invalid(format!(
                "'{of}' is not a valid taggable resource type for this operation."
            )));
        }
        if of == kind {
            put(&mut tags, specification.tags.as_deref().unwrap_or_default())?;
        }
    }
    Ok(tags)
}

fn put(tags: &mut Tags, new: &[Tag]) -> Result<(), ApiError> {
    for tag in new {
        let key = tag.key.as_deref().unwrap_or_default();
        let value = tag.value.as_deref().unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(ApiError::invalid(format!("Tag '{key}' has a key or a value of a wrong length")));
        }
        reserved(key)?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.keys().filter(|key| !key.starts_with("aws:")).count() > MOST {
        return Err(ApiError::new("TagLimitExceeded", "The maximum number of tags is 50"));
    }
    Ok(())
}

fn reserved(key: &str) -> Result<(), ApiError> {
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(ApiError::invalid(format!(
            "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
        )));
    }
    Ok(())
}

/// Tags as the SDK shows them.
pub(crate) fn show(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The tags of the object with this id, and the name of its kind.
fn of<'r>(region: &'r mut Region, id: &str) -> Result<&'r mut Tags, ApiError> {
    let prefix = id.split_once('-').map_or("", |(prefix, _)| prefix);
    let (kind, tags) = match prefix {
        "i" => (Kind::Instance, region.instances.get_mut(id).map(|it| &mut it.tags)),
        "vol" => (Kind::Volume, region.volumes.get_mut(id).map(|it| &mut it.tags)),
        "snap" => (Kind::Snapshot, region.snapshots.get_mut(id).map(|it| &mut it.tags)),
        "sg" => (Kind::Group, region.groups.get_mut(id).map(|it| &mut it.tags)),
        "sgr" => {
            let rule = region.groups.values_mut().find_map(|group| group.rules.get_mut(id));
            (Kind::Rule, rule.map(|it| &mut it.tags))
        }
        "eipalloc" => (Kind::Address, region.addresses.get_mut(id).map(|it| &mut it.tags)),
        "sir" => (Kind::SpotRequest, region.spot_requests.get_mut(id).map(|it| &mut it.tags)),
        "vpc" => (Kind::Vpc, region.vpcs.get_mut(id).map(|it| &mut it.tags)),
        "subnet" => (Kind::Subnet, region.subnets.get_mut(id).map(|it| &mut it.tags)),
        "key" => {
            let pair = region.key_pairs.values_mut().find(|pair| pair.id == id);
            (Kind::KeyPair, pair.map(|it| &mut it.tags))
        }
        _ => {
            return Err(ApiError::new("InvalidID", format!("The ID '{id}' is not valid")));
        }
    };
    tags.ok_or_else(|| kind.missing(id))
}

/// CreateTags: adds or overwrites.
pub(crate) fn create(s: &mut Scene<'_>, i: &CreateTagsInput) -> Result<CreateTagsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    for id in some(i.resources.as_deref(), "resources")? {
        put(of(s.here, id)?, some(i.tags.as_deref(), "tags")?)?;
    }
    Ok(CreateTagsOutput::builder().build())
}

/// DeleteTags: a tag without a value goes whatever its value is; no tags at all means all tags:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>.
pub(crate) fn delete(s: &mut Scene<'_>, i: &DeleteTagsInput) -> Result<DeleteTagsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    for id in some(i.resources.as_deref(), "resources")? {
        let tags = of(s.here, id)?;
        match i.tags.as_deref() {
            None | Some([]) => tags.retain(|key, _| key.starts_with("aws:")),
            Some(gone) => {
                for tag in gone {
                    let key = tag.key.as_deref().unwrap_or_default();
                    reserved(key)?;
                    let same = tag.value.is_none() || tags.get(key) == tag.value.as_ref();
                    if same {
                        tags.remove(key);
                    }
                }
            }
        }
    }
    Ok(DeleteTagsOutput::builder().build())
}

fn some<'a, T>(list: Option<&'a [T]>, name: &str) -> Result<&'a [T], ApiError> {
    match list {
        None | Some([]) => Err(ApiError::missing(name)),
        Some(list) => Ok(list),
    }
}

/// DescribeTags: one row for each tag.
pub(crate) fn describe(s: &mut Scene<'_>, i: &DescribeTagsInput) -> Result<DescribeTagsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let filters = i.filters.as_deref();
    filters::check(filters, &["key", "value", "resource-id", "resource-type"])?;
    let mut rows = Vec::new();
    for (id, kind, tags) in all(s.here) {
        let shown: Vec<_> = tags
            .iter()
            .filter(|(key, value)| {
                filters::pass(filters, &tags, |name| match name {
                    "key" => one(key),
                    "value" => one(value),
                    "resource-id" => one(&id),
                    _ => one(kind),
                })
            })
            .collect();
        if shown.is_empty() || !s.visible(&id) {
            continue;
        }
        rows.extend(shown.into_iter().map(|(key, value)| {
            TagDescription::builder()
                .key(key)
                .value(value)
                .resource_id(&id)
                .resource_type(ResourceType::from(kind))
                .build()
        }));
    }
    let (rows, next) = paging::page(rows, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeTagsOutput::builder().set_tags(Some(rows)).set_next_token(next).build())
}

fn all(region: &Region) -> Vec<(String, &'static str, Tags)> {
    let mut rows = Vec::new();
    let mut add = |id: &str, kind: &'static str, tags: &Tags| {
        rows.push((id.to_owned(), kind, tags.clone()));
    };
    region.instances.values().for_each(|it| add(&it.id, "instance", &it.tags));
    region.volumes.values().for_each(|it| add(&it.id, "volume", &it.tags));
    region.snapshots.values().for_each(|it| add(&it.id, "snapshot", &it.tags));
    region.addresses.values().for_each(|it| add(&it.id, "elastic-ip", &it.tags));
    region.spot_requests.values().for_each(|it| add(&it.id, "spot-instances-request", &it.tags));
    region.key_pairs.values().for_each(|it| add(&it.id, "key-pair", &it.tags));
    region.vpcs.values().for_each(|it| add(&it.id, "vpc", &it.tags));
    region.subnets.values().for_each(|it| add(&it.id, "subnet", &it.tags));
    for group in region.groups.values() {
        add(&group.id, "security-group", &group.tags);
        group.rules.values().for_each(|it| add(&it.id, "security-group-rule", &it.tags));
    }
    rows
}
