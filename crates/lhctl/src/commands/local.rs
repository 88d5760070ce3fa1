//! `lhctl local`: the simulated AWS in `.lhctl/local/`, and the database beside it.

use std::path::Path;

use clap::Subcommand;
use lh::{
    LocalWorld,
    db::{DatabaseUrl, DbError, local::LocalDatabase},
};

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
    /// Forget the simulated AWS, the states of all stacks in it, and the database beside it
    Reset,
    /// Run a TimescaleDB for the simulated instance until Ctrl-C; needs Node.js
    Database(Database),
}

/// Arguments of `local database`.
#[derive(clap::Args)]
struct Database {
    /// The port on 127.0.0.1; without it, one that is free
    #[arg(long)]
    port: Option<u16>,
    /// Leave it running in the background, until --stop
    #[arg(long)]
    detach: bool,
    /// End the one that runs
    #[arg(long, conflicts_with_all = ["port", "detach"])]
    stop: bool,
}

impl Local {
    pub async fn run(&self) -> Result<Code, Failure> {
        let world = LocalWorld::new(LOCAL);
        match &self.verb {
            Verb::Show if !world.exists() => {
                crate::say::errln!(
                    "There is no simulated AWS here yet; any command with --local begins one."
                );
            }
            Verb::Show => {
                for row in world.show()? {
                    crate::say::outln!("{:<18} {:<24} {}", row.kind, row.id, row.detail);
                }
            }
            Verb::Reset => {
                LocalDatabase::stop_beside(Path::new(LOCAL)).await.map_err(lh::Error::from)?;
                world.reset()?;
                crate::say::outln!("The simulated AWS in {LOCAL}/ is forgotten, and with it its databases.");
            }
            Verb::Database(database) => return database.run().await,
        }
        Ok(Code::Done)
    }
}

impl Database {
    async fn run(&self) -> Result<Code, Failure> {
        if self.stop {
            let stopped = LocalDatabase::stop_beside(Path::new(LOCAL)).await.map_err(lh::Error::from)?;
            crate::say::errln!("{}", if stopped { "Stopped." } else { "No database runs here." });
            return Ok(Code::Done);
        }
        let interrupted =
            || Failure::plain("Interrupted before the database was ready.").code(Code::Interrupted);
        let started = tokio::select! {
            started = self.start() => started.map_err(lh::Error::from)?,
            _ = tokio::signal::ctrl_c() => return Err(interrupted()),
        };
        match started {
            Some(database) => serve(database).await,
            None => Ok(Code::Done),
        }
    }

    /// Starts it and tells where it is; none where it was left in the background.
    async fn start(&self) -> Result<Option<LocalDatabase>, DbError> {
        let mut tell = |text: &str| crate::say::errln!("{text}");
        let folder = Path::new(LOCAL);
        if self.detach {
            let (url, extension) = LocalDatabase::detach(folder, self.port, &mut tell).await?;
            announce(&url, &extension, "`lhctl local database --stop`");
            return Ok(None);
        }
        let database = LocalDatabase::start(folder, self.port, &mut tell).await?;
        announce(database.url(), &database.extension, "Ctrl-C");
        Ok(Some(database))
    }
}

/// Its URL, which holds no secret, goes to standard output.
fn announce(url: &DatabaseUrl, extension: &str, end: &str) {
    crate::say::outln!("{}", url.secret().expose());
    crate::say::errln!(
        "TimescaleDB {extension} answers. Commands on an applied stack with --local reach it, as `lhctl migrate STACK --local`; {end} ends it, and its data stay in {LOCAL}/database/."
    );
}

/// Waits for Ctrl-C.
async fn serve(mut database: LocalDatabase) -> Result<Code, Failure> {
    tokio::select! {
        () = database.ended() => {
            return Err(Failure::plain("The database server ended by itself.")
                .fix(format!("{LOCAL}/database/server.log says why.")));
        }
        _ = tokio::signal::ctrl_c() => {}
    }
    database.stop().await;
    crate::say::errln!("Stopped.");
    Ok(Code::Done)
}
