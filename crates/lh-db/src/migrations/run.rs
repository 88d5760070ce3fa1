//! Brings a database up to its migrations: under the lock, after everything that does not fit was
//! told and decided. How one file is run is in `apply.rs`.

use std::time::{Duration, Instant};

use lh_model::{Diagnostic, Severity};
use sqlx::{
    Connection, PgConnection,
    migrate::{Migrate, MigrateError},
};

use super::{
    Applied, Migrations, Standing, State, TABLE,
    apply::{alone, together},
    note::Table,
    standing,
};
use crate::{
    DatabaseUrl, DbError,
    connect::{connect, scalar},
    lock, sql,
};

/// What a user decided about single versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Force {
    /// Unfinished ones to run again.
    pub retry: Vec<i64>,
    /// Unfinished ones to note as done.
    pub done: Vec<i64>,
    /// Changed ones whose file is right as it is now.
    pub accept: Vec<i64>,
    /// Whether pending ones that are older than an applied one are run.
    pub out_of_order: bool,
    /// Whether applied ones without a file are passed over.
    pub ignore_missing: bool,
}

/// How to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// How long another runner is waited for.
    pub lock_timeout: Duration,
    /// Decisions about single versions.
    pub force: Force,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(60), force: Force::default() }
    }
}

/// What a run tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another runner holds the lock.
    Waiting {
        /// Who.
        holder: String,
        /// How long it is waited for.
        limit: Duration,
    },
    /// The changed file of a migration was noted as it is now.
    Accepted {
        /// Its version.
        version: i64,
        /// What it is about.
        description: String,
    },
    /// An unfinished migration was noted as done.
    Done {
        /// Its version.
        version: i64,
        /// What it is about.
        description: String,
    },
    /// A migration is being run.
    Began {
        /// Its version.
        version: i64,
        /// What it is about.
        description: String,
        /// Whether an earlier run had begun it.
        again: bool,
    },
    /// It was run.
    Finished {
        /// Its version.
        version: i64,
        /// How long it took.
        elapsed: Duration,
    },
}

type Tell<'t> = &'t mut (dyn FnMut(Progress) + Send);

/// Brings the database up to `migrations` and returns the versions that were run.
///
/// # Errors
/// [`DbError::Refused`] before anything is changed, when files and database do not fit or the
/// linter finds an error; [`DbError::Locked`]; [`DbError::Migration`] with the place of the
/// statement that failed.
pub async fn run(
    url: &DatabaseUrl,
    migrations: &Migrations,
    options: &RunOptions,
    tell: Tell<'_>,
) -> Result<Vec<i64>, DbError> {
    let mut session = connect(url).await?;
    end_with_client(&mut session).await;
    lock::acquire(&mut session, options.lock_timeout, tell).await?;
    let result = locked(&mut session, migrations, &options.force, tell).await;
    // Behind a shared session the lock would outlive this client. What failed first is told.
    let released = lock::release(&mut session).await;
    let ran = result?;
    released?;
    let _ = session.close().await;
    Ok(ran)
}

/// Lets the server end what it does for this session soon after the client is gone, however that
/// went: else a long statement would be finished for nobody, and the lock held until then.
/// Servers before 14, and some systems, cannot; there it is as it was.
/// <https://www.postgresql.org/docs/16/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL>
async fn end_with_client(session: &mut PgConnection) {
    let _ = sqlx::raw_sql("SET client_connection_check_interval = '1s'").execute(session).await;
}

async fn locked(
    session: &mut PgConnection,
    migrations: &Migrations,
    force: &Force,
    tell: Tell<'_>,
) -> Result<Vec<i64>, DbError> {
    let standing = standing::compare(migrations, &standing::noted(session).await?);
    let mut refusals = refusals(migrations, &standing, force);
    refusals.extend(of_others(session, migrations, &standing).await?);
    if !refusals.is_empty() {
        return Err(DbError::Refused(refusals));
    }
    make_table(session).await?;
    let table = Table::find(session).await?;
    decide(session, &table, migrations, &standing, force, tell).await?;
    let mut ran = Vec::new();
    for migration in &migrations.all {
        let state = standing.state(migration.version);
        let again = state == Some(State::Unfinished) && !force.done.contains(&migration.version);
        if !again && !matches!(state, Some(State::Pending | State::OutOfOrder)) {
            continue;
        }
        let (version, description) = (migration.version, migration.description.clone());
        tell(Progress::Began { version, description, again });
        let began = Instant::now();
        if migration.no_transaction {
            alone(session, &table, migration, again).await?;
        } else {
            if again {
                table.forget(session, version).await?;
            }
            together(session, &table, migration).await?;
        }
        tell(Progress::Finished { version, elapsed: began.elapsed() });
        ran.push(version);
    }
    Ok(ran)
}

