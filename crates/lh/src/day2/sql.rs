//! What SQL alone reaches: by psql on the instance, or by a connection from here.

use std::time::Duration;

use lh_db::DatabaseUrl;
use lh_host::day2::{self, ChunkToCompress, Compressed, Retention, SlowQueries, queries};

use super::{
    Progress,
    run::{Runner, read},
};
use crate::Error;

/// Compressing a chunk rewrites it.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// A database, and the way to it.
pub struct Database {
    way: Way,
}

enum Way {
    Host(Runner),
    Url(DatabaseUrl),
}

/// An age such as `90d`: a number of hours, days, weeks, months or years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age(String);

impl std::str::FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no age; write a number and a unit, as in 90d, 12w, 6mo or `90 days`");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let unit = match unit.trim_start() {
            "h" | "hour" | "hours" => "hours",
            "d" | "day" | "days" => "days",
            "w" | "week" | "weeks" => "weeks",
            "mo" | "month" | "months" => "months",
            "y" | "year" | "years" => "years",
            _ => return Err(wrong()),
        };
        if number == 0 {
            return Err(format!("`{text}` would drop everything"));
        }
        Ok(Self(format!("{number} {unit}")))
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Each operation is an error when the database refuses, in its words.
impl Database {
    /// The database at `url`.
    pub fn at(url: DatabaseUrl) -> Self {
        Self { way: Way::Url(url) }
    }

    pub(super) fn on(runner: Runner) -> Self {
        Self { way: Way::Host(runner) }
    }

    /// Runs statements, each in a transaction of its own, and gives the lines of their answers.
    async fn ask(&self, title: &str, statements: &[String]) -> Result<Vec<String>, Error> {
        match &self.way {
            Way::Url(url) => Ok(lh_db::ask(url, title, statements).await?),
            Way::Host(runner) => {
                let text = day2::psql(&statements.join("\n"), true);
                // What psql says on its standard error is its reason when it fails.
                let mut said = Vec::new();
                let out = runner.output(title, text, PATIENCE, &mut |line| said.push(line.to_owned())).await;
                match out {
                    Err(Error::Script { title, .. }) if !said.is_empty() => {
                        Err(Error::Script { title, reason: said.join(" "), refused: false })
                    }
                    out => Ok(out?.lines().map(str::to_owned).collect()),
                }
            }
        }
    }

    async fn one<T: serde::de::DeserializeOwned>(&self, title: &str, statement: String) -> Result<T, Error> {
        let lines = self.ask(title, &[statement]).await?;
        read(title, lines.last().map(String::as_str).unwrap_or_default())
    }

    /// The `top` statements that took most time.
    ///
    /// # Errors
    /// As all operations here; `pg_stat_statements` must be there.
    pub async fn slow_queries(&self, top: u32) -> Result<SlowQueries, Error> {
        let title = "The statements cannot be read";
        if !self.one::<bool>(title, queries::has_statements()).await? {
            let reason = "the database has no extension pg_stat_statements in its search path. The stack's container loads it and makes it; the engine of `lhctl local database` has none; another server needs it in `shared_preload_libraries`, and then `CREATE EXTENSION pg_stat_statements` in this database";
            return Err(Error::Script { title: title.to_owned(), reason: reason.to_owned(), refused: false });
        }
        self.one(title, queries::slow_queries(top)).await
    }

    /// The chunks that their policies should have compressed by now.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn compressible(&self) -> Result<Vec<ChunkToCompress>, Error> {
        self.one("The chunks cannot be listed", queries::compressible()).await
    }

    /// Compresses `chunks`, one after another, each for itself.
    ///
    /// # Errors
    /// As all operations here; chunks before the one that failed stay compressed.
    pub async fn compress(
        &self,
        chunks: &[ChunkToCompress],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Compressed>, Error> {
        let title = "The chunks cannot be compressed";
        let mut done = Vec::new();
        for chunk in chunks {
            progress(&format!("compressing {} of {}", chunk.name, chunk.hypertable));
            let statements = queries::compress(&chunk.schema, &chunk.name, &chunk.hypertable);
            let lines = self.ask(title, &statements).await?;
            done.push(read(title, lines.last().map(String::as_str).unwrap_or_default())?);
        }
        Ok(done)
    }

    /// Every retention policy and what goes when it runs next; with `after`, as if that were its
    /// age.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn retention(&self, after: Option<&Age>) -> Result<Vec<Retention>, Error> {
        let text = queries::retention(after.map(|age| age.0.as_str()));
        self.one("The retention policies cannot be read", text).await
    }

    /// Sets the age at which `policies` drop chunks.
    ///
    /// # Errors
    /// [`Error::Script`], refused, when a continuous aggregate would be refreshed beyond it: that
    /// deletes rows from the aggregate. Else as all operations here.
    pub async fn set_retention(&self, policies: &[Retention], after: &Age) -> Result<(), Error> {
        let title = "The retention is not changed";
        let beyond = policies.iter().flat_map(|policy| &policy.refreshes).find(|refresh| !refresh.inside);
        if let Some(refresh) = beyond {
            let start = refresh
                .start
                .as_deref()
                .map_or("with the oldest row".to_owned(), |start| format!("{start} back"));
            let reason = format!(
                "the refresh policy of {} begins {start}, beyond {after}: refreshing what was dropped deletes its rows from the aggregate. Nothing was changed",
                refresh.view
            );
            return Err(Error::Script { title: title.to_owned(), reason, refused: true });
        }
        let changes: Vec<String> =
            policies.iter().map(|policy| queries::set_retention(policy.job, &after.0)).collect();
        self.ask(title, &changes).await?;
        Ok(())
    }

    /// The rows that SQL answers with, columns apart by a tab.
    ///
    /// # Errors
    /// As all operations here.
    pub async fn rows(&self, text: &str) -> Result<Vec<String>, Error> {
        self.ask("The server refused this", &[text.to_owned()]).await
    }
}
