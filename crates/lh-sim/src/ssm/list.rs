//! DescribeParameters: metadata only, never a value.

use super::invalid;
use crate::clock::date;
use crate::outcome::ApiError;
use crate::paging::{self, Limits};
use crate::scene::Scene;
use crate::world::Parameter;
use aws_sdk_ssm::operation::describe_parameters::{DescribeParametersInput, DescribeParametersOutput};
use aws_sdk_ssm::types::{ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType};

/// "Valid range: minimum 1, maximum 50"; without a wish AWS gives 10.
const PAGES: Limits = Limits { least: 1, most: 50, usual: 10 };

/// DescribeParameters, by `ParameterFilters`:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html>.
pub(super) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeParametersInput,
) -> Result<DescribeParametersOutput, ApiError> {
    if i.filters.as_deref().is_some_and(|old| !old.is_empty()) {
        return Err(invalid("Filters are superseded; use ParameterFilters."));
    }
    let filters = i.parameter_filters.as_deref().unwrap_or_default();
    for filter in filters {
        check(filter)?;
    }
    let all: Vec<Parameter> = s.here.parameters.values().cloned().collect();
    let shown = all
        .iter()
        .filter(|parameter| filters.iter().all(|filter| passes(filter, parameter)))
        .filter(|parameter| s.visible(&super::key(&parameter.name)))
        .cloned()
        .collect::<Vec<_>>();
    let shown = shown.iter().map(|parameter| show(s, parameter)).collect();
    let (page, next) = paging::page(shown, i.max_results, i.next_token.as_deref(), PAGES, s.page_cap())?;
    Ok(DescribeParametersOutput::builder().set_parameters(Some(page)).set_next_token(next).build())
}

fn check(filter: &ParameterStringFilter) -> Result<(), ApiError> {
    let known = matches!(filter.key.as_str(), "Name" | "Type" | "KeyId" | "Tier" | "DataType")
        || filter.key.starts_with("tag:");
    if !known {
        return Err(ApiError::new(
            "InvalidFilterKey",
            format!("The filter key {} is not valid.", filter.key),
        ));
    }
    let option = filter.option.as_deref().unwrap_or("Equals");
    let fits = option == "Equals"
        || (filter.key == "Name" && matches!(option, "BeginsWith" | "Contains"))
        || (filter.key == "KeyId" && option == "BeginsWith");
    if !fits {
        return Err(ApiError::new(
            "InvalidFilterOption",
            format!("The filter option {option} is not valid for {}.", filter.key),
        ));
    }
    Ok(())
}

fn passes(filter: &ParameterStringFilter, parameter: &Parameter) -> bool {
    let have = match filter.key.as_str() {
        "Name" => Some(&parameter.name),
        "Type" => Some(&parameter.kind),
        "Tier" => Some(&parameter.tier),
        "DataType" => Some(&parameter.data_type),
        "KeyId" => parameter.key_id.as_ref(),
        tag => parameter.tags.get(tag.trim_start_matches("tag:")),
    };
    let Some(have) = have else { return false };
    let values = filter.values.as_deref().unwrap_or_default();
    // A tag filter without values asks for the key alone.
    if values.is_empty() {
        return true;
    }
    values.iter().any(|wanted| match filter.option.as_deref() {
        Some("BeginsWith") => have.starts_with(wanted.as_str()),
        Some("Contains") => have.contains(wanted.as_str()),
        _ => have == wanted,
    })
}

fn show(s: &Scene<'_>, parameter: &Parameter) -> ParameterMetadata {
    ParameterMetadata::builder()
        .name(&parameter.name)
        .arn(super::arn(s, &parameter.name))
        .r#type(ParameterType::from(parameter.kind.as_str()))
        .set_key_id(parameter.key_id.clone())
        .last_modified_date(date(parameter.changed_at))
        .set_description(parameter.description.clone())
        .set_allowed_pattern(parameter.allowed_pattern.clone())
        .version(parameter.version)
        .tier(ParameterTier::from(parameter.tier.as_str()))
        .data_type(&parameter.data_type)
        .build()
}
