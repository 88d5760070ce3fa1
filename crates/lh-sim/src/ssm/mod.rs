//! Systems Manager: the parameter store, the public parameters of the Ubuntu images, Run Command.

mod agents;
mod commands;
mod list;
mod tags;

use crate::clock::date;
use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Hidden, Tags};
use aws_sdk_ssm::operation::delete_parameter::{DeleteParameterInput, DeleteParameterOutput};
use aws_sdk_ssm::operation::get_parameter::{GetParameterInput, GetParameterOutput};
use aws_sdk_ssm::operation::get_parameters::{GetParametersInput, GetParametersOutput};
use aws_sdk_ssm::operation::put_parameter::{PutParameterInput, PutParameterOutput};
use aws_sdk_ssm::types::{Parameter, ParameterTier, ParameterType};
use sha2::{Digest, Sha256};

/// The simulated operations of SSM.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        writes("PutParameter", put),
        reads("GetParameter", get),
        reads("GetParameters", get_many),
        reads("DescribeParameters", list::describe),
        writes("DeleteParameter", delete),
        writes("AddTagsToResource", tags::add),
        writes("RemoveTagsFromResource", tags::remove),
        reads("ListTagsForResource", tags::list),
        writes("SendCommand", commands::send).with_agents(),
        reads("GetCommandInvocation", commands::get).with_agents(),
        writes("CancelCommand", commands::cancel).with_agents(),
        reads("DescribeInstanceInformation", agents::describe).with_agents(),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

fn required<'i>(value: &'i Option<String>, name: &str) -> Result<&'i String, ApiError> {
    value.as_ref().ok_or_else(|| invalid(format!("{name} is required")))
}

fn not_found(name: &str) -> ApiError {
    ApiError::new("ParameterNotFound", format!("Parameter {name} not found."))
}

/// What lag knows a parameter by.
fn key(name: &str) -> String {
    format!("parameter/{name}")
}

/// PutParameter: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>.
fn put(s: &mut Scene<'_>, i: &PutParameterInput) -> Result<PutParameterOutput, ApiError> {
    let name = required(&i.name, "Name")?;
    check_name(name)?;
    let value = required(&i.value, "Value")?;
    let tier = i.tier.as_ref().map_or("Standard", ParameterTier::as_str);
    // "Standard parameters have a content size limit of 4 KB, advanced ones of 8 KB."
    let most = if tier == "Standard" { 4096 } else { 8192 };
    if value.is_empty() || value.len() > most {
        return Err(invalid(format!("The value must have 1 to {most} bytes for the tier {tier}.")));
    }
    let overwrite = i.overwrite == Some(true);
    let new_tags = i.tags.as_deref().unwrap_or_default();
    if overwrite && !new_tags.is_empty() {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
        ));
    }
    let old = s.here.parameters.get(name).cloned();
    if old.is_some() && !overwrite {
        return Err(ApiError::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = match (&i.r#type, &old) {
        (Some(kind), _) => kind.as_str().to_owned(),
        (None, Some(old)) => old.kind.clone(),
        (None, None) => return Err(invalid("A parameter type is required when you create a parameter.")),
    };
    let mut tags = old.as_ref().map(|old| old.tags.clone()).unwrap_or_default();
    tags::put(&mut tags, new_tags)?;
    let secure = kind == ParameterType::SecureString.as_str();
    let key_id = i.key_id.clone().or_else(|| old.as_ref().and_then(|old| old.key_id.clone()));
    let parameter = world::Parameter {
        name: name.clone(),
        value: Hidden(value.clone()),
        key_id: secure.then(|| key_id.unwrap_or_else(|| "alias/aws/ssm".to_owned())),
        description: i.description.clone().or_else(|| old.as_ref().and_then(|old| old.description.clone())),
        allowed_pattern: i.allowed_pattern.clone(),
        tier: tier.to_owned(),
        data_type: i.data_type.clone().unwrap_or_else(|| "text".to_owned()),
        version: old.as_ref().map_or(1, |old| old.version + 1),
        tags,
        changed_at: s.now,
        kind,
    };
    if old.is_none() {
        s.born(&key(name));
    }
    let answer = PutParameterOutput::builder().version(parameter.version).tier(ParameterTier::from(tier));
    s.here.parameters.insert(name.clone(), parameter);
    Ok(answer.build())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if name.is_empty() || name.len() > 1011 || !name.chars().all(fine) {
        return Err(invalid(
            "Parameter name: only a mix of letters, numbers and the symbols .-_/ is allowed.",
        ));
    }
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(invalid("Parameter name: can't be prefixed with \"ssm\" or \"aws\" (case-insensitive)."));
    }
    // "The hierarchy delimiter is a forward slash, and the name must then begin with one."
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    if name.matches('/').count() > 15 {
        return Err(ApiError::new(
            "HierarchyLevelLimitExceededException",
            "A hierarchy has at most 15 levels.",
        ));
    }
    Ok(())
}

