//! `lhctl db psql`: SQL in the stack's database. It never stands on a command line of the host.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    args::Global,
    commands::ssh,
    context::{self, Target},
    failure::{Code, Failure},
};

/// Arguments of `db psql`.
#[derive(clap::Args)]
pub(super) struct Psql {
    #[command(flatten)]
    target: Target,
    /// Run this; Run Command keeps what it is sent, so it must hold no secret
    #[arg(long, short, value_name = "SQL")]
    command: Option<String>,
    /// Run what is in this file; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with = "command")]
    file: Option<PathBuf>,
}

impl Psql {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let Some(text) = self.text()? else { return self.at_a_terminal(global).await };
        if self.target.is_by_url() {
            for line in super::database(&self.target, global).await?.rows(&text).await? {
                crate::say::outln!("{line}");
            }
            return Ok(Code::Done);
        }
        let Some(stack) = &self.target.stack else { return Err(context::no_database()) };
        let (work, host) = super::host(stack, global).await?;
        // psql's own: 1 for an error of its own, 2 for no session, 3 for a statement that failed.
        let status = host.psql(&text, &mut ssh::show(work.deployment.stop())).await.map_err(ended)?;
        Ok(Code::Remote(u8::try_from(status).unwrap_or(1)))
    }

    /// What to run; none is a terminal's business.
    fn text(&self) -> Result<Option<String>, Failure> {
        let read = |path: &PathBuf| {
            let mut text = String::new();
            let read = if path.as_os_str() == "-" {
                std::io::stdin().lock().read_to_string(&mut text)
            } else {
                std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
            };
            read.map(|_| text).map_err(|error| unread(path, &error))
        };
        match (&self.command, &self.file) {
            (Some(command), _) => Ok(Some(format!("{command}\n;"))),
            (None, Some(file)) => Ok(Some(read(file)?)),
            (None, None) if !std::io::stdin().is_terminal() => Ok(Some(read(&PathBuf::from("-"))?)),
            (None, None) => Ok(None),
        }
    }

    /// On the instance, as its own psql; this machine's where a URL or the simulated AWS says where the
    /// database is.
    async fn at_a_terminal(&self, global: &Global) -> Result<Code, Failure> {
        if let (Some(stack), false, false) = (&self.target.stack, self.target.is_by_url(), global.local) {
            return ssh::terminal(stack, PSQL, global).await;
        }
        let database = self.target.find(self.target.stack(global)?, global).await?;
        let mut command = Command::new("psql");
        for (name, value) in database.url().environment().map_err(lh::Error::from)? {
            command.env(name, value.expose());
        }
        ssh::become_program(&mut command, CLIENT)
    }
}

fn unread(path: &Path, error: &std::io::Error) -> Failure {
    Failure::plain(format!("{} cannot be read: {error}.", path.display())).fix(
        "Name a file with SQL by --file, or give the SQL by --command or on standard input (`--file -`).",
    )
}

/// Why there is no exit status.
fn ended(error: lh::Error) -> Failure {
    match error {
        lh::Error::Interrupted(_) => {
            Failure::plain("psql was interrupted, and was ended on the instance.").code(Code::Interrupted)
        }
        other => other.into(),
    }
}

const CLIENT: &str = "Install PostgreSQL's client, or give the SQL by --command, --file or standard input.";

/// What a person types on the instance.
const PSQL: &str = r#"sudo docker exec -it timescaledb sh -c 'exec psql -U postgres -d "$POSTGRES_DB"'"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_psql_is_told_in_a_sentence() {
        let failure = ended(lh::Error::Interrupted("psql".to_owned()));
        assert_eq!(failure.words(), ("psql was interrupted, and was ended on the instance.", ""));
    }
}
