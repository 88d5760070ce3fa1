//! What needs the stack's instance.

use std::time::Duration;

use lh_db::local::LocalDatabase;
use lh_host::day2::{
    self, Backup, Backups, DiskReport, Drill, Logs, Origin, Restore, RestorePlan, Restored, Retained, Upgrade,
};
use lh_host::{Script, Tell, install};
use lh_model::Address;
use serde::Deserialize;

use super::{Progress, run::Runner, sql::Database};
use crate::{Deployment, Error};

/// Questions are answered in a minute or two; what moves data may take a night.
const ASKING: Duration = Duration::from_secs(300);
const MOVING: Duration = Duration::from_secs(12 * 3600);

/// The instance of a stack, and the database on it.
pub struct Host {
    runner: Runner,
    wanted: Option<lh_host::Host>,
    volume: Option<String>,
}

impl Deployment {
    /// The stack's instance, by whichever way leads there.
    ///
    /// # Errors
    /// As [`Deployment::shell`]; and when no database runs beside the simulated world.
    pub async fn host(&self) -> Result<Host, Error> {
        if let Some(folder) = self.local_folder() {
            LocalDatabase::beside(&folder)?.ok_or(Error::NoLocalDatabase)?;
        }
        let shell = self.shell().await?;
        let state = self.state().await?;
        let volume = state.resources.get(&Address::new("volume", "data")).map(|record| record.id.to_string());
        Ok(Host { runner: Runner { shell }, wanted: self.stack().host.clone(), volume })
    }
}

impl Deployment {
    /// Notes in AWS that the stack's host has the image that the stack file names, so that plans tell
    /// no difference; and, with `wholly`, all else that the file says of it, as after an upgrade.
    ///
    /// # Errors
    /// When the stack has no instance, or EC2 does not take the note.
    pub async fn note_host(&self, wholly: bool) -> Result<(), Error> {
        let state = self.state().await?;
        let instance = state.resources.get(&Address::new("instance", "main"));
        let (Some(instance), Some(host)) = (instance, &self.stack().host) else {
            return Err(Error::Host {
                reason: format!("The stack {} has no instance yet.", self.stack().name()),
                fix: "Apply it first.".to_owned(),
            });
        };
        let clients = self.cloud.clients(self.stack().region()).await?;
        let script = wholly.then(|| install::renew(host));
        let noted = lh_aws::note_host(&clients, &instance.id, &host.image, script.as_deref()).await;
        noted.map_err(|error| Error::Host {
            reason: format!(
                "The host is as the stack file says, but that could not be noted in AWS: {error}."
            ),
            fix: "Run the command again: it notes that and does nothing else.".to_owned(),
        })
    }
}

/// The answer of the scripts about retained databases.
#[derive(Deserialize)]
struct Listed {
    retained: Vec<Retained>,
}

/// Each operation is [`Error::Script`] when its script fails, with what it says; refused ones have
/// changed nothing, nor have those that are [`Error::Busy`].
impl Host {
    /// The database on this instance, by psql there.
    pub fn database(&self) -> Database {
        Database::on(self.runner.clone())
    }

