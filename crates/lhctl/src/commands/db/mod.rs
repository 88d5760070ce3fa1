//! `lhctl db`: day 2 of a stack's database, a verb a file.

mod backup;
mod backups;
mod compress;
mod disk;
mod drill;
mod logs;
mod psql;
mod restore;
mod retention;
mod slow_queries;
mod upgrade;

use std::path::Path;

use clap::Subcommand;
use lh::{Plaintext, day2, db::DatabaseUrl};

use crate::{
    args::Global,
    commands::ssh,
    context::{self, Target, Work},
    failure::{Code, Failure},
};

/// Arguments of `db`.
#[derive(clap::Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Dump the database to its volume, and to the bucket where the stack names one
    Backup(backup::Backup),
    /// List the dumps: size, age, versions, checksum, where they are
    Backups(backups::Backups),
    /// Restore a dump beside the database, compare it, and swap their names
    Restore(restore::Restore),
    /// Restore the latest dump into a scratch database, compare it, and note the result
    Drill(drill::Drill),
    /// Bring the host to the image that the stack file names, and the extension with it
    Upgrade(upgrade::Upgrade),
    /// Show the log of the database
    Logs(logs::Logs),
    /// Run SQL: given, from a file, or at a terminal
    Psql(psql::Psql),
    /// Show the statements that took most time
    SlowQueries(slow_queries::SlowQueries),
    /// Compress the chunks that are older than their policy's age
    Compress(compress::Compress),
    /// Show the retention policies and what goes next, or set their age
    Retention(retention::Retention),
    /// Show what fills the data volume, and let its file system grow
    Disk(disk::Disk),
}

impl Db {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        match &self.verb {
            Verb::Backup(verb) => verb.run(global).await,
            Verb::Backups(verb) => verb.run(global).await,
            Verb::Restore(verb) => verb.run(global).await,
            Verb::Drill(verb) => verb.run(global).await,
            Verb::Upgrade(verb) => verb.run(global).await,
            Verb::Logs(verb) => verb.run(global).await,
            Verb::Psql(verb) => verb.run(global).await,
            Verb::SlowQueries(verb) => verb.run(global).await,
            Verb::Compress(verb) => verb.run(global).await,
            Verb::Retention(verb) => verb.run(global).await,
            Verb::Disk(verb) => verb.run(global).await,
        }
    }
}

/// The stack's instance. The first Ctrl-C ends what runs there.
async fn host(stack: &Path, global: &Global) -> Result<(Work, day2::Host), Failure> {
    let work = context::open(stack, global)?;
    let host = context::watched(&work.progress, work.deployment.host()).await;
    work.progress.clear();
    let host = host?;
    ssh::watch_interrupts(work.deployment.stop());
    Ok((work, host))
}

/// The database by its URL if there is one, else on the stack's instance.
async fn database(target: &Target, global: &Global) -> Result<day2::Database, Failure> {
    if let Some(text) = target.url() {
        let url = DatabaseUrl::new(Plaintext::new(text)).map_err(lh::Error::from)?;
        return Ok(day2::Database::at(url));
    }
    let Some(stack) = &target.stack else { return Err(context::no_database()) };
    Ok(host(stack, global).await?.1.database())
}

/// Tells a line of progress.
fn say(line: &str) {
    crate::say::errln!("{line}");
}

/// Whether to go on: without a terminal only with --auto-approve.
fn approved(auto: bool, command: &str, question: &str) -> Result<(), Failure> {
    if auto {
        return Ok(());
    }
    if !context::can_ask() {
        return Err(context::not_approved(command));
    }
    if context::ask(question, "yes") {
        return Ok(());
    }
    Err(context::not_done())
}