/// A database that has tables, and none of the migrations that nobody named: it is another's.
async fn of_others(
    session: &mut PgConnection,
    migrations: &Migrations,
    standing: &Standing,
) -> Result<Option<Diagnostic>, DbError> {
    if !migrations.guessed || standing.rows.iter().any(|row| row.installed_on.is_some()) {
        return Ok(None);
    }
    // Not those of extensions: TimescaleDB has many, and PostGIS one beside the user's own.
    let table: Option<String> = scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND c.relname <> '_sqlx_migrations' AND n.nspname !~ '^(pg_|information_schema$|_timescaledb|timescaledb_)' \
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1 LIMIT 1",
    )
    .fetch_optional(session)
    .await
    .map_err(|error| DbError::sql("The tables of the database", &error))?;
    Ok(table.map(|table| {
        Diagnostic::error("E0868", "This database has tables of somebody else's, and no migrations were named")
            .because(format!("It has {table}, and nothing of the migrations {}, which would be run", migrations.place))
            .fix("Name the folder of its migrations with --migrations; or, if the reference stack's schema is to stand beside it, name the stack: `lhctl migrate stacks/dev.yaml run --database-url …`.")
    }))
}

/// Makes sqlx's table where it is not there: whoever may run migrations need not be allowed to make
/// tables.
async fn make_table(session: &mut PgConnection) -> Result<(), DbError> {
    if standing::has_table(session).await? {
        return Ok(());
    }
    let what = || format!("The table {TABLE}");
    session.ensure_migrations_table(TABLE).await.map_err(|error| match error {
        MigrateError::Execute(error) => DbError::sql(what(), &error),
        other => DbError::Sql { what: what(), reason: other.to_string() },
    })
}

/// What keeps a run from beginning: what does not fit and was not decided, and the linter's
/// errors in files that would be run.
fn refusals(migrations: &Migrations, standing: &Standing, force: &Force) -> Vec<Diagnostic> {
    let decided = |row: &Applied| match row.state {
        State::Applied | State::Pending => true,
        State::Changed => force.accept.contains(&row.version),
        State::Missing => force.ignore_missing,
        State::OutOfOrder => force.out_of_order,
        State::Unfinished => {
            let version = &row.version;
            force.retry.contains(version) || force.done.contains(version) || goes_on(migrations, *version)
        }
    };
    let unfit = standing.rows.iter().filter(|row| !decided(row));
    let mut found: Vec<Diagnostic> = unfit.filter_map(|row| row.finding.clone()).collect();
    // What would be run, for the first time or again.
    let runs = |version: i64| match standing.state(version) {
        Some(State::Pending | State::OutOfOrder) => true,
        Some(State::Unfinished) => !force.done.contains(&version),
        _ => false,
    };
    let files: Vec<&str> =
        migrations.all.iter().filter(|one| runs(one.version)).map(|one| one.file.as_str()).collect();
    let in_pending = |finding: &Diagnostic| {
        finding.severity == Severity::Error
            && finding.origin.as_ref().is_some_and(|origin| files.contains(&origin.file.as_str()))
    };
    found.extend(sql::lint(&migrations.all).into_iter().filter(in_pending));
    found
}

/// Whether an unfinished migration can be run again without asking anybody.
fn goes_on(migrations: &Migrations, version: i64) -> bool {
    let Some(migration) = migrations.all.iter().find(|one| one.version == version) else { return false };
    let (found, _) = sql::statements(&migration.sql);
    migration.no_transaction && found.len() == 1 && found.iter().all(sql::is_repeatable)
}

/// Notes what the user decided, and tells each.
async fn decide(
    session: &mut PgConnection,
    table: &Table,
    migrations: &Migrations,
    standing: &Standing,
    force: &Force,
    tell: Tell<'_>,
) -> Result<(), DbError> {
    let is = |version: i64, state: State| standing.state(version) == Some(state);
    for migration in &migrations.all {
        let version = migration.version;
        let done = force.done.contains(&version) && is(version, State::Unfinished);
        let accepted = force.accept.contains(&version) && is(version, State::Changed);
        if !done && !accepted {
            continue;
        }
        table.note_done(session, migration, Duration::ZERO).await?;
        let description = migration.description.clone();
        tell(if done {
            Progress::Done { version, description }
        } else {
            Progress::Accepted { version, description }
        });
    }
    Ok(())
}
