//! `lhctl state`: what is recorded of a stack, its versions, and changing it by hand.

mod amend;
mod lock;
mod show;
mod versions;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use lh::Address;

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
};

/// Arguments of `state`.
#[derive(clap::Args)]
pub(crate) struct StateArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List every recorded resource with its id
    List {
        /// The stack file
        stack: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything recorded, or one resource
    Show {
        /// The stack file
        stack: PathBuf,
        /// One resource's address, as in `volume.data`
        address: Option<Address>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the versions of the state that its store still has, the newest first
    History(versions::History),
    /// Make the content of an earlier version the state again, under a new serial, and plan
    Rollback(versions::Rollback),
    /// Forget resources; in AWS they stay as they are
    Rm(amend::Rm),
    /// Record a resource under another address of its kind
    Mv(amend::Mv),
    /// Print the state exactly as it is stored
    Pull {
        /// The stack file
        stack: PathBuf,
    },
    /// Make a text that `pull` printed the state
    Push(amend::Push),
    /// Take the lock from a run that is dead
    Unlock(lock::Unlock),
}

impl StateArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        match &self.verb {
            Verb::List { stack, json } => {
                let work = context::open(stack, global)?;
                show::list(&work.ask(work.deployment.state()).await?, *json);
            }
            Verb::Show { stack, address, json } => {
                let work = context::open(stack, global)?;
                let state = work.ask(work.deployment.state()).await?;
                match address {
                    None => show::all(&state, &work.ask(work.deployment.state_place()).await?, *json),
                    Some(address) => show::one(&state, address, *json)?,
                }
            }
            Verb::History(command) => return command.run(global).await,
            Verb::Rollback(command) => return command.run(global).await,
            Verb::Rm(command) => return command.run(global).await,
            Verb::Mv(command) => return command.run(global).await,
            Verb::Pull { stack } => return pull(stack, global).await,
            Verb::Push(command) => return command.run(global).await,
            Verb::Unlock(command) => return command.run(global).await,
        }
        Ok(Code::Done)
    }
}

async fn pull(stack: &Path, global: &Global) -> Result<Code, Failure> {
    let work = context::open(stack, global)?;
    let Some(pulled) = work.ask(work.deployment.state_text()).await? else {
        let name = work.deployment.stack().name();
        return Err(Failure::plain(format!("{name} has no state yet.")).fix("Apply it first."));
    };
    if pulled.behind > 0 {
        crate::say::errln!(
            "{} entries of the journal follow this state: a run was interrupted, or is under way. `lhctl state show` tells both together.",
            pulled.behind
        );
    }
    // Exactly as stored: no colour is taken out, no line is added.
    std::io::Write::write_all(&mut std::io::stdout(), pulled.text.as_bytes())
        .map_err(|error| Failure::plain(format!("The state cannot be printed: {error}.")))?;
    Ok(Code::Done)
}
