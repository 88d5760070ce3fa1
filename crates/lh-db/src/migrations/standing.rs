//! Where a database stands: which migrations it has, which it lacks, and what does not fit.

use std::collections::BTreeMap;

use lh_model::{Diagnostic, Origin};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{Migration, Migrations, TABLE, files::checksum};
use crate::connect::{query, scalar};
use crate::{DatabaseUrl, DbError, connect::connect};

/// How one migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was run.
    Applied,
    /// It will be run next.
    Pending,
    /// It was run, and its file is another now.
    Changed,
    /// It was run, and there is no file of it.
    Missing,
    /// It was not run, and a newer one was.
    OutOfOrder,
    /// It was begun outside a transaction, and its end is not known.
    Unfinished,
}

/// One migration of the files, of the database, or of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Its version.
    pub version: i64,
    /// What it is about.
    pub description: String,
    /// Its file; none if it is missing.
    pub file: Option<String>,
    /// How it stands.
    pub state: State,
    /// When it was run, by the server's clock.
    pub installed_on: Option<String>,
    /// What does not fit.
    pub finding: Option<Diagnostic>,
}

/// Where a database stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Every migration, by version.
    pub rows: Vec<Applied>,
}

impl Standing {
    /// What does not fit, by version.
    pub fn findings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.rows.iter().filter_map(|row| row.finding.as_ref())
    }

    /// How the migration `version` stands.
    pub fn state(&self, version: i64) -> Option<State> {
        self.rows.iter().find(|row| row.version == version).map(|row| row.state)
    }

    /// How many were run, have no file, and are passed over, because others share the database.
    pub fn passed_over(&self) -> usize {
        let over = |row: &&Applied| row.state == State::Missing && row.finding.is_none();
        self.rows.iter().filter(over).count()
    }

    /// Those that a run would apply, in order.
    pub fn pending(&self) -> impl Iterator<Item = i64> + '_ {
        let waits = |row: &&Applied| matches!(row.state, State::Pending | State::OutOfOrder);
        self.rows.iter().filter(waits).map(|row| row.version)
    }
}

/// A row of sqlx's table.
pub(super) struct Noted {
    pub description: String,
    pub success: bool,
    pub checksum: Vec<u8>,
    pub installed_on: String,
}

/// Compares the database with `migrations`. Changes nothing.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn status(url: &DatabaseUrl, migrations: &Migrations) -> Result<Standing, DbError> {
    let mut session = connect(url).await?;
    let standing = standing_in(&mut session, migrations).await;
    let _ = session.close().await;
    standing
}

/// The same, in a session that is there already.
pub(crate) async fn standing_in(
    session: &mut PgConnection,
    migrations: &Migrations,
) -> Result<Standing, DbError> {
    Ok(compare(migrations, &noted(session).await?))
}

/// Whether sqlx's table is there.
pub(super) async fn has_table(session: &mut PgConnection) -> Result<bool, DbError> {
    let asking = scalar("SELECT to_regclass($1) IS NOT NULL").bind(TABLE).fetch_one(session);
    asking.await.map_err(|error| DbError::sql(format!("The table {TABLE}"), &error))
}

/// What the database remembers, by version; nothing where the table does not exist yet.
pub(super) async fn noted(session: &mut PgConnection) -> Result<BTreeMap<i64, Noted>, DbError> {
    let failed = |error: sqlx::Error| DbError::sql(format!("The table {TABLE}"), &error);
    if !has_table(session).await? {
        return Ok(BTreeMap::new());
    }
    let rows = query(AssertSqlSafe(format!(
        "SELECT version, description, success, checksum, \
                to_char(installed_on AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS installed_on FROM {TABLE}"
    )))
    .fetch_all(session)
    .await
    .map_err(failed)?;
    let read = |row: &sqlx::postgres::PgRow| -> Result<(i64, Noted), sqlx::Error> {
        Ok((
            row.try_get("version")?,
            Noted {
                description: row.try_get("description")?,
                success: row.try_get("success")?,
                checksum: row.try_get("checksum")?,
                installed_on: row.try_get("installed_on")?,
            },
        ))
    };
    rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
}