    /// Dumps the database to the data volume, and to the bucket where the stack names one.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn backup(&self, progress: &mut Progress<'_>) -> Result<Backup, Error> {
        self.runner.answer("The backup failed", day2::backup(), MOVING, progress).await
    }

    /// All dumps. With `check`, those on the volume are read and their checksums compared.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn backups(&self, check: bool, progress: &mut Progress<'_>) -> Result<Backups, Error> {
        let deadline = if check { MOVING } else { ASKING };
        self.runner.answer("The backups cannot be listed", day2::backups(check), deadline, progress).await
    }

    /// What a restore would do; [`RestorePlan::misfits`] says why it would be refused.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn plan_restore(
        &self,
        restore: &Restore,
        progress: &mut Progress<'_>,
    ) -> Result<RestorePlan, Error> {
        let text = day2::restore(&Restore { run: false, ..restore.clone() });
        self.runner.answer("The restore cannot be planned", text, MOVING, progress).await
    }

    /// Restores a dump beside the database and swaps their names.
    ///
    /// # Errors
    /// As all operations here; the database is then as it was.
    pub async fn restore(&self, restore: &Restore, progress: &mut Progress<'_>) -> Result<Restored, Error> {
        let text = day2::restore(&Restore { run: true, ..restore.clone() });
        self.runner.answer("The restore failed", text, MOVING, progress).await
    }

    /// Restores the latest dump into a scratch database, compares it, and drops that.
    ///
    /// # Errors
    /// As all operations here; that it failed is noted on the volume all the same, and when one
    /// passed is kept. A run that was interrupted or found no dump notes nothing.
    pub async fn drill(&self, from: Option<Origin>, progress: &mut Progress<'_>) -> Result<Drill, Error> {
        self.runner.answer("The drill failed", day2::drill(from), MOVING, progress).await
    }

    /// The databases that restores of this stack replaced and kept.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn retained(&self, progress: &mut Progress<'_>) -> Result<Vec<Retained>, Error> {
        let title = "The kept databases cannot be listed";
        Ok(self.runner.answer::<Listed>(title, day2::retained(), ASKING, progress).await?.retained)
    }

    /// Drops those of `names` that a restore of this stack replaced.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn release_retained(&self, names: &[String], progress: &mut Progress<'_>) -> Result<(), Error> {
        let text = day2::release_retained(names);
        self.runner.answer::<Listed>("The kept databases were not dropped", text, MOVING, progress).await?;
        Ok(())
    }

    /// What it takes to bring the host to the image that the stack file names: the image is
    /// pulled and looked into, and nothing else is done.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn plan_upgrade(&self, progress: &mut Progress<'_>) -> Result<Upgrade, Error> {
        self.upgrade_with(false, "The upgrade cannot be planned", progress).await
    }

    /// Brings the host to the image that the stack file names. Dump the database before.
    ///
    /// # Errors
    /// As all operations here; the old image serves again, unless a catalog was updated already.
    pub async fn upgrade(&self, progress: &mut Progress<'_>) -> Result<Upgrade, Error> {
        self.upgrade_with(true, "The upgrade failed", progress).await
    }

    async fn upgrade_with(
        &self,
        run: bool,
        title: &str,
        progress: &mut Progress<'_>,
    ) -> Result<Upgrade, Error> {
        let (Some(wanted), Some(volume)) = (&self.wanted, &self.volume) else {
            let reason = "the stack's volume is not recorded".to_owned();
            return Err(Error::Script { title: title.to_owned(), reason, refused: true });
        };
        self.runner.answer(title, day2::upgrade(wanted, volume, run), MOVING, progress).await
    }

    /// What fills the data volume. With `grow`, its file system is made as large as the volume
    /// before.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn disk(&self, grow: bool, progress: &mut Progress<'_>) -> Result<DiskReport, Error> {
        self.runner.answer("The disk cannot be looked at", day2::disk(grow), ASKING, progress).await
    }

    /// The database's log, as it comes. Ends with the exit status.
    ///
    /// # Errors
    /// When there is none.
    pub async fn logs(&self, logs: &Logs, tell: &mut Tell<'_>) -> Result<i32, Error> {
        self.stream("The log", day2::logs(logs), tell).await
    }

    /// What psql writes for SQL that it reads from its standard input. Ends with its exit status.
    /// Run Command keeps the text: it is no place for a secret.
    ///
    /// # Errors
    /// When there is none.
    pub async fn psql(&self, text: &str, tell: &mut Tell<'_>) -> Result<i32, Error> {
        self.stream("psql", day2::psql(text, false), tell).await
    }

    async fn stream(&self, title: &str, text: String, tell: &mut Tell<'_>) -> Result<i32, Error> {
        let script = Script { title: title.to_owned(), text, deadline: MOVING };
        self.runner.shell.run(&script, tell).await.map_err(|error| self.runner.without_status(title, &error))
    }
}
