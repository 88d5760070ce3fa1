//! `lhctl migrate`: run what is pending, show where the database stands, begin a new file.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Subcommand;
use lh::{
    Stack,
    db::{self, DbError, Force, Migrations, RunOptions},
};

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::{
        diagnostic,
        migrations::{self as human, Seen},
    },
};

/// Arguments of `migrate`.
#[derive(clap::Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    target: Target,
    /// The folder of migrations; else migrations/ beside stacks/, else those inside lhctl
    #[arg(long, global = true, value_name = "DIR")]
    migrations: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Run what is pending (this is what happens without a verb)
    Run(RunArgs),
    /// Show what was run, what is pending, and what does not fit
    Status(StatusArgs),
    /// Write a new, empty migration
    New {
        /// What it does, as in add_regions
        name: String,
    },
}

#[derive(clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    late: Late,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Pass over applied migrations that have no file
    #[arg(long)]
    ignore_missing: bool,
}

#[derive(clap::Args)]
struct RunArgs {
    #[command(flatten)]
    late: Late,
    /// How long another run is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    lock_timeout: u64,
    /// Run an unfinished migration again
    #[arg(long, value_name = "VERSION")]
    retry: Vec<i64>,
    /// Note an unfinished migration as done
    #[arg(long, value_name = "VERSION")]
    done: Vec<i64>,
    /// Note the file of a migration as it is now
    #[arg(long, value_name = "VERSION")]
    accept: Vec<i64>,
    /// Run pending migrations that are older than applied ones
    #[arg(long)]
    out_of_order: bool,
    /// Pass over applied migrations that have no file
    #[arg(long)]
    ignore_missing: bool,
}

/// The stack file behind the verb, where other commands have it.
#[derive(clap::Args)]
struct Late {
    #[arg(value_name = "STACK", hide = true)]
    stack: Option<PathBuf>,
}

impl RunArgs {
    fn options(&self) -> Result<RunOptions, Failure> {
        if let Some(version) = self.retry.iter().find(|version| self.done.contains(version)) {
            return Err(Failure::plain(format!(
                "--retry {version} and --done {version} contradict each other."
            ))
            .fix("Give one of them for each migration."));
        }
        let force = Force {
            retry: self.retry.clone(),
            done: self.done.clone(),
            accept: self.accept.clone(),
            out_of_order: self.out_of_order,
            ignore_missing: self.ignore_missing,
        };
        Ok(RunOptions { lock_timeout: Duration::from_secs(self.lock_timeout), force })
    }
}