/// Compares files with what the database remembers.
pub(super) fn compare(migrations: &Migrations, noted: &BTreeMap<i64, Noted>) -> Standing {
    // What others run in a database that is shared is in no order with these.
    let counts = |version: &&i64| !migrations.shared || rows_has(&migrations.all, **version);
    let newest = noted.keys().rfind(counts).copied();
    let mut rows = BTreeMap::new();
    for migration in &migrations.all {
        let had = noted.get(&migration.version);
        let state = match had {
            None if newest.is_some_and(|newest| newest > migration.version) => State::OutOfOrder,
            None => State::Pending,
            Some(had) if !had.success => State::Unfinished,
            Some(had) if had.checksum != migration.checksum => State::Changed,
            Some(_) => State::Applied,
        };
        let row = Applied {
            version: migration.version,
            description: migration.description.clone(),
            file: Some(migration.file.clone()),
            state,
            installed_on: had.map(|had| had.installed_on.clone()),
            finding: finding(migration, state, had, newest),
        };
        rows.insert(migration.version, row);
    }
    for (version, had) in noted.iter().filter(|(version, _)| !rows_has(&migrations.all, **version)) {
        let row = Applied {
            version: *version,
            description: had.description.clone(),
            file: None,
            state: State::Missing,
            installed_on: Some(had.installed_on.clone()),
            finding: (!migrations.shared).then(|| missing(*version, had, &migrations.place)),
        };
        rows.insert(*version, row);
    }
    Standing { rows: rows.into_values().collect() }
}

fn rows_has(all: &[Migration], version: i64) -> bool {
    all.iter().any(|one| one.version == version)
}

fn finding(
    migration: &Migration,
    state: State,
    had: Option<&Noted>,
    newest: Option<i64>,
) -> Option<Diagnostic> {
    let version = migration.version;
    let origin = migration.origin(0..migration.sql.find('\n').unwrap_or(migration.sql.len()));
    Some(match state {
        State::Applied | State::Pending => return None,
        State::Changed => changed(migration, had?).at(origin),
        State::OutOfOrder => Diagnostic::error("E0873", format!("The migration {version} was not run, and a newer one was"))
            .at(origin)
            .because(format!("The database has {} already; what comes later in order may count on what came before", newest.unwrap_or_default()))
            .fix("Give the file a newer number; or, if it does not matter to the newer ones, run it with `lhctl migrate STACK run --out-of-order`."),
        State::Unfinished => Diagnostic::error("E0874", format!("The migration {version} was begun and its end is not known"))
            .at(origin)
            .because("It runs outside a transaction, and the run that began it ended before it could note the outcome")
            .fix(format!("See in the database whether the statement took effect. Then `lhctl migrate STACK run --retry {version}` runs it again, and `lhctl migrate STACK run --done {version}` notes it as done.")),
        State::Missing => return None,
    })
}

fn changed(migration: &Migration, had: &Noted) -> Diagnostic {
    let version = migration.version;
    let other = |sql: String| checksum(&sql) == had.checksum;
    let unix = migration.sql.replace("\r\n", "\n");
    let finding = Diagnostic::error(
        "E0871",
        format!("The migration {version} was run, and its file is another one now"),
    );
    if other(unix.replace('\n', "\r\n")) || other(unix) {
        return finding
            .because("Only the ends of the lines differ (CRLF and LF), as version control on another system makes them")
            .fix("Put `*.sql -text` into .gitattributes and check the file out again.");
    }
    finding
        .because(format!("It was run on {} with another text than the file has now, so that the file does not say what the database has", had.installed_on))
        .fix(format!("Bring the file back as it was, and write the change as a new migration. If only a comment changed, `lhctl migrate STACK run --accept {version}` notes the file as it is now."))
}

fn missing(version: i64, had: &Noted, place: &str) -> Diagnostic {
    let what = &had.description;
    Diagnostic::error("E0872", format!("The migration {version} ({what}) was run, and there is no file of it"))
        .at(Origin { file: format!("{version}_{}.sql", what.replace(' ', "_")), line: 1, column: 1, length: 1 })
        .because(format!(
            "It is not among the migrations {place}: they are older than the database, or another program's"
        ))
        .fix("Update the files, or name the right folder with --migrations; if other files are meant to share this database, `lhctl migrate STACK run --ignore-missing` passes over it, and so do `lhctl migrate STACK status --ignore-missing` and `lhctl verify STACK --ignore-missing`.")
}
