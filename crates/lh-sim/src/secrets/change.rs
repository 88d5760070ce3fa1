//! What changes secrets.

use super::{find, invalid, key, live, required, sweep, wrong_state};
use crate::clock::{HOUR, date};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Hidden, Secret, Tags};
use aws_sdk_secretsmanager::operation::create_secret::{CreateSecretInput, CreateSecretOutput};
use aws_sdk_secretsmanager::operation::delete_secret::{DeleteSecretInput, DeleteSecretOutput};
use aws_sdk_secretsmanager::operation::restore_secret::{RestoreSecretInput, RestoreSecretOutput};
use aws_sdk_secretsmanager::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_secretsmanager::operation::untag_resource::{UntagResourceInput, UntagResourceOutput};
use aws_sdk_secretsmanager::operation::update_secret::{UpdateSecretInput, UpdateSecretOutput};
use aws_sdk_secretsmanager::types::Tag;

/// CreateSecret: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>.
pub(super) fn create(s: &mut Scene<'_>, i: &CreateSecretInput) -> Result<CreateSecretOutput, ApiError> {
    let name = required(&i.name, "Name")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if name.len() > 512 || !name.chars().all(fits) {
        return Err(invalid(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    let value = required(&i.secret_string, "SecretString")?;
    if value.len() > 65_536 {
        return Err(invalid("The secret value is longer than 65536 bytes."));
    }
    let version = token(&i.client_request_token)?;
    sweep(s);
    if let Some(old) = s.here.secrets.secrets.get(name) {
        if old.deleted.is_some() {
            return Err(wrong_state(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        // "If a version with this value already exists and the values are the same, the request is
        // ignored."
        if old.version == *version && old.value.expose() == value {
            return Ok(CreateSecretOutput::builder()
                .arn(&old.arn)
                .name(name)
                .version_id(&old.version)
                .build());
        }
        return Err(ApiError::new(
            "ResourceExistsException",
            format!("The operation failed because the secret {name} already exists."),
        ));
    }
    let kms_key = usable_key(s, i.kms_key_id.as_deref())?;
    let mut tags = Tags::new();
    put(&mut tags, i.tags.as_deref().unwrap_or_default())?;
    let suffix = suffix(s.random.bits());
    let arn = s.arn("secretsmanager", &format!("secret:{name}-{suffix}"));
    let secret = Secret {
        name: name.clone(),
        arn: arn.clone(),
        description: i.description.clone(),
        kms_key,
        value: Hidden(value.clone()),
        version: version.clone(),
        tags,
        created_at: s.now,
        deleted: None,
    };
    s.born(&key(name));
    s.here.secrets.secrets.insert(name.clone(), secret);
    Ok(CreateSecretOutput::builder().arn(arn).name(name).version_id(version).build())
}

/// "Length Constraints: Minimum length of 32. Maximum length of 64."
fn token(given: &Option<String>) -> Result<&String, ApiError> {
    let token = required(given, "ClientRequestToken")?;
    if !(32..=64).contains(&token.len()) {
        return Err(invalid("ClientRequestToken must be 32-64 characters long."));
    }
    Ok(token)
}

/// Six letters and digits.
fn suffix(mut bits: u64) -> String {
    const SIGNS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::new();
    for _ in 0..6 {
        text.push(char::from(SIGNS[(bits % 62) as usize]));
        bits /= 62;
    }
    text
}

/// A key that a secret names has to exist and to be enabled; none, or an empty one, means the
/// service's own.
fn usable_key(s: &Scene<'_>, named: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(named) = named.filter(|key| !key.is_empty() && *key != "alias/aws/secretsmanager") else {
        return Ok(None);
    };
    match s.here.kms.find(named) {
        Some(key) if key.state == "Enabled" => Ok(Some(named.to_owned())),
        _ => Err(ApiError::new(
            "EncryptionFailure",
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key. \
             Check that the KMS key is available, enabled, and not in an invalid state.",
        )),
    }
}

/// UpdateSecret, of what is not the value.
pub(super) fn update(s: &mut Scene<'_>, i: &UpdateSecretInput) -> Result<UpdateSecretOutput, ApiError> {
    if i.secret_string.is_some() || i.secret_binary.is_some() {
        return Err(invalid("Changing the value of a secret is not simulated."));
    }
    let kms_key = usable_key(s, i.kms_key_id.as_deref())?;
    let secret = live(s, &i.secret_id)?;
    if i.description.is_some() {
        secret.description.clone_from(&i.description);
    }
    if i.kms_key_id.is_some() {
        secret.kms_key = kms_key;
    }
    Ok(UpdateSecretOutput::builder().arn(&secret.arn).name(&secret.name).build())
}

/// DeleteSecret: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>.
pub(super) fn delete(s: &mut Scene<'_>, i: &DeleteSecretInput) -> Result<DeleteSecretOutput, ApiError> {
    let force = i.force_delete_without_recovery == Some(true);
    if force && i.recovery_window_in_days.is_some() {
        return Err(invalid(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = i.recovery_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let now = s.now;
    let secret = live(s, &i.secret_id)?;
    let until = now + days.unsigned_abs() * 24 * HOUR;
    secret.deleted = Some((now, until));
    let answer = DeleteSecretOutput::builder().arn(&secret.arn).name(&secret.name).deletion_date(date(until));
    let name = secret.name.clone();
    if force {
        s.here.secrets.secrets.remove(&name);
    }
    Ok(answer.build())
}

/// RestoreSecret: the value is as it was.
pub(super) fn restore(s: &mut Scene<'_>, i: &RestoreSecretInput) -> Result<RestoreSecretOutput, ApiError> {
    let secret = find(s, &i.secret_id)?;
    secret.deleted = None;
    Ok(RestoreSecretOutput::builder().arn(&secret.arn).name(&secret.name).build())
}

/// TagResource.
pub(super) fn tag(s: &mut Scene<'_>, i: &TagResourceInput) -> Result<TagResourceOutput, ApiError> {
    put(&mut live(s, &i.secret_id)?.tags, i.tags.as_deref().unwrap_or_default())?;
    Ok(TagResourceOutput::builder().build())
}

/// UntagResource.
pub(super) fn untag(s: &mut Scene<'_>, i: &UntagResourceInput) -> Result<UntagResourceOutput, ApiError> {
    let tags = &mut live(s, &i.secret_id)?.tags;
    for key in i.tag_keys.as_deref().unwrap_or_default() {
        tags.remove(key);
    }
    Ok(UntagResourceOutput::builder().build())
}

/// Adds or overwrites tags: at most 50, none of AWS's own.
fn put(tags: &mut Tags, new: &[Tag]) -> Result<(), ApiError> {
    for tag in new {
        let key = tag.key.clone().unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that start with aws: are reserved."));
        }
        tags.insert(key, tag.value.clone().unwrap_or_default());
    }
    if tags.len() > 50 {
        return Err(ApiError::new("LimitExceededException", "A secret has at most 50 tags."));
    }
    Ok(())
}
