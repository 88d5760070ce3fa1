//! `lhctl state history` and `rollback`: the versions of a state, and going back to one.

use std::path::PathBuf;

use lh::{Amended, StateVersion};

use super::amend;
use crate::{
    args::Global,
    commands::plan,
    context,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `state history`.
#[derive(clap::Args)]
pub(super) struct History {
    /// The stack file
    stack: PathBuf,
    /// How many versions to list at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl History {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        let versions = work.ask(work.deployment.state_versions(self.limit)).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(versions));
            return Ok(Code::Done);
        }
        if versions.is_empty() {
            crate::say::errln!("{} has no state yet.", work.deployment.stack().name());
        }
        let width = versions.iter().map(|version| version.version.len()).max().unwrap_or(0);
        for version in &versions {
            crate::say::outln!("{}", row(version, width));
        }
        Ok(Code::Done)
    }
}

fn row(version: &StateVersion, width: usize) -> String {
    let serial = version.serial.map_or_else(|| "?".to_owned(), |serial| serial.to_string());
    let at = version.at.as_deref().unwrap_or("time unknown");
    let what = match (&version.problem, version.resources) {
        (Some(problem), _) => style::error(problem),
        (None, 1) => "1 resource".to_owned(),
        (None, n) => format!("{n} resources"),
    };
    let mark = if version.current { style::good("  current") } else { String::new() };
    format!("serial {serial:<5} {at:<20}  {:width$}  {what}{mark}", version.version)
}

/// Arguments of `state rollback`.
#[derive(clap::Args)]
pub(super) struct Rollback {
    /// The stack file
    stack: PathBuf,
    /// The version, or its serial, as `state history` lists them; without it, the one before
    version: Option<String>,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
}

impl Rollback {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = amend::open(&self.stack, global, "state rollback", self.auto_approve)?;
        let approve = |amendment: &lh::Amendment| {
            work.progress.clear();
            amend::show(amendment);
            self.auto_approve || context::ask("Go back to it? Only `yes` does it:", "yes")
        };
        let done = work.deployment.rollback(self.version.as_deref(), approve);
        let done = context::watched(&work.progress, done).await?;
        amend::tell(done, "Rollback")?;
        if matches!(done, Amended::Done(_)) {
            crate::say::outln!("\nWhat the next apply would do from here:\n");
            plan::show(&work).await?;
        }
        Ok(Code::Done)
    }
}
