//! The command line: global options, and one variant a command.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use lh::{Address, Mode, Scope};

use crate::commands;

/// Provision a stateful TimescaleDB server on AWS from one YAML file.
#[derive(Parser)]
#[command(name = "lhctl", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(clap::Args, Clone)]
pub(crate) struct Global {
    /// Work in the simulated AWS that is inside lhctl, kept in .lhctl/local/
    #[arg(long, global = true)]
    pub local: bool,
    /// Override one value of the stack file, as in --set instance.type=t4g.medium
    #[arg(long, global = true, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 error; 2 changes found (plan --detailed-exitcode); 3 the lock is held;
4 the stack file is invalid; 5 refused for safety; 130 interrupted.
Credentials, profiles and endpoints come from the AWS SDK's standard chain.
LHCTL_LOG=debug writes logs to standard error.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write a commented stack file
    Init(commands::init::Init),
    /// Check stack files, offline, and tell every mistake at once
    Validate(commands::validate::Validate),
    /// Format stack files; comments and meaning stay
    Fmt(commands::fmt::Fmt),
    /// Print the JSON Schema of stack files, for editors
    Schema,
    /// Make and mend the state bucket and the lock table of a stack
    Bootstrap(commands::bootstrap::Bootstrap),
    /// Show where a value comes from: every layer with file and line
    Explain(commands::explain::Explain),
    /// Draw the resources and what they need
    Graph(commands::graph::Graph),
    /// Check what a stack needs and does not make, before it is applied
    Doctor(commands::doctor::Doctor),
    /// Show what apply would do
    Plan(commands::plan::PlanArgs),
    /// Make the stack as its file says
    Apply(commands::apply::Apply),
    /// Remove the stack; data goes only after a final copy
    Destroy(commands::destroy::Destroy),
    /// Show what the stack offers: endpoint, ids, commands
    Output(commands::output::OutputArgs),
    /// Show what is recorded of the stack, its versions, and change it by hand
    State(commands::state::StateArgs),
    /// Give up one resource: keep it unmanaged, or delete it after a check for its backup
    Release(commands::release::ReleaseArgs),
    /// Show every run: who, when, which plan, which calls to AWS, how it ended
    History(commands::history::HistoryArgs),
    /// Rebuild a lost state from ownership tags and the stack file
    Recover(commands::recover::Recover),
    /// Bring the database up to its migrations, or show where it stands
    Migrate(commands::migrate::Migrate),
    /// Show how stacks stand, at a glance
    Status(commands::status::StatusArgs),
    /// Check that the database, and what AWS does for it, is as it should be, with evidence
    Verify(commands::verify::Verify),
    /// Open a terminal on the stack's instance, or run one command on it
    Ssh(commands::ssh::Ssh),
    /// Work on the database: back up, restore, upgrade, look into it
    Db(commands::db::Db),
    /// Estimate the monthly cost, line by line
    Cost(commands::cost::Cost),
    /// Show or reset the simulated AWS, or run a database beside it
    Local(commands::local::Local),
    /// Write shell completions to standard output
    Completions(commands::completions::Completions),
    /// Write the manual page to standard output
    Man,
}

/// What of a stack is planned, and whether AWS may change.
#[derive(clap::Args)]
pub(crate) struct Part {
    /// Plan for this resource and what it needs alone; may be given more than once
    #[arg(long, value_name = "ADDRESS", action = ArgAction::Append)]
    target: Vec<Address>,
    /// Take what AWS shows into the state, and change nothing in AWS
    #[arg(long)]
    refresh_only: bool,
}

impl Part {
    /// As plans take it.
    pub fn scope(&self) -> Scope {
        let mode = if self.refresh_only { Mode::Refresh } else { Mode::Apply };
        Scope { targets: self.target.clone(), ..mode.into() }
    }

    /// Whether it is anything but the whole stack.
    pub fn is_given(&self) -> bool {
        self.refresh_only || !self.target.is_empty()
    }
}

/// The stack files to read: those given, or every one in `stacks/`.
#[derive(clap::Args)]
pub(crate) struct Stacks {
    /// Stack files; without one, every file in stacks/
    #[arg(value_name = "STACK")]
    pub files: Vec<PathBuf>,
}
