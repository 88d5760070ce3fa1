//! The commands, a file each.

pub(crate) mod apply;
pub(crate) mod bootstrap;
pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod db;
pub(crate) mod destroy;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod local;
pub(crate) mod migrate;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod recover;
pub(crate) mod release;
pub(crate) mod schema;
pub(crate) mod ssh;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod validate;
pub(crate) mod verify;

use crate::{
    args::{Cli, Command},
    failure::{Code, Failure},
};

/// Runs the command of `cli`.
pub(crate) async fn run(cli: Cli) -> Result<Code, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Init(command) => command.run(),
        Command::Bootstrap(command) => command.run(&global).await,
        Command::Validate(command) => command.run(&global),
        Command::Explain(command) => command.run(&global),
        Command::Graph(command) => command.run(&global),
        Command::Fmt(command) => command.run(),
        Command::Schema => schema::run(),
        Command::Doctor(command) => command.run(&global).await,
        Command::Plan(command) => command.run(&global).await,
        Command::Apply(command) => command.run(&global).await,
        Command::Destroy(command) => command.run(&global).await,
        Command::Output(command) => command.run(&global).await,
        Command::State(command) => command.run(&global).await,
        Command::Release(command) => command.run(&global).await,
        Command::History(command) => command.run(&global).await,
        Command::Recover(command) => command.run(&global).await,
        Command::Cost(command) => command.run(&global).await,
        Command::Ssh(command) => command.run(&global).await,
        Command::Migrate(command) => command.run(&global).await,
        Command::Verify(command) => command.run(&global).await,
        Command::Status(command) => command.run(&global).await,
        Command::Db(command) => command.run(&global).await,
        Command::Local(command) => command.run().await,
        Command::Completions(command) => command.run(),
        Command::Man => completions::manual(),
    }
}
