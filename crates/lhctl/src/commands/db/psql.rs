//! `lhctl db psql`: SQL in the stack's database. It never stands on a command line of the host.

use std::{
    io::{IsTerminal, Read},
    path::PathBuf,
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
                anstream::println!("{line}");
            }
            return Ok(Code::Done);
        }
        let Some(stack) = &self.target.stack else { return Err(context::no_database()) };
        let (_work, host) = super::host(stack, global).await?;
        match host.psql(&text, &mut ssh::show).await? {
            0 => Ok(Code::Done),
            _ => Ok(Code::Error),
        }
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
            read.map(|_| text).map_err(|error| Failure::plain(format!("{}: {error}.", path.display())))
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

const CLIENT: &str = "Install PostgreSQL's client, or give the SQL by --command, --file or standard input.";

/// What a person types on the instance.
const PSQL: &str = r#"sudo docker exec -it timescaledb sh -c 'exec psql -U postgres -d "$POSTGRES_DB"'"#;
