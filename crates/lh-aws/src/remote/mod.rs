//! The way to a host by SSM Run Command. It is not for Session Manager, which needs a terminal.
//!
//! What runs on the host is written in `lh-host`: a script becomes a [`Job`] there, and commands
//! begin it, read what it wrote, and end it.

mod agent;
mod command;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lh_host::{Job, Reader, Script, Shell, ShellError, Standing, Tell};
use lh_kind::{CloudError, ErrorKind, Pace};

use crate::Clients;
pub(crate) use agent::CHECK;
pub use agent::{Agent, agent};
pub(crate) use command::{Answer, Commands};

/// The AWS operations behind [`agent`] and [`RunCommand`], named as in IAM.
pub const CALLS: &[&str] = &[
    "ec2:DescribeInstanceStatus",
    "ssm:DescribeInstanceInformation",
    "ssm:GetCommandInvocation",
    "ssm:SendCommand",
];

/// How long the host waits for the end of a script that was just begun: most are short, and need
/// no second command then.
const FIRST: Duration = Duration::from_secs(3);
/// How long the host waits for output of a script that is silent.
const QUIET: Duration = Duration::from_secs(10);
/// How many commands in a row may bring no answer before the way counts as lost.
const FAILURES: u32 = 5;
/// Between two commands of which the first brought no answer.
const BREATH: Duration = Duration::from_secs(2);

/// Runs scripts by SSM Run Command on one instance whose agent is online.
pub struct RunCommand {
    commands: Commands,
    instance: String,
    stop: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl RunCommand {
    /// On `instance`, pausing by `pace` between looks. Once `stop` says so, the script that runs
    /// is ended.
    pub fn new(
        clients: &Clients,
        instance: &str,
        pace: Arc<dyn Pace>,
        stop: Arc<dyn Fn() -> bool + Send + Sync>,
    ) -> Self {
        let (ssm, instance) = (clients.ssm.clone(), instance.to_owned());
        Self { commands: Commands { ssm, instance: instance.clone(), pace }, instance, stop }
    }

    fn unreachable(&self, reason: impl Into<String>) -> ShellError {
        ShellError::Unreachable { way: self.way(), reason: reason.into() }
    }

    /// The first answer, or why there is none although the script may have been begun.
    async fn begin(&self, job: &Job, script: &Script) -> Result<Result<String, String>, ShellError> {
        let program = job.begin(script, FIRST);
        if program.len() > command::MOST {
            let reason = format!("the script has {} bytes, and a command holds 60,000", script.text.len());
            return Err(self.unreachable(reason));
        }
        let sent = match self.commands.send(&script.title, &program, FIRST).await {
            // It may have arrived all the same.
            Err(error) if error.is_uncertain() => return Ok(Err(error.to_string())),
            Err(error) => return Err(self.unreachable(told(&error))),
            Ok(id) => id,
        };
        match self.commands.wait(&sent, FIRST).await {
            Ok(Answer::NotTaken) => {
                Err(self
                    .unreachable("the SSM agent on the instance did not take the command within a minute"))
            }
            answer => Ok(said(answer)),
        }
    }

    /// Answer after answer until the end.
    async fn follow(
        &self,
        job: &Job,
        script: &Script,
        first: Result<String, String>,
        tell: &mut Tell<'_>,
    ) -> Result<i32, ShellError> {
        let (mut reader, mut failures, mut ending) = (Reader::default(), 0, false);
        let (mut answer, mut is_known, mut why) = (first, false, String::new());
        loop {
            match answer.and_then(|text| reader.read(&text, tell).map_err(|error| error.to_string())) {
                Err(reason) if failures == FAILURES => return Err(ShellError::Lost(reason)),
                Err(reason) => {
                    (failures, why) = (failures + 1, reason);
                    self.commands.pace.pause(BREATH).await;
                }
                Ok(Standing::Ended(status)) => return Ok(status),
                Ok(Standing::Late) => return Err(ShellError::Deadline(script.deadline)),
                Ok(Standing::Cancelled) if is_known => return Err(ShellError::Stopped),
                Ok(Standing::Cancelled) => return Err(self.unreachable(why)),
                // It never arrived; ended before it was begun, it cannot be begun any more.
                Ok(Standing::Gone) if !is_known && !ending => ending = true,
                Ok(Standing::Lost | Standing::Gone) => return Err(ShellError::Lost(ENDED.to_owned())),
                Ok(Standing::Running | Standing::More) => {
                    (failures, is_known) = (0, true);
                    ending |= (self.stop)();
                }
            }
            answer = self.look(job, script, &reader, ending).await;
        }
    }

    /// The next answer, or why there is none; at the end of its job where that is to end.
    async fn look(
        &self,
        job: &Job,
        script: &Script,
        reader: &Reader,
        ending: bool,
    ) -> Result<String, String> {
        let program = match ending {
            true => job.cancel(&script.title, reader.offsets()),
            false => job.look(&script.title, reader.offsets(), QUIET),
        };
        let sent = self.commands.send(&script.title, &program, QUIET).await.map_err(|error| told(&error))?;
        said(self.commands.wait(&sent, QUIET).await)
    }
}

/// What a command said, or why it said nothing.
fn said(answer: Result<Answer, CloudError>) -> Result<String, String> {
    match answer {
        Ok(Answer::Said(text)) => Ok(text),
        Ok(Answer::NotTaken) => Err("the SSM agent on the instance does not take commands".to_owned()),
        Ok(Answer::Ended(why)) => Err(format!("the command on the instance brought no answer: {why}")),
        Err(error) => Err(told(&error)),
    }
}

/// What is said of a job that ended without a word.
const ENDED: &str = "the host no longer knows the script; it was rebooted, or out of memory";

/// The error with what can be done about it.
fn told(error: &CloudError) -> String {
    match (error.code.as_str(), error.kind) {
        ("InvalidInstanceId", _) => format!("{error}; {}", agent::CHECK),
        (_, ErrorKind::Denied) => {
            format!("{error}; these credentials need the permission {}", error.operation)
        }
        _ => error.to_string(),
    }
}

#[async_trait]
impl Shell for RunCommand {
    fn way(&self) -> String {
        format!("SSM Run Command on {}", self.instance)
    }

    async fn run(&self, script: &Script, tell: &mut Tell<'_>) -> Result<i32, ShellError> {
        // An id a run: a command that is sent again, because its answer was lost, begins nothing.
        let job = Job::new(&format!("{:016x}", rand::random::<u64>()));
        let first = self.begin(&job, script).await?;
        self.follow(&job, script, first, tell).await
    }
}
