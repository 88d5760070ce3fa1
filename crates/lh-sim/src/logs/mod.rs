//! CloudWatch Logs: log groups, their retention and their tags. Nothing is ever logged here.

mod tags;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::paging::{Limits, page};
use crate::scene::Scene;
use crate::world::{self, EPOCH_UNIX_MS, Tags};
use aws_sdk_cloudwatchlogs::operation::create_log_group::{CreateLogGroupInput, CreateLogGroupOutput};
use aws_sdk_cloudwatchlogs::operation::delete_log_group::{DeleteLogGroupInput, DeleteLogGroupOutput};
use aws_sdk_cloudwatchlogs::operation::delete_retention_policy::{
    DeleteRetentionPolicyInput, DeleteRetentionPolicyOutput,
};
use aws_sdk_cloudwatchlogs::operation::describe_log_groups::{
    DescribeLogGroupsInput, DescribeLogGroupsOutput,
};
use aws_sdk_cloudwatchlogs::operation::put_retention_policy::{
    PutRetentionPolicyInput, PutRetentionPolicyOutput,
};
use aws_sdk_cloudwatchlogs::types::{LogGroup, LogGroupClass};

/// `limit` of DescribeLogGroups is 1 to 50, and 50 where it is not given.
const PAGES: Limits = Limits { least: 1, most: 50, usual: 50 };

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>.
const RETENTIONS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("CreateLogGroup", create),
        reads("DescribeLogGroups", describe),
        writes("PutRetentionPolicy", put_retention),
        writes("DeleteRetentionPolicy", delete_retention),
        writes("DeleteLogGroup", delete),
        writes("TagResource", tags::tag),
        writes("UntagResource", tags::untag),
        reads("ListTagsForResource", tags::list),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

fn gone() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

/// What lag knows a log group by.
fn key(name: &str) -> String {
    format!("log-group/{name}")
}

fn required(value: &Option<String>) -> Result<&String, ApiError> {
    value.as_ref().ok_or_else(|| invalid("The log group's name is required."))
}

fn find<'s>(s: &'s mut Scene<'_>, name: &Option<String>) -> Result<&'s mut world::LogGroup, ApiError> {
    s.here.logs.groups.get_mut(required(name)?).ok_or_else(gone)
}

/// CreateLogGroup:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>.
fn create(s: &mut Scene<'_>, i: &CreateLogGroupInput) -> Result<CreateLogGroupOutput, ApiError> {
    let name = required(&i.log_group_name)?;
    let fine = |c: char| c.is_ascii_alphanumeric() || "._/#-".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(fine) || name.starts_with("aws/") {
        return Err(invalid(format!("The log group name {name} is not valid.")));
    }
    if s.here.logs.groups.contains_key(name) {
        return Err(ApiError::new(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ));
    }
    let mut tags = Tags::new();
    tags::put(&mut tags, i.tags.as_ref())?;
    let arn = s.arn("logs", &format!("log-group:{name}"));
    s.born(&key(name));
    s.born(&format!("tags/{arn}"));
    let made =
        world::LogGroup { arn, retention_days: None, kms_key: i.kms_key_id.clone(), tags, created_at: s.now };
    s.here.logs.groups.insert(name.clone(), made);
    Ok(CreateLogGroupOutput::builder().build())
}

/// DescribeLogGroups, by identifiers (at most 50, then without any other filter) or by prefix:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>.
fn describe(s: &mut Scene<'_>, i: &DescribeLogGroupsInput) -> Result<DescribeLogGroupsOutput, ApiError> {
    let asked = i.log_group_identifiers.as_deref();
    if asked.is_some_and(|asked| asked.is_empty() || asked.len() > 50) {
        return Err(invalid("logGroupIdentifiers must have 1 to 50 members."));
    }
    if asked.is_some() && (i.log_group_name_prefix.is_some() || i.log_group_name_pattern.is_some()) {
        return Err(invalid("logGroupIdentifiers can't be combined with other filters."));
    }
    let prefix = i.log_group_name_prefix.as_deref().unwrap_or_default();
    let fits = |name: &String, group: &world::LogGroup| {
        name.starts_with(prefix)
            && asked.is_none_or(|asked| asked.contains(name) || asked.contains(&group.arn))
    };
    let groups = s.here.logs.groups.iter().filter(|(name, group)| fits(name, group));
    let mut all: Vec<_> = groups.map(|(name, group)| (name.clone(), group.clone())).collect();
    all.retain(|(name, _)| s.visible(&key(name)));
    let (found, next) = page(all, i.limit, i.next_token.as_deref(), PAGES, s.page_cap())?;
    let shown = found.into_iter().map(|(name, group)| show(name, group)).collect();
    Ok(DescribeLogGroupsOutput::builder().set_log_groups(Some(shown)).set_next_token(next).build())
}

fn show(name: String, group: world::LogGroup) -> LogGroup {
    let since = i64::try_from(group.created_at).unwrap_or(i64::MAX);
    LogGroup::builder()
        .log_group_name(name)
        .creation_time(EPOCH_UNIX_MS.saturating_add(since))
        .set_retention_in_days(group.retention_days)
        .metric_filter_count(0)
        .stored_bytes(0)
        .set_kms_key_id(group.kms_key)
        .log_group_class(LogGroupClass::Standard)
        .arn(format!("{}:*", group.arn))
        .log_group_arn(group.arn)
        .build()
}

/// PutRetentionPolicy.
fn put_retention(
    s: &mut Scene<'_>,
    i: &PutRetentionPolicyInput,
) -> Result<PutRetentionPolicyOutput, ApiError> {
    let days = i.retention_in_days.filter(|days| RETENTIONS.contains(days));
    let days = days.ok_or_else(|| invalid("retentionInDays is not one of the allowed values."))?;
    find(s, &i.log_group_name)?.retention_days = Some(days);
    Ok(PutRetentionPolicyOutput::builder().build())
}

/// DeleteRetentionPolicy: events are kept for ever then.
fn delete_retention(
    s: &mut Scene<'_>,
    i: &DeleteRetentionPolicyInput,
) -> Result<DeleteRetentionPolicyOutput, ApiError> {
    find(s, &i.log_group_name)?.retention_days = None;
    Ok(DeleteRetentionPolicyOutput::builder().build())
}

/// DeleteLogGroup, with all that was logged.
fn delete(s: &mut Scene<'_>, i: &DeleteLogGroupInput) -> Result<DeleteLogGroupOutput, ApiError> {
    s.here.logs.groups.remove(required(&i.log_group_name)?).ok_or_else(gone)?;
    Ok(DeleteLogGroupOutput::builder().build())
}