/// GetParameter, also of the public image parameters; `name:version` asks for a version.
fn get(s: &mut Scene<'_>, i: &GetParameterInput) -> Result<GetParameterOutput, ApiError> {
    let name = required(&i.name, "Name")?;
    let shown = read(s, name, i.with_decryption == Some(true))?;
    Ok(GetParameterOutput::builder().parameter(shown).build())
}

/// GetParameters: names that do not exist are listed apart, ten names at most.
fn get_many(s: &mut Scene<'_>, i: &GetParametersInput) -> Result<GetParametersOutput, ApiError> {
    let names = i.names.as_deref().unwrap_or_default();
    if names.is_empty() || names.len() > 10 {
        return Err(invalid("Names must have 1 to 10 members."));
    }
    let mut answer = GetParametersOutput::builder()
        .set_parameters(Some(Vec::new()))
        .set_invalid_parameters(Some(Vec::new()));
    for name in names {
        answer = match read(s, name, i.with_decryption == Some(true)) {
            Ok(shown) => answer.parameters(shown),
            Err(_) => answer.invalid_parameters(name),
        };
    }
    Ok(answer.build())
}

fn read(s: &mut Scene<'_>, asked: &str, decrypt: bool) -> Result<Parameter, ApiError> {
    if let Some(image) = public_image(s, asked) {
        return Ok(image);
    }
    let (name, version) = match asked.rsplit_once(':').map(|(name, v)| (name, v.parse::<i64>())) {
        Some((name, Ok(version))) => (name, Some(version)),
        _ => (asked, None),
    };
    let found = s.here.parameters.get(name).cloned().ok_or_else(|| not_found(name))?;
    if !s.visible(&key(name)) {
        return Err(not_found(name));
    }
    if version.is_some_and(|version| version != found.version) {
        return Err(ApiError::new(
            "ParameterVersionNotFound",
            format!("Systems Manager could not find version {version:?} of {name}."),
        ));
    }
    let secure = found.kind == ParameterType::SecureString.as_str();
    let value = if secure && !decrypt { sealed(found.value.expose()) } else { found.value.0.clone() };
    Ok(Parameter::builder()
        .name(&found.name)
        .r#type(ParameterType::from(found.kind.as_str()))
        .value(value)
        .version(found.version)
        .last_modified_date(date(found.changed_at))
        .arn(arn(s, &found.name))
        .data_type(&found.data_type)
        .build())
}

fn arn(s: &Scene<'_>, name: &str) -> String {
    s.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// What a SecureString looks like without decryption.
fn sealed(value: &str) -> String {
    let digest: String = Sha256::digest(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("AQICAH{digest}")
}

/// Canonical's public parameters:
/// <https://documentation.ubuntu.com/aws/en/latest/aws-how-to/instances/find-ubuntu-images/>.
fn public_image(s: &Scene<'_>, name: &str) -> Option<Parameter> {
    let rest = name.strip_prefix("/aws/service/canonical/ubuntu/server/")?;
    let release = rest.strip_suffix("/stable/current/arm64/hvm/ebs-gp3/ami-id")?;
    let wanted = format!("-{release}-arm64-");
    let image = s.here.images.values().find(|image| image.name.contains(&wanted))?;
    Some(
        Parameter::builder()
            .name(name)
            .r#type(ParameterType::String)
            .value(&image.id)
            .version(1)
            .data_type("aws:ec2:image")
            .arn(format!("arn:aws:ssm:{}::parameter{name}", s.region))
            .build(),
    )
}

/// DeleteParameter.
fn delete(s: &mut Scene<'_>, i: &DeleteParameterInput) -> Result<DeleteParameterOutput, ApiError> {
    let name = required(&i.name, "Name")?;
    s.here.parameters.remove(name).ok_or_else(|| not_found(name))?;
    Ok(DeleteParameterOutput::builder().build())
}

/// The parameter that a tag operation is about.
fn tagged<'s>(s: &'s mut Scene<'_>, id: &Option<String>) -> Result<&'s mut Tags, ApiError> {
    let id = required(id, "ResourceId")?;
    let found = s.here.parameters.get_mut(id).map(|parameter| &mut parameter.tags);
    found.ok_or_else(|| ApiError::new("InvalidResourceId", format!("The resource ID {id} is not valid.")))
}
