//! `lhctl ssh`: a terminal on the stack's instance, or one command on it.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use clap::ValueEnum;
use lh::{Script, Session, ShellError, Stop, Stream, Way};

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
};

/// A command may run this long; Ctrl-C ends it earlier.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// Arguments of `ssh`.
#[derive(clap::Args)]
pub(crate) struct Ssh {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Take this way alone; otherwise the first that leads there
    #[arg(long, value_enum)]
    via: Option<Via>,
    /// Run this as root, show what it writes, and exit with its status
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// A way to the instance.
#[derive(Clone, Copy, ValueEnum)]
enum Via {
    /// The system's ssh, through the bastion where the stack has one
    Ssh,
    /// Systems Manager: Session Manager, or Run Command for a command
    Ssm,
}

impl Ssh {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        let via = self.via.map(|via| match via {
            Via::Ssh => Way::Ssh,
            Via::Ssm => Way::Ssm,
        });
        if !self.command.is_empty() {
            return self.one(&work, via).await;
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::plain("There is no terminal on standard input.")
                .fix("Run one command, as in `lhctl ssh STACK -- uptime`."));
        }
        let session = context::watched(&work.progress, work.deployment.session(via)).await;
        work.progress.clear();
        open(&session?)
    }

    /// Runs the command. Its words are joined by spaces and read by bash, as `ssh` does it.
    async fn one(&self, work: &context::Work, via: Option<Way>) -> Result<Code, Failure> {
        let shell = context::watched(&work.progress, work.deployment.shell_by(via)).await;
        work.progress.clear();
        let shell = shell?;
        let script =
            Script { title: "lhctl ssh".to_owned(), text: self.command.join(" "), deadline: LONGEST };
        watch_interrupts(work.deployment.stop());
        match shell.run(&script, &mut show(work.deployment.stop())).await {
            Ok(status) => Ok(Code::Remote(u8::try_from(status).unwrap_or(1))),
            Err(ShellError::Stopped) => Ok(Code::Interrupted),
            Err(error) => {
                Err(Failure::plain(format!("The command has no exit status ({}): {error}.", shell.way())))
            }
        }
    }
}

/// Standard output and standard error stay apart. Where the output cannot be written any more, what
/// runs on the instance is ended.
pub(super) fn show(stop: Stop) -> impl FnMut(Stream, &str) {
    move |stream, text| match stream {
        Stream::Out if crate::say::raw(text) => {}
        Stream::Out => stop.ask(),
        Stream::Err => {
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }
}

/// The first Ctrl-C ends the command on the instance, the second leaves it there.
pub(super) fn watch_interrupts(stop: Stop) {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.ask();
            if !context::note_interrupt() {
                crate::say::errln!(
                    "Ending the command on the instance. Press Ctrl-C again to leave it there."
                );
            }
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(Code::Interrupted.number().into());
        }
    });
}

/// A terminal on which `command` runs, on the instance of `stack`.
pub(super) async fn terminal(stack: &Path, command: &str, global: &Global) -> Result<Code, Failure> {
    let work = context::open(stack, global)?;
    let session = context::watched(&work.progress, work.deployment.session(None)).await;
    work.progress.clear();
    let Some(session) = session?.running(command) else {
        return Err(Failure::plain("The simulated instance has no terminal for that.")
            .fix("Give the SQL by --command, --file or standard input."));
    };
    open(&session)
}

/// Becomes the program that gives the terminal.
fn open(session: &Session) -> Result<Code, Failure> {
    if session.way == Some(Way::Ssm) {
        find("session-manager-plugin", PLUGIN)?;
    }
    let mut command = Command::new(&session.program);
    command.args(&session.args);
    become_program(&mut command, if session.way == Some(Way::Ssh) { SSH } else { AWS })
}

/// Becomes this program; `install` says what to do where it is missing.
pub(super) fn become_program(command: &mut Command, install: &str) -> Result<Code, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    find(&program, install)?;
    become_it(command)
        .map_err(|error| Failure::plain(format!("The program `{program}` cannot be run: {error}.")))
}

/// Looks for a program on PATH, or where it is said to be.
fn find(program: &str, install: &str) -> Result<(), Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
        return Ok(());
    }
    Err(Failure::plain(format!("The program `{program}` is not on PATH.")).fix(install))
}

const AWS: &str = "Session Manager needs the AWS CLI, version 2: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html. One command needs neither: `lhctl ssh STACK -- uptime`.";
const PLUGIN: &str = "The AWS CLI needs the Session Manager plugin: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html. One command needs neither: `lhctl ssh STACK -- uptime`.";
const SSH: &str = "Install OpenSSH's client, or take the other way: `lhctl ssh STACK --via ssm`.";

/// In the place of this process, so that Ctrl-C and the terminal's size are the program's own.
#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Result<Code> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Result<Code> {
    let status = command.status()?.code().unwrap_or(1);
    Ok(Code::Remote(u8::try_from(status).unwrap_or(1)))
}
