//! The Resource Groups Tagging API: what carries certain tags, across services.

use crate::operation::{Operation, reads};
use crate::outcome::ApiError;
use crate::paging::{Limits, page};
use crate::scene::Scene;
use crate::world::{Tagged, Tags};
use aws_sdk_resourcegroupstagging::operation::get_resources::{GetResourcesInput, GetResourcesOutput};
use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, Tag, TagFilter};

/// "You can set a maximum of 100 items per page."
const PAGES: Limits = Limits { least: 1, most: 100, usual: 50 };

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![reads("GetResources", get)]
}

/// GetResources, of the services that `lhctl` asks it about:
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>.
fn get(s: &mut Scene<'_>, i: &GetResourcesInput) -> Result<GetResourcesOutput, ApiError> {
    let filters = i.tag_filters.as_deref().unwrap_or_default();
    let kinds = i.resource_type_filters.as_deref().unwrap_or_default();
    let mut found: Vec<Tagged> = [
        s.here.backup.tagged(),
        s.here.cloudwatch.tagged(),
        s.here.logs.tagged(),
        s.here.secrets.tagged(),
        s.here.sns.tagged(),
        s.s3.tagged(s.region),
    ]
    .into_iter()
    .flatten()
    .filter(|one| asked_for(one.kind, kinds) && filters.iter().all(|filter| passes(&one.tags, filter)))
    .collect();
    found.retain(|one| s.visible(&format!("tags/{}", one.arn)));
    let token = i.pagination_token.as_deref().filter(|token| !token.is_empty());
    let (found, next) = page(found, i.resources_per_page, token, PAGES, s.page_cap())?;
    let shown = found.into_iter().map(show).collect::<Result<Vec<_>, _>>()?;
    Ok(GetResourcesOutput::builder()
        .set_resource_tag_mapping_list(Some(shown))
        .pagination_token(next.unwrap_or_default())
        .build())
}

/// A filter is a service, `sns`, or a type of it, `cloudwatch:alarm`.
fn asked_for(kind: &str, kinds: &[String]) -> bool {
    let service = kind.split(':').next().unwrap_or_default();
    kinds.is_empty() || kinds.iter().any(|asked| asked == kind || asked == service)
}

/// "If you specify multiple values, they are ORed; a filter without values takes any."
fn passes(tags: &Tags, filter: &TagFilter) -> bool {
    let values = filter.values.as_deref().unwrap_or_default();
    filter
        .key
        .as_ref()
        .and_then(|key| tags.get(key))
        .is_some_and(|value| values.is_empty() || values.contains(value))
}

fn show(one: Tagged) -> Result<ResourceTagMapping, ApiError> {
    let tags: Result<Vec<Tag>, _> =
        one.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    Ok(ResourceTagMapping::builder().resource_arn(one.arn).set_tags(Some(tags?)).build())
}
