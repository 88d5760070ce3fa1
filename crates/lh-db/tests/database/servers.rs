//! The servers that the tests start.

use std::fs;

use lh_db::{DatabaseUrl, Migrations, local::LocalDatabase};
use lh_model::Plaintext;
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

/// A TimescaleDB and the folder of its data; none where it is not installed.
pub async fn timescale(test: &str) -> Option<(LocalDatabase, TempDir)> {
    if std::env::var_os(lh_db::local::INSTALLED).is_none() {
        eprintln!("SKIPPED {test}: {} is not set; scripts/test sets it", lh_db::local::INSTALLED);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    match LocalDatabase::start(folder.path(), None, &mut |_| {}).await {
        Ok(database) => Some((database, folder)),
        Err(error) => panic!("{error}"),
    }
}

/// Debian's PostgreSQL, and sessions with it.
pub struct Postgres(lh_testkit::Postgres);

impl std::ops::Deref for Postgres {
    type Target = lh_testkit::Postgres;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Postgres {
    /// Starts one with these settings and waits until it answers; none where it is not installed.
    pub async fn start(test: &str, settings: &[&str]) -> Option<Self> {
        lh_testkit::Postgres::start(test, settings).map(Self)
    }

    pub fn text(&self, database: &str, parameters: &str) -> String {
        self.0.url(database, parameters)
    }

    pub fn url(&self) -> DatabaseUrl {
        url(&self.text("postgres", "?sslmode=disable"))
    }

    pub async fn session(&self) -> PgConnection {
        let options: PgConnectOptions = self.text("postgres", "").parse().unwrap();
        options.connect().await.unwrap()
    }
}

pub fn url(text: &str) -> DatabaseUrl {
    DatabaseUrl::new(Plaintext::new(text.to_owned())).unwrap()
}

/// A session with any of them, as another program would have it.
pub async fn session(url: &DatabaseUrl) -> PgConnection {
    let options: PgConnectOptions = url.secret().expose().parse().unwrap();
    options.statement_cache_capacity(0).connect().await.unwrap()
}

/// Runs statements, which may be several.
pub async fn execute(session: &mut PgConnection, text: &str) {
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned())).execute(session).await;
    done.unwrap_or_else(|error| panic!("{text}: {error}"));
}

/// One number.
pub async fn number(session: &mut PgConnection, text: &str) -> i64 {
    let asked = sqlx::query_scalar(sqlx::AssertSqlSafe(text.to_owned())).fetch_one(session).await;
    asked.unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Migrations with these texts, in a folder.
pub fn folder(files: &[(&str, &str)]) -> (Migrations, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    (Migrations::folder(folder.path()).unwrap(), folder)
}