impl Migrate {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let stack = self.target()?.stack(global)?;
        if let Some(Verb::New { name }) = &self.verb {
            return self.begin(stack.as_ref(), name);
        }
        let migrations = lh::migrations(stack.as_ref(), self.migrations.as_deref());
        let options = match &self.verb {
            Some(Verb::Status(args)) => {
                let undone = "The migrations cannot be compared with the database";
                let migrations = migrations.map_err(|error| unread(error, undone))?;
                let migrations = Migrations { shared: args.ignore_missing, ..migrations };
                return self.status(stack, &migrations, args.json, global).await;
            }
            Some(Verb::Run(args)) => args.options()?,
            _ => RunOptions::default(),
        };
        let (migrations, mut seen) = (migrations?, Seen::of(&options.force));
        // Dropped, a run ends its session: the server undoes what was not committed.
        tokio::select! {
            ended = self.apply(stack, &migrations, &options, &mut seen, global) => ended,
            Ok(()) = tokio::signal::ctrl_c() => Err(interrupted(&seen, &migrations)),
        }
    }

    /// What to work on; the stack file may stand before the verb or behind it.
    fn target(&self) -> Result<Target, Failure> {
        let late = match &self.verb {
            Some(Verb::Run(RunArgs { late, .. }) | Verb::Status(StatusArgs { late, .. })) => {
                late.stack.clone()
            }
            Some(Verb::New { .. }) | None => None,
        };
        match (&self.target.stack, late) {
            (Some(early), Some(late)) => Err(Failure::plain(format!(
                "Two stack files were named: {} and {}.",
                early.display(),
                late.display()
            ))
            .fix("Name one.")),
            (None, Some(late)) => Ok(Target { stack: Some(late), ..self.target.clone() }),
            (_, None) => Ok(self.target.clone()),
        }
    }

    async fn apply(
        &self,
        stack: Option<Stack>,
        migrations: &Migrations,
        options: &RunOptions,
        seen: &mut Seen,
        global: &Global,
    ) -> Result<Code, Failure> {
        let database = self.target.find(stack, global).await?;
        crate::say::errln!("Database {}, {}.", database.url().place(), human::place(migrations));
        let mut tell = |progress| seen.tell(progress);
        let run = db::run(database.url(), migrations, options, &mut tell).await;
        run.map_err(|error| failure(error, migrations))?;
        for idle in seen.idle() {
            crate::say::errln!("{idle}");
        }
        crate::say::outln!("{}", seen.summary(migrations.all.last().map(|last| last.version)));
        Ok(Code::Done)
    }

    async fn status(
        &self,
        stack: Option<Stack>,
        migrations: &Migrations,
        json: bool,
        global: &Global,
    ) -> Result<Code, Failure> {
        let lint = db::sql::lint(&migrations.all);
        let told = |findings: &[lh::Diagnostic]| {
            if !findings.is_empty() {
                crate::say::errln!("{}", diagnostic::render(findings, &migrations.sources()));
            }
        };
        let standing = match self.target.find(stack, global).await {
            Ok(database) => db::status(database.url(), migrations)
                .await
                .map(|standing| (database, standing))
                .map_err(|error| failure(error, migrations)),
            Err(failure) => Err(failure),
        };
        // The linter needs no database: what it found is told whether there is one or not.
        let (database, standing) = standing.inspect_err(|_| told(&lint))?;
        let pending: Vec<&str> = standing
            .rows
            .iter()
            .filter(|row| row.state != db::State::Applied)
            .filter_map(|row| row.file.as_deref())
            .collect();
        let in_pending = |finding: &lh::Diagnostic| {
            finding.origin.as_ref().is_some_and(|origin| pending.contains(&origin.file.as_str()))
        };
        let mut findings: Vec<lh::Diagnostic> = standing.findings().cloned().collect();
        findings.extend(lint.into_iter().filter(in_pending));
        if json {
            crate::say::outln!("{:#}", human::json(&standing, &findings, database.url().place()));
        } else {
            crate::say::outln!("{}", human::table(&standing));
            told(&findings);
        }
        let wrong = findings.iter().any(|finding| finding.severity == lh::Severity::Error);
        Ok(if wrong { Code::Error } else { Code::Done })
    }

    fn begin(&self, stack: Option<&Stack>, name: &str) -> Result<Code, Failure> {
        let folder = match (&self.migrations, stack) {
            (Some(folder), _) => folder.clone(),
            (None, Some(stack)) => stack.migrations_folder(),
            (None, None) => PathBuf::from("migrations"),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = Migrations::create(&folder, name, human::stamp(now))
            .map_err(|error| unread(error.into(), "No migration was written"))?;
        crate::say::outln!("Wrote {path}.");
        Ok(Code::Done)
    }
}

/// Files that are wrong, where none was to be run: `undone` says what did not come about.
pub(super) fn unread(error: lh::Error, undone: &str) -> Failure {
    match error {
        lh::Error::Database(DbError::Refused(findings)) => {
            let message = format!("{undone}: {}.", human::counted(findings.len(), "finding"));
            Failure::findings(Code::Error, message, findings, lh::Sources::new())
        }
        other => other.into(),
    }
}

/// What is known of a run that ended by Ctrl-C.
fn interrupted(seen: &Seen, migrations: &Migrations) -> Failure {
    let is_outside = |version: i64| {
        migrations.all.iter().any(|migration| migration.version == version && migration.no_transaction)
    };
    let (message, fix) = seen.interrupted(is_outside);
    Failure::plain(message).code(Code::Interrupted).fix(fix)
}

fn failure(error: DbError, migrations: &Migrations) -> Failure {
    Failure::from(lh::Error::from(error)).with_sources(&migrations.sources())
}
