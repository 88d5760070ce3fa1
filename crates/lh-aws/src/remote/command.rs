//! One command: sent, waited for, answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_sdk_ssm::types::CommandInvocationStatus as Status;
use lh_kind::{CloudError, ErrorKind, Pace};

use crate::error::Named;

/// A document with its parameters may have 64 KB; a little stays for what AWS adds.
pub(super) const MOST: usize = 60_000;
/// The longest comment that a command may have.
const COMMENT: usize = 100;
/// How long AWS waits for the agent to take a command, in seconds; it allows no less than 30.
const DELIVERY: i32 = 60;
/// How much longer than it waits on purpose a command may run.
const SPARE: Duration = Duration::from_secs(120);
/// The first pause between two looks, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// Sends commands to one instance.
pub(crate) struct Commands {
    pub ssm: aws_sdk_ssm::Client,
    pub instance: String,
    pub pace: Arc<dyn Pace>,
}

/// How a command ended.
pub(crate) enum Answer {
    /// This is what it wrote to standard output.
    Said(String),
    /// The agent did not take it.
    NotTaken,
    /// It was taken and did not succeed: why.
    Ended(String),
}

impl Commands {
    /// Waits for the answer to the command `id`, which waits up to `patience` by itself.
    pub async fn wait(&self, id: &str, patience: Duration) -> Result<Answer, CloudError> {
        let began = Instant::now();
        // Longer than AWS lets it take; should AWS never say so, this does.
        let limit = Duration::from_secs(DELIVERY.unsigned_abs().into()) + patience + SPARE * 2;
        let mut pause = PAUSES.0;
        while began.elapsed() < limit {
            self.pace.pause(pause).await;
            pause = (pause * 3 / 2).min(PAUSES.1);
            if let Some(answer) = self.look(id).await? {
                return Ok(answer);
            }
        }
        Ok(Answer::Ended(format!("the command {id} had not ended after {} s", limit.as_secs())))
    }

    /// Sends `program`, which waits up to `patience` by itself; the answer is the command's id.
    pub async fn send(&self, title: &str, program: &str, patience: Duration) -> Result<String, CloudError> {
        let operation = "ssm:SendCommand";
        let comment: String = format!("lhctl: {title}").chars().take(COMMENT).collect();
        let sent = self
            .ssm
            .send_command()
            .document_name("AWS-RunShellScript")
            .instance_ids(&self.instance)
            .comment(comment)
            .timeout_seconds(DELIVERY)
            .parameters("commands", vec![program.to_owned()])
            .parameters("executionTimeout", vec![(patience + SPARE).as_secs().to_string()])
            .send()
            .await
            .named(operation)?;
        let none = || CloudError::new(ErrorKind::Other, operation, "AWS gave the command no id");
        sent.command.and_then(|command| command.command_id).ok_or_else(none)
    }

    /// The answer, if it is there.
    async fn look(&self, id: &str) -> Result<Option<Answer>, CloudError> {
        let request = self.ssm.get_command_invocation().command_id(id).instance_id(&self.instance);
        let shown = match request.send().await.named("ssm:GetCommandInvocation") {
            // AWS does not know it everywhere yet.
            Err(error) if error.code == "InvocationDoesNotExist" => return Ok(None),
            other => other?,
        };
        let details = shown.status_details.unwrap_or_default();
        let said = shown.standard_output_content.unwrap_or_default();
        Ok(match shown.status {
            Some(Status::Success) => Some(Answer::Said(said)),
            Some(Status::TimedOut) if details.starts_with("Delivery") => Some(Answer::NotTaken),
            Some(Status::Failed | Status::TimedOut | Status::Cancelled) => {
                let err = shown.standard_error_content.unwrap_or_default();
                let last =
                    err.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it wrote no error");
                Some(Answer::Ended(format!("{details}, exit status {}: {last}", shown.response_code)))
            }
            _ => None,
        })
    }
}
