//! Scripts by SSH: the system's `ssh`, with what the host must do on its standard input, never on
//! a command line. The script is a job there, so that a lost connection is taken up again.

use std::{ffi::OsString, process::Stdio, time::Duration};

use async_trait::async_trait;
use lh_host::{Job, Reader, Script, Shell, ShellError, Standing, Tell};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, Command},
    task::JoinHandle,
};

use super::access::Target;
use crate::Stop;

/// What runs at the other end.
const REMOTE: [&str; 3] = ["sudo", "-n", "bash -s"];
/// How often a lost connection is taken up again, one after the other.
const AGAIN: u32 = 3;
/// Before a lost connection is taken up again.
const BREATH: Duration = Duration::from_secs(2);
/// How often the wish to stop is looked at.
const BEAT: Duration = Duration::from_millis(250);
/// How many lines of what `ssh` says at last are told.
const LINES: usize = 3;
/// How much of what `ssh` says is kept.
const MOST_SAID: u64 = 16_384;

/// Runs scripts on one host by the program `ssh`.
pub(crate) struct Ssh {
    target: Target,
    stop: Stop,
    program: OsString,
}

/// How a connection ended before the script did.
enum Broken {
    /// It was lost: why.
    Lost(String),
    /// It was cut, since the run is to stop.
    Stop,
}

impl Ssh {
    pub fn new(target: Target, stop: Stop) -> Self {
        Self { target, stop, program: "ssh".into() }
    }

    /// The same, by another program than the first `ssh` on the path.
    #[cfg(test)]
    fn by(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    /// Whether the host lets root's bash be run; if not, why.
    pub async fn probe(&self) -> Result<(), String> {
        let (mut child, said) = self.connect("exit 0\n").await?;
        let status = child.wait().await.map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(reason(&said.await.unwrap_or_default(), &self.target)) }
    }

    /// A connection on which `program` runs, and what `ssh` says on standard error.
    async fn connect(&self, program: &str) -> Result<(Child, JoinHandle<String>), String> {
        let mut child = Command::new(&self.program)
            .args(self.target.args(false))
            .args(REMOTE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the program `ssh` cannot be run: {error}"))?;
        let said = tokio::spawn(listen(child.stderr.take()));
        if let Some(mut stdin) = child.stdin.take() {
            // What keeps it from arriving, `ssh` says itself.
            let _ = stdin.write_all(program.as_bytes()).await;
        }
        Ok((child, said))
    }

    /// Runs `program` on a connection, and reads answers until the job's end.
    async fn converse(
        &self,
        program: &str,
        reader: &mut Reader,
        begun: &mut bool,
        tell: &mut Tell<'_>,
        stops: bool,
    ) -> Result<Standing, Broken> {
        let (mut child, said) = self.connect(program).await.map_err(Broken::Lost)?;
        let lost = || Broken::Lost("ssh has no output".to_owned());
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(lost)?).lines();
        let mut beat = tokio::time::interval(BEAT);
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line,
                _ = beat.tick() => {
                    if stops && *begun && self.stop.is_asked() {
                        return Err(Broken::Stop);
                    }
                    continue;
                }
            };
            match line {
                Ok(Some(line)) if Reader::is_answer(&line) => {
                    *begun = true;
                    let standing =
                        reader.read(&line, tell).map_err(|error| Broken::Lost(error.to_string()))?;
                    if !matches!(standing, Standing::Running | Standing::More) {
                        return Ok(standing);
                    }
                }
                // What a login says.
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => {
                    let _ = child.wait().await;
                    return Err(Broken::Lost(reason(&said.await.unwrap_or_default(), &self.target)));
                }
            }
        }
    }
}

/// Why there is no connection, in the words of `ssh`.
pub(super) fn reason(said: &str, target: &Target) -> String {
    let told = |line: &&str| !line.is_empty() && !line.starts_with("Warning: Permanently added");
    let lines: Vec<&str> = said.lines().map(str::trim).filter(told).collect();
    // With a bastion the cause comes first and the consequence last.
    let last = lines[lines.len().saturating_sub(LINES)..].join("; ");
    let last = if last.is_empty() { "ssh ended without a word" } else { last.trim_end_matches('.') };
    let key = match &target.key {
        None => " (the private key is not where the stack file says)",
        Some(_) => "",
    };
    format!("{last}{key}")
}

/// What a program says, as far as it is worth keeping.
pub(super) async fn listen(stderr: Option<ChildStderr>) -> String {
    let mut said = Vec::new();
    if let Some(mut stderr) = stderr {
        let _ = (&mut stderr).take(MOST_SAID).read_to_end(&mut said).await;
        // The rest must be taken too, or `ssh` would wait for somebody to read it.
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[async_trait]
impl Shell for Ssh {
    fn way(&self) -> String {
        self.target.way()
    }

    async fn run(&self, script: &Script, tell: &mut Tell<'_>) -> Result<i32, ShellError> {
        let job = Job::new(&uuid::Uuid::new_v4().simple().to_string());
        let (mut reader, mut begun, mut again, mut stopping) = (Reader::default(), false, 0, false);
        let mut program = job.begin_and_follow(script);
        loop {
            let before = reader.offsets();
            match self.converse(&program, &mut reader, &mut begun, tell, !stopping).await {
                Ok(Standing::Ended(status)) => return Ok(status),
                Ok(Standing::Late) => return Err(ShellError::Deadline(script.deadline)),
                Ok(Standing::Cancelled) => return Err(ShellError::Stopped),
                Ok(Standing::Gone) if stopping => return Err(ShellError::Stopped),
                Ok(_) => return Err(ShellError::Lost("the host no longer knows the script".to_owned())),
                Err(Broken::Stop) => {
                    stopping = true;
                    program = job.cancel(&script.title, reader.offsets());
                }
                Err(Broken::Lost(reason)) if !begun && !stopping => {
                    return Err(ShellError::Unreachable { way: self.way(), reason });
                }
                Err(Broken::Lost(reason)) => {
                    again = if reader.offsets() == before { again + 1 } else { 1 };
                    if again > AGAIN {
                        return Err(ShellError::Lost(reason));
                    }
                    tokio::time::sleep(BREATH).await;
                    program = match stopping {
                        true => job.cancel(&script.title, reader.offsets()),
                        false => job.follow(&script.title, reader.offsets()),
                    };
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
