//! A TimescaleDB for this machine: PostgreSQL and the extension in WebAssembly, from the npm
//! registry, run by Node.js. For `lhctl local database` and the tests, not for data that matters.
//!
//! It has several databases, of which one is open at a time, in one session that all its clients
//! share; no background scheduler and no pg_stat_statements: jobs of policies are there and run
//! when they are called. The programs in `timescaledb/` say how.

mod packages;

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use lh_model::Plaintext;
use serde::Deserialize;
use tokio::process::{Child, Command};

pub use self::packages::INSTALLED;
use crate::{DatabaseUrl, DbError, ready};

/// How long the server may take to answer: it compiles 10 MB of WebAssembly.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a server may take to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// A running server that ends with whoever started it.
pub struct LocalDatabase {
    child: Child,
    url: DatabaseUrl,
    /// The version of its extension.
    pub extension: String,
}

/// What the server writes when it answers, and removes at its end.
#[derive(Deserialize)]
struct Found {
    url: String,
}

impl LocalDatabase {
    /// Starts the server with its data in `folder/database`, on `port` of 127.0.0.1 or on a free
    /// one. It ends when this is dropped. `tell` is told what takes time.
    ///
    /// # Errors
    /// [`DbError::Local`] when Node.js or npm is missing or the server does not start;
    /// [`DbError::Runs`] when one runs there already.
    pub async fn start(
        folder: &Path,
        port: Option<u16>,
        tell: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self, DbError> {
        Self::launch(folder, port, true, tell).await
    }

    /// The same, in the background: it goes on until [`LocalDatabase::stop_beside`]. Returns its
    /// URL and the version of its extension.
    ///
    /// # Errors
    /// As [`LocalDatabase::start`].
    pub async fn detach(
        folder: &Path,
        port: Option<u16>,
        tell: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(DatabaseUrl, String), DbError> {
        let Self { child, url, extension } = Self::launch(folder, port, false, tell).await?;
        // Dropped, it would end; and until here, an interrupted start shall end it.
        std::mem::forget(child);
        Ok((url, extension))
    }

    async fn launch(
        folder: &Path,
        port: Option<u16>,
        attached: bool,
        tell: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self, DbError> {
        let home = folder.join("database");
        let packages = packages::packages(&home, tell).await?;
        let _alone = alone(&home).await?;
        if let Some(url) = Self::beside(folder)? {
            return Err(DbError::Runs { place: url.place().to_owned() });
        }
        packages::programs(&home.join("engine"))?;
        let port = port.map_or_else(free_port, Ok)?;
        tell("Starting TimescaleDB; the first start compiles it and takes some seconds.");
        let log = home.join("server.log");
        let _ = fs::remove_file(record(folder));
        let mut child = spawn(&packages, folder, port, attached, &log)?;
        let url = settle(&mut child, folder, &log).await?;
        let extension = ready(&url, FAREWELL, &mut |_| {}).await?;
        Ok(Self { child, url, extension })
    }

    /// Its URL.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Waits until the server ends by itself.
    pub async fn ended(&mut self) {
        let ended = loop {
            // `Child::wait` would close its standard input, and with it end the server.
            match self.child.try_wait() {
                Ok(None) => tokio::time::sleep(Duration::from_millis(200)).await,
                ended => break ended,
            }
        };
        drop(ended);
    }

    /// Ends the server, which saves what it has: with its standard input it ends too.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        if tokio::time::timeout(FAREWELL, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    /// Ends the server that runs beside the simulated world in `folder`, whoever started it; false
    /// if there is none.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop_beside(folder: &Path) -> Result<bool, DbError> {
        if Self::beside(folder)?.is_none() {
            return Ok(false);
        }
        let record = record(folder);
        let output = Command::new("node")
            .arg(folder.join("database/engine/tool.mjs"))
            .arg("stop")
            .env("LHCTL_RECORD", &record)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| DbError::Local(format!("node cannot be run: {error}")))?;
        let began = Instant::now();
        while record.exists() {
            if began.elapsed() > FAREWELL {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(DbError::Local(format!("the database did not end: {}", said.trim())));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(true)
    }

    /// The database that runs beside the simulated world in `folder`, if one answers there.
    ///
    /// # Errors
    /// When the record of it cannot be used.
    pub fn beside(folder: &Path) -> Result<Option<DatabaseUrl>, DbError> {
        match found(folder)? {
            Some(url) if answers(&url) => DatabaseUrl::new(Plaintext::new(url)).map(Some),
            _ => Ok(None),
        }
    }

    /// The database `name` of the server that runs beside the simulated world in `folder`, as the
    /// container on a host has it: the server makes it when it is first asked for.
    ///
    /// # Errors
    /// When the record of it cannot be used.
    pub fn beside_as(folder: &Path, name: &str) -> Result<Option<DatabaseUrl>, DbError> {
        let Some(url) = found(folder)?.filter(|url| answers(url)) else { return Ok(None) };
        // Names of databases in a stack file are letters, digits and `_`.
        let named = url.replace("/postgres?", &format!("/{name}?options=-c%20lhctl.make%3D{name}&"));
        DatabaseUrl::new(Plaintext::new(named)).map(Some)
    }
}

fn record(folder: &Path) -> PathBuf {
    folder.join("database.json")
}

fn found(folder: &Path) -> Result<Option<String>, DbError> {
    let path = record(folder);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let found: Found = serde_json::from_str(&text)
        .map_err(|error| DbError::File { path: path.display().to_string(), reason: error.to_string() })?;
    Ok(Some(found.url))
}

/// A server that was killed leaves its record behind.
fn answers(url: &str) -> bool {
    let port = url.split_once("127.0.0.1:").and_then(|(_, rest)| rest.split_once('/')?.0.parse::<u16>().ok());
    port.is_some_and(|port| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    })
}

fn file(path: &Path, error: &std::io::Error) -> DbError {
    DbError::File { path: path.display().to_string(), reason: error.to_string() }
}

/// Waits until nobody else starts a server on this folder: of two at once, the second finds the first.
async fn alone(home: &Path) -> Result<fs::File, DbError> {
    fs::create_dir_all(home).map_err(|error| file(home, &error))?;
    let path = home.join("starting");
    let lock = fs::File::create(&path).map_err(|error| file(&path, &error))?;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(fs::TryLockError::Error(error)) => return Err(file(&path, &error)),
        }
    }
}

