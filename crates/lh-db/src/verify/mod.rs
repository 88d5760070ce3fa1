//! Verification: what must hold of a database that is in use, check by check, with evidence.
//!
//! A [`Check`] is a value: chapters about AWS (recovery points, alarms, shell access) make their
//! own and are joined to these in one [`Report`].

pub(crate) mod check;
mod policies;
mod schema;
mod server;

use serde::Serialize;
use sqlx::{Connection, PgConnection};

pub use self::check::{Check, Outcome, Problem, Verdict};
pub use self::policies::{COMPRESS_AFTER, RETENTION};
pub use self::schema::HYPERTABLES;
pub(crate) use self::server::milliseconds as server_milliseconds;
use crate::{DatabaseUrl, Migrations, bench, connect::connect};

/// Every check of this crate: its name, as `--skip` takes it, and its chapter.
pub const CHECKS: &[(&str, &str)] = &[
    ("connection", "connection"),
    ("encryption", "connection"),
    ("extension", "connection"),
    ("migrations", "objects"),
    ("tables", "objects"),
    ("hypertables", "objects"),
    ("continuous-aggregates", "objects"),
    ("indexes", "objects"),
    ("statements", "objects"),
    ("compression", "policies"),
    ("retention", "policies"),
    ("refresh", "policies"),
    ("benchmark", "benchmark"),
];

/// All checks, in the order of the chapters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// The report of a database that gives no session, with the reason and what to do; checks that
    /// are to be skipped are.
    pub fn without_session(skip: &[String], reason: impl Into<String>, fix: impl Into<String>) -> Self {
        let problem = Problem::failed(reason, fix);
        let one = |(name, chapter): &(&str, &str)| match *name {
            name if skip.iter().any(|skip| skip == name) => given_up(name, chapter),
            "connection" => Check::of(name, chapter, Err(problem.clone())),
            _ => Check::skipped(name, chapter, "There is no session to ask in"),
        };
        Self { checks: CHECKS.iter().map(one).collect() }
    }

    /// Whether everything that was not skipped holds.
    pub fn holds(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.outcome, Outcome::Failed { .. }))
    }

    /// How many passed, failed and were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |is: fn(&Outcome) -> bool| self.checks.iter().filter(|check| is(&check.outcome)).count();
        (
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Failed { .. })),
            count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
        )
    }
}

/// Whose tables the database is meant to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Those of the reference stack's migrations.
    Reference,
    /// Those of migrations that only their author knows.
    Own,
}

/// What to verify.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Names of checks to skip.
    pub skip: Vec<String>,
    /// Whether the benchmark is run.
    pub bench: bool,
}

/// Verifies the database at `url`. What cannot be checked is told as failed or skipped, so there
/// is always a report.
pub async fn verify(url: &DatabaseUrl, migrations: &Migrations, options: &VerifyOptions) -> Report {
    let mut session = match connect(url).await {
        Ok(session) => session,
        Err(error) => {
            let fix = error.advice().unwrap_or_default();
            return Report::without_session(&options.skip, error.to_string(), fix);
        }
    };
    let schema = if migrations.reference { Schema::Reference } else { Schema::Own };
    let mut checks = Vec::new();
    for (name, chapter) in CHECKS {
        if options.skip.iter().any(|skip| skip == name) {
            checks.push(given_up(name, chapter));
            continue;
        }
        let verdict = one(name, &mut session, url, migrations, schema, options.bench).await;
        checks.push(Check::of(name, chapter, verdict));
    }
    let _ = session.close().await;
    Report { checks }
}

async fn one(
    name: &str,
    session: &mut PgConnection,
    url: &DatabaseUrl,
    migrations: &Migrations,
    schema: Schema,
    bench: bool,
) -> Verdict {
    let of_reference = !matches!(
        name,
        "connection" | "encryption" | "extension" | "migrations" | "statements" | "benchmark"
    );
    if of_reference && schema == Schema::Own {
        let reason =
            "These are not the reference stack's migrations: what they should leave is not known here";
        return Err(Problem::Skipped(reason.to_owned()));
    }
    match name {
        "connection" => server::connection(session, url).await,
        "encryption" => server::encryption(session, url).await,
        "extension" => server::extension(session).await,
        "migrations" => schema::migrations(session, migrations).await,
        "tables" => schema::tables(session).await,
        "hypertables" => schema::hypertables(session).await,
        "continuous-aggregates" => schema::aggregates(session).await,
        "indexes" => schema::indexes(session).await,
        "compression" => policies::compression(session).await,
        "retention" => policies::retention(session).await,
        "refresh" => policies::refresh(session).await,
        "statements" => server::statements(session).await,
        _ if bench => bench::run(session).await,
        _ => Err(Problem::Skipped("Not asked for; --bench runs it".to_owned())),
    }
}

/// A check that the user wants to be left out.
fn given_up(name: &str, chapter: &str) -> Check {
    Check::skipped(name, chapter, format!("--skip {name}"))
}
