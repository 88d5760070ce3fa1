//! `lhctl migrate`: run what is pending, show where the database stands, begin a new file.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Subcommand;
use lh::{
    Stack,
    db::{self, Force, Migrations, RunOptions},
};

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::{diagnostic, migrations as human},
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
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a new, empty migration
    New {
        /// What it does, as in add_regions
        name: String,
    },
}

#[derive(clap::Args)]
struct RunArgs {
    /// How long another run is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    lock_timeout: u64,
    /// Run an unfinished migration again
    #[arg(long, value_name = "VERSION")]
    retry: Vec<i64>,
    /// Note an unfinished migration as done
    #[arg(long, value_name = "VERSION", conflicts_with = "retry")]
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

impl RunArgs {
    fn options(&self) -> RunOptions {
        let force = Force {
            retry: self.retry.clone(),
            done: self.done.clone(),
            accept: self.accept.clone(),
            out_of_order: self.out_of_order,
            ignore_missing: self.ignore_missing,
        };
        RunOptions { lock_timeout: Duration::from_secs(self.lock_timeout), force }
    }
}

impl Migrate {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let stack = self.target.stack(global)?;
        if let Some(Verb::New { name }) = &self.verb {
            return self.begin(stack.as_ref(), name);
        }
        let migrations = lh::migrations(stack.as_ref(), self.migrations.as_deref())?;
        match &self.verb {
            None => self.apply(stack, &migrations, &RunOptions::default(), global).await,
            Some(Verb::Run(args)) => self.apply(stack, &migrations, &args.options(), global).await,
            Some(Verb::Status { json }) => self.status(stack, &migrations, *json, global).await,
            Some(Verb::New { .. }) => Ok(Code::Done),
        }
    }

    async fn apply(
        &self,
        stack: Option<Stack>,
        migrations: &Migrations,
        options: &RunOptions,
        global: &Global,
    ) -> Result<Code, Failure> {
        let database = self.target.find(stack, global).await?;
        anstream::eprintln!("Database {}, {}.", database.url().place(), human::place(migrations));
        let run = db::run(database.url(), migrations, options, &mut human::progress).await;
        let ran = run.map_err(|error| failure(error, migrations))?;
        let newest = migrations.all.last().map(|last| last.version);
        anstream::println!("{}", human::summary(ran.len(), newest));
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
                anstream::eprintln!("{}", diagnostic::render(findings, &migrations.sources()));
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
            anstream::println!("{:#}", human::json(&standing, &findings, database.url().place()));
        } else {
            anstream::println!("{}", human::table(&standing));
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
        let path = Migrations::create(&folder, name, human::stamp(now)).map_err(lh::Error::from)?;
        anstream::println!("Wrote {path}.");
        Ok(Code::Done)
    }
}

fn failure(error: db::DbError, migrations: &Migrations) -> Failure {
    Failure::from(lh::Error::from(error)).with_sources(&migrations.sources())
}
