//! A stack's database: where it is, and which migrations are its own.

use std::path::{Path, PathBuf};

use lh_db::{DatabaseUrl, DbError, Migrations, local::LocalDatabase};

use crate::{Deployment, Error, Stack, Tunnel};

/// The stack whose schema is inside lhctl, by name.
const REFERENCE: &str = "lighthouse";

/// A database that sessions of this machine can reach.
pub struct Reached {
    /// Where and how.
    pub url: DatabaseUrl,
    /// What leads there, where it cannot be reached directly; to be kept as long as the database is
    /// used.
    pub tunnel: Option<Tunnel>,
}

impl Deployment {
    /// The stack's database for sessions of this machine: directly, else through a port that SSH or
    /// Session Manager opens.
    ///
    /// # Errors
    /// As [`Deployment::database_url`]; and [`Error::Host`] when no way leads there, with what was
    /// tried.
    pub async fn reach_database(&self) -> Result<Reached, Error> {
        let url = self.database_url().await?;
        if url.is_loopback() {
            return Ok(Reached { url, tunnel: None });
        }
        let problem = match lh_db::probe(&url).await? {
            Err(problem) if problem.is_remote() => problem,
            // It is reached; what else is wrong with it is told by whoever uses it.
            _ => return Ok(Reached { url, tunnel: None }),
        };
        match self.tunnel(&self.place().await?, &url).await {
            // What its server has against a session is told by whoever has one.
            Ok(through) => Ok(Reached { url: through.url, tunnel: Some(through.tunnel) }),
            Err(reasons) => Err(Error::Host {
                reason: format!(
                    "The database {} cannot be reached from this machine: {problem}. {}",
                    url.place(),
                    reasons.join(" ")
                ),
                fix: "Mend one of the ways, or run the command where the database can be reached; `lhctl doctor STACK` checks what they need.".to_owned(),
            }),
        }
    }

    /// Where the stack's database is and how to log in, from its outputs. In the simulated world
    /// it is the one that `lhctl local database` runs, once the stack was applied.
    ///
    /// # Errors
    /// When the stack has no such output yet, its secret cannot be read, or no database runs
    /// beside the simulated world.
    pub async fn database_url(&self) -> Result<DatabaseUrl, Error> {
        let url = DatabaseUrl::new(self.output("database_connection_string").await?)?;
        match self.local_folder() {
            None => Ok(url),
            Some(folder) => LocalDatabase::beside_as(&folder, url.database())?.ok_or(Error::NoLocalDatabase),
        }
    }
}

impl Stack {
    /// The folder `migrations/` that belongs to the stack file: beside the folder `stacks/`, or
    /// beside the file where that has another place.
    pub fn migrations_folder(&self) -> PathBuf {
        let folder = Path::new(self.file()).parent().unwrap_or(Path::new(""));
        let top = match folder.file_name() {
            Some(name) if name == "stacks" => folder.parent().unwrap_or(Path::new("")),
            _ => folder,
        };
        top.join("migrations")
    }
}

/// The migrations to run: those of `folder`; else of the stack's own folder, or of `migrations/`
/// here without a stack; else the ones inside lhctl, which are the reference stack's.
///
/// # Errors
/// When a folder cannot be read, or `stack` is another one and has none.
pub fn migrations(stack: Option<&Stack>, folder: Option<&Path>) -> Result<Migrations, Error> {
    let read = |folder: &Path| {
        let read = Migrations::folder(folder)?;
        match read.all.is_empty() {
            true => Err(DbError::File {
                path: folder.display().to_string(),
                reason: "the folder holds no migration; `lhctl migrate STACK new NAME` writes one".to_owned(),
            }),
            false => Ok(read),
        }
    };
    if let Some(folder) = folder {
        return Ok(read(folder)?);
    }
    let own = stack.map_or_else(|| PathBuf::from("migrations"), Stack::migrations_folder);
    if own.is_dir() {
        return Ok(read(&own)?);
    }
    let is_reference =
        |stack: &Stack| stack.name().strip_prefix(REFERENCE).is_some_and(|rest| rest.starts_with('-'));
    match stack {
        Some(stack) if is_reference(stack) => return Ok(Migrations::embedded()),
        // Nobody said that they are meant.
        None => return Ok(Migrations { guessed: true, ..Migrations::embedded() }),
        Some(_) => {}
    }
    let reason =
        "there is no such folder, and the migrations inside lhctl are those of the stack `lighthouse`";
    Err(DbError::File { path: own.display().to_string(), reason: reason.to_owned() }.into())
}
