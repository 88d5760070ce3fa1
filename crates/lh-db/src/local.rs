//! A TimescaleDB for this machine: PostgreSQL and the extension in WebAssembly, from the npm
//! registry, run by Node.js. For `lhctl local database` and the tests, not for data that matters.
//!
//! All its clients share one session, it has no background scheduler and no pg_stat_statements:
//! jobs of policies are there and run when they are called.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use lh_model::Plaintext;
use serde::{Deserialize, Serialize};
use sqlx::Connection;
use tokio::process::{Child, Command};

use crate::{DatabaseUrl, DbError, connect::connect, ready};

/// What is installed, by version and checksum.
const PACKAGE: &str = include_str!("../timescaledb/package.json");
const LOCK: &str = include_str!("../timescaledb/package-lock.json");

/// Where the server's program is, in the folder of packages.
const SERVER: &str = "node_modules/@electric-sql/pglite-socket/dist/scripts/server.js";

/// A folder in which the packages are installed already; named by this variable, nothing is
/// fetched.
pub const INSTALLED: &str = "LHCTL_TIMESCALEDB";

/// How long the server may take to answer: it compiles 10 MB of WebAssembly.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server. It ends when this is dropped.
pub struct LocalDatabase {
    child: Child,
    record: PathBuf,
    url: DatabaseUrl,
    /// The version of its extension.
    pub extension: String,
}

/// What other runs of lhctl read to find it.
#[derive(Serialize, Deserialize)]
struct Found {
    url: String,
}

impl LocalDatabase {
    /// Starts the server with its data in `folder/database`, on `port` of 127.0.0.1 or on a free
    /// one. `tell` is told what takes time.
    ///
    /// # Errors
    /// [`DbError::Local`] when Node.js or npm is missing, or the server does not start.
    pub async fn start(
        folder: &Path,
        port: Option<u16>,
        tell: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self, DbError> {
        let home = folder.join("database");
        let packages = packages(&home, tell).await?;
        let port = port.map_or_else(free_port, Ok)?;
        tell("Starting TimescaleDB; the first start compiles it and takes some seconds.");
        let log = home.join("server.log");
        let child = launch(&packages, &home, port, &log)?;
        let url = DatabaseUrl::new(Plaintext::new(url_of(port)))?;
        let record = record(folder);
        let mut database = Self { child, record, url, extension: String::new() };
        database.settle(&log).await?;
        let found = Found { url: url_of(port) };
        let text = serde_json::to_string_pretty(&found).unwrap_or_default();
        fs::write(&database.record, text).map_err(|error| file(&database.record, &error))?;
        Ok(database)
    }

    /// Its URL.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Waits until the server ends by itself.
    pub async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }

    /// Ends the server, which saves what it has.
    pub async fn stop(mut self) {
        let _ = fs::remove_file(&self.record);
        interrupt(&self.child).await;
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    /// Waits for the first session and makes the extension, as the image does.
    async fn settle(&mut self, log: &Path) -> Result<(), DbError> {
        let began = std::time::Instant::now();
        let mut session = loop {
            match connect(&self.url).await {
                Ok(session) => break session,
                Err(error) if began.elapsed() > PATIENCE => return Err(error),
                Err(_) => {}
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let said = fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                let last: Vec<&str> = last.into_iter().rev().collect();
                return Err(DbError::Local(format!(
                    "The database server ended with {status} before it answered. It said: {}",
                    last.join(" / ")
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS timescaledb")
            .execute(&mut session)
            .await
            .map_err(|error| DbError::sql("CREATE EXTENSION timescaledb", &error))?;
        let _ = session.close().await;
        self.extension = ready(&self.url, Duration::from_secs(10), &mut |_| {}).await?;
        Ok(())
    }

    /// The database that runs beside the simulated world in `folder`, if one was started there.
    ///
    /// # Errors
    /// When the record of it cannot be used.
    pub fn beside(folder: &Path) -> Result<Option<DatabaseUrl>, DbError> {
        let path = record(folder);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let found: Found = serde_json::from_str(&text)
            .map_err(|error| DbError::File { path: path.display().to_string(), reason: error.to_string() })?;
        DatabaseUrl::new(Plaintext::new(found.url)).map(Some)
    }
}

fn record(folder: &Path) -> PathBuf {
    folder.join("database.json")
}

/// It has one database and asks for no password.
fn url_of(port: u16) -> String {
    format!("postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
}

fn file(path: &Path, error: &std::io::Error) -> DbError {
    DbError::File { path: path.display().to_string(), reason: error.to_string() }
}

fn free_port() -> Result<u16, DbError> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| DbError::Local(format!("No port is free: {error}")))
}

/// The folder with the packages, installed where they are not yet.
async fn packages(home: &Path, tell: &mut (dyn FnMut(&str) + Send)) -> Result<PathBuf, DbError> {
    tool("node").await?;
    if let Some(folder) = std::env::var_os(INSTALLED) {
        return Ok(PathBuf::from(folder));
    }
    let folder = home.join("packages");
    let lock = folder.join("package-lock.json");
    let is_there = folder.join(SERVER).is_file() && fs::read_to_string(&lock).is_ok_and(|text| text == LOCK);
    if is_there {
        return Ok(folder);
    }
    tool("npm").await?;
    tell("Fetching TimescaleDB from the npm registry, once (24 MB).");
    fs::create_dir_all(&folder).map_err(|error| file(&folder, &error))?;
    for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| file(&path, &error))?;
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| DbError::Local(format!("npm cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(folder);
    }
    let _ = fs::remove_file(&lock);
    let said = String::from_utf8_lossy(&output.stderr);
    Err(DbError::Local(format!("npm could not fetch TimescaleDB: {}", said.trim())))
}

/// Makes sure that a program is there.
async fn tool(name: &str) -> Result<(), DbError> {
    let asked = Command::new(name).arg("--version").stdin(Stdio::null()).output().await;
    if asked.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(DbError::Local(format!(
        "{name} is missing: the database of `lhctl local database` runs on Node.js 20 or newer, which comes with npm"
    )))
}

fn launch(packages: &Path, home: &Path, port: u16, log: &Path) -> Result<Child, DbError> {
    let program = packages.join(SERVER);
    if !program.is_file() {
        return Err(DbError::Local(format!("{} is missing", program.display())));
    }
    fs::create_dir_all(home).map_err(|error| file(home, &error))?;
    let home = fs::canonicalize(home).map_err(|error| file(home, &error))?;
    let out = fs::File::create(log).map_err(|error| file(log, &error))?;
    let err = out.try_clone().map_err(|error| file(log, &error))?;
    let program = fs::canonicalize(&program).map_err(|error| file(&program, &error))?;
    Command::new("node")
        .arg(program)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-m", "10"])
        .arg(format!("--db={}", home.join("data").display()))
        .args(["-e", "@electric-sql/pglite/timescaledb:timescaledb"])
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| DbError::Local(format!("node cannot be run: {error}")))
}

/// Asks the server to end as Ctrl-C does; by the program `kill`, because signals need unsafe code.
async fn interrupt(child: &Child) {
    if let Some(pid) = child.id() {
        let _ = Command::new("kill").args(["-INT", &pid.to_string()]).status().await;
    }
}