fn free_port() -> Result<u16, DbError> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| DbError::Local(format!("no port is free: {error}")))
}

/// Starts the server in a process group of its own: Ctrl-C is for lhctl, which then ends it.
fn spawn(packages: &Path, folder: &Path, port: u16, attached: bool, log: &Path) -> Result<Child, DbError> {
    let folder = fs::canonicalize(folder).map_err(|error| file(folder, &error))?;
    let home = folder.join("database");
    let out = fs::File::create(log).map_err(|error| file(log, &error))?;
    let err = out.try_clone().map_err(|error| file(log, &error))?;
    let mut command = Command::new("node");
    command.arg(home.join("engine/server.mjs")).arg(packages).arg(&home).arg(port.to_string());
    command.arg(record(&folder));
    if attached {
        command.arg("--attached").stdin(Stdio::piped());
    } else {
        command.stdin(Stdio::null());
    }
    let started = command.stdout(out).stderr(err).process_group(0).kill_on_drop(true).spawn();
    started.map_err(|error| DbError::Local(format!("node cannot be run: {error}")))
}

/// Waits until the server has written its record: it answers then.
async fn settle(child: &mut Child, folder: &Path, log: &Path) -> Result<DatabaseUrl, DbError> {
    let began = Instant::now();
    loop {
        if let Some(url) = found(folder)? {
            return DatabaseUrl::new(Plaintext::new(url));
        }
        let ended = child.try_wait().ok().flatten();
        if ended.is_some() || began.elapsed() > PATIENCE {
            let said = fs::read_to_string(log).unwrap_or_default();
            let mut last: Vec<&str> = said.lines().rev().take(5).collect();
            last.reverse();
            let how =
                ended.map_or_else(|| "did not answer in time".to_owned(), |s| format!("ended with {s}"));
            return Err(DbError::Local(format!("the database server {how}. It said: {}", last.join(" / "))));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
