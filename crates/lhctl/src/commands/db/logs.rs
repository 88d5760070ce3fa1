//! `lhctl db logs`: what the database says.

use std::path::PathBuf;

use lh::day2;

use crate::{
    args::Global,
    commands::ssh,
    failure::{Code, Failure},
};

/// Arguments of `db logs`.
#[derive(clap::Args)]
pub(super) struct Logs {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Since when: a time such as 2026-01-31T12:00:00Z, or an age such as 2h
    #[arg(long)]
    since: Option<String>,
    /// How many lines from the end
    #[arg(long, value_name = "N", default_value_t = 100)]
    lines: u32,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
}

impl Logs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (_work, host) = super::host(&self.stack, global).await?;
        let logs = day2::Logs { since: self.since.clone(), lines: self.lines, follow: self.follow };
        match host.logs(&logs, &mut ssh::show).await {
            Ok(0) => Ok(Code::Done),
            Ok(_) => Ok(Code::Error),
            // To stop following is how it ends.
            Err(lh::Error::Interrupted(_)) if self.follow => Ok(Code::Interrupted),
            Err(error) => Err(error.into()),
        }
    }
}
