//! Run Command: SendCommand, GetCommandInvocation, CancelCommand.
//!
//! The states are those of
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>.

use super::required;
use crate::clock::{SECOND, date};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{self, Millis};
use aws_sdk_ssm::operation::cancel_command::{CancelCommandInput, CancelCommandOutput};
use aws_sdk_ssm::operation::get_command_invocation::{GetCommandInvocationInput, GetCommandInvocationOutput};
use aws_sdk_ssm::operation::send_command::{SendCommandInput, SendCommandOutput};
use aws_sdk_ssm::types::{Command, CommandInvocationStatus, CommandStatus};
use aws_smithy_types::date_time::Format;
use std::collections::HashMap;

/// The one document that is simulated.
const DOCUMENT: &str = "AWS-RunShellScript";
/// "The size limit of a document is 64 KB."
const MOST: usize = 64 * 1024;
/// How long an agent has a command before it shows as begun.
const TAKES: Millis = 400;

fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(code, message)
}

/// SendCommand: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html>.
/// It has no client token: sent twice, a command runs twice.
pub(super) fn send(s: &mut Scene<'_>, i: &SendCommandInput) -> Result<SendCommandOutput, ApiError> {
    let document = required(&i.document_name, "DocumentName")?;
    if document != DOCUMENT {
        return Err(error("InvalidDocument", format!("document with name {document} does not exist.")));
    }
    let [instance] = i.instance_ids.as_deref().unwrap_or_default() else {
        return Err(super::invalid("The simulation sends a command to exactly one instance id."));
    };
    // A command may wait for the agent between 30 seconds and 30 days.
    let delivery = i.timeout_seconds.unwrap_or(3600);
    if !(30..=2_592_000).contains(&delivery) {
        return Err(super::invalid("TimeoutSeconds must be between 30 and 2592000."));
    }
    let (script, execution) = parameters(i.parameters.as_ref())?;
    let comment = i.comment.clone().unwrap_or_default();
    if comment.chars().count() > 100 {
        return Err(super::invalid("Comment must have at most 100 characters."));
    }
    if !s.here.agents.get(instance).is_some_and(|agent| agent.online) {
        return Err(error(
            "InvalidInstanceId",
            format!("Instances [[{instance}]] not in a valid state for account {}", s.account),
        ));
    }
    let command = world::Command {
        id: s.random.request_id(),
        instance_id: instance.clone(),
        comment,
        script,
        delivery_timeout: Millis::from(delivery.unsigned_abs()) * SECOND,
        execution_timeout: execution * SECOND,
        sent_at: s.now,
        taken_at: None,
        cancelled: false,
        end: None,
    };
    s.born(&key(&command.id));
    let shown = Command::builder()
        .command_id(&command.id)
        .document_name(DOCUMENT)
        .comment(&command.comment)
        .instance_ids(instance)
        .requested_date_time(date(s.now))
        .expires_after(date(s.now + command.delivery_timeout))
        .status(CommandStatus::Pending)
        .status_details("Pending")
        .timeout_seconds(delivery)
        .target_count(1)
        .build();
    s.here.commands.insert(command.id.clone(), command);
    Ok(SendCommandOutput::builder().command(shown).build())
}

/// The script, and how many seconds it may run. A document takes the parameters that it defines.
fn parameters(given: Option<&HashMap<String, Vec<String>>>) -> Result<(String, Millis), ApiError> {
    let invalid = |message: String| error("InvalidParameters", message);
    let (mut script, mut execution) = (None, 3600);
    for (name, values) in given.into_iter().flatten() {
        match (name.as_str(), &values[..]) {
            ("commands", lines) => script = Some(lines.join("\n")),
            ("executionTimeout", [value]) => {
                execution = value
                    .parse()
                    .ok()
                    .filter(|seconds| (1..=172_800).contains(seconds))
                    .ok_or_else(|| invalid(format!("executionTimeout cannot be {value}")))?;
            }
            ("workingDirectory", [value]) if value.is_empty() => {}
            _ => return Err(invalid(format!("The simulation does not know the parameter {name}"))),
        }
    }
    let script = script.ok_or_else(|| invalid("commands is required".to_owned()))?;
    if script.len() > MOST {
        return Err(error("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB."));
    }
    Ok((script, execution))
}

/// What lag knows a command by.
fn key(id: &str) -> String {
    format!("command/{id}")
}

/// GetCommandInvocation; for a moment after SendCommand there is no invocation yet:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html>.
pub(super) fn get(
    s: &mut Scene<'_>,
    i: &GetCommandInvocationInput,
) -> Result<GetCommandInvocationOutput, ApiError> {
    let id = required(&i.command_id, "CommandId")?;
    let instance = required(&i.instance_id, "InstanceId")?;
    let unknown = || error("InvocationDoesNotExist", "The command ID and instance ID do not match.");
    let command = s.here.commands.get(id).filter(|it| it.instance_id == *instance).cloned();
    let command = command.filter(|_| s.visible(&key(id))).ok_or_else(unknown)?;
    let (status, details) = standing(&command, s.now);
    let when = |at: Millis| date(at).fmt(Format::DateTime).unwrap_or_default();
    let mut shown = GetCommandInvocationOutput::builder()
        .command_id(id)
        .instance_id(instance)
        .comment(&command.comment)
        .document_name(DOCUMENT)
        .plugin_name("aws:runShellScript")
        .status_details(details)
        .response_code(-1)
        .standard_output_content("")
        .standard_error_content("")
        .set_execution_start_date_time(command.taken_at.map(when));
    let shows = matches!(status, CommandInvocationStatus::Success | CommandInvocationStatus::Failed);
    if let Some(end) = command.end.as_ref().filter(|_| shows) {
        shown = shown
            .response_code(end.code)
            .standard_output_content(&end.out)
            .standard_error_content(&end.err)
            .execution_end_date_time(when(end.at));
    }
    Ok(shown.status(status).build())
}

/// The status and its details.
fn standing(command: &world::Command, now: Millis) -> (CommandInvocationStatus, String) {
    let young = command.taken_at.is_some_and(|taken| now < taken + TAKES);
    let (status, details) = match &command.end {
        Some(end) if !young => {
            let status = match end.details.as_str() {
                "Success" => CommandInvocationStatus::Success,
                "Cancelled" => CommandInvocationStatus::Cancelled,
                "DeliveryTimedOut" | "ExecutionTimedOut" => CommandInvocationStatus::TimedOut,
                _ => CommandInvocationStatus::Failed,
            };
            (status, end.details.as_str())
        }
        _ if command.cancelled => (CommandInvocationStatus::Cancelling, "Cancelling"),
        None if command.taken_at.is_some() && !young => (CommandInvocationStatus::InProgress, "InProgress"),
        _ => (CommandInvocationStatus::Pending, "Pending"),
    };
    (status, details.to_owned())
}

/// CancelCommand, an attempt without a guarantee:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html>.
pub(super) fn cancel(s: &mut Scene<'_>, i: &CancelCommandInput) -> Result<CancelCommandOutput, ApiError> {
    let id = required(&i.command_id, "CommandId")?;
    let unknown = || error("InvalidCommandId", format!("The command {id} does not exist."));
    let command = s.here.commands.get_mut(id).ok_or_else(unknown)?;
    command.cancelled |= command.end.is_none();
    Ok(CancelCommandOutput::builder().build())
}
