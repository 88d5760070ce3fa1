//! `lhctl local`: the simulated AWS in `.lhctl/local/`, and the database beside it.

use std::path::Path;

use clap::Subcommand;
use lh::{LocalWorld, db::local::LocalDatabase};

use crate::{
    context::LOCAL,
    failure::{Code, Failure},
};

/// Arguments of `local`.
#[derive(clap::Args)]
pub(crate) struct Local {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show what exists in the simulated AWS
    Show,
    /// Forget the simulated AWS and the states of all stacks in it
    Reset,
    /// Run a TimescaleDB for the simulated instance until Ctrl-C; needs Node.js
    Database {
        /// The port on 127.0.0.1; without it, one that is free
        #[arg(long)]
        port: Option<u16>,
    },
}

impl Local {
    pub async fn run(&self) -> Result<Code, Failure> {
        let world = LocalWorld::new(LOCAL);
        match self.verb {
            Verb::Show if !world.exists() => {
                anstream::eprintln!(
                    "There is no simulated AWS here yet; any command with --local begins one."
                );
            }
            Verb::Show => {
                for row in world.show()? {
                    anstream::println!("{:<18} {:<24} {}", row.kind, row.id, row.detail);
                }
            }
            Verb::Reset => {
                world.reset()?;
                anstream::println!("The simulated AWS in {LOCAL}/ is forgotten.");
            }
            Verb::Database { port } => return database(port).await,
        }
        Ok(Code::Done)
    }
}

/// Runs the database until Ctrl-C. Its URL, which holds no secret, goes to standard output.
async fn database(port: Option<u16>) -> Result<Code, Failure> {
    let mut tell = |text: &str| anstream::eprintln!("{text}");
    let starting = LocalDatabase::start(Path::new(LOCAL), port, &mut tell);
    let interrupted = || Failure::plain("Interrupted before the database was ready.").code(Code::Interrupted);
    let mut database = tokio::select! {
        started = starting => started.map_err(lh::Error::from)?,
        _ = tokio::signal::ctrl_c() => return Err(interrupted()),
    };
    anstream::println!("{}", database.url().secret().expose());
    anstream::eprintln!(
        "TimescaleDB {} answers. `lhctl migrate STACK --local` and `lhctl verify STACK --local` reach it; Ctrl-C ends it, and its data stays in {LOCAL}/database/.",
        database.extension
    );
    tokio::select! {
        () = database.ended() => {
            return Err(Failure::plain("The database server ended by itself.")
                .fix(format!("{LOCAL}/database/server.log says why.")));
        }
        _ = tokio::signal::ctrl_c() => {}
    }
    database.stop().await;
    anstream::eprintln!("Stopped.");
    Ok(Code::Done)
}
