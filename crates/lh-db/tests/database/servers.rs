//! The servers that the tests start.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

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

/// The password of the superuser; percent-encoded in the URL.
pub const PASSWORD: &str = "s3cr3t/+=";
const ENCODED: &str = "s3cr3t%2F%2B%3D";

/// What PostgreSQL's log says when it has started.
const READY: &str = "database system is ready to accept connections";

/// Debian's PostgreSQL on a port of its own.
pub struct Postgres {
    child: Child,
    /// What it says; the last line of its start is [`READY`].
    says: mpsc::Receiver<String>,
    pub port: u16,
    pub folder: TempDir,
}

impl Postgres {
    /// Starts one with these settings and waits until it answers; none where it is not installed.
    pub async fn start(test: &str, settings: &[&str]) -> Option<Self> {
        let server = Self::launch(test, settings)?;
        server.await_start();
        Some(server)
    }

    /// Waits until it takes connections, wherever its settings say.
    pub fn await_start(&self) {
        let mut said = Vec::new();
        while let Ok(line) = self.says.recv() {
            if line.contains(READY) {
                return;
            }
            said.push(line);
        }
        panic!("PostgreSQL ended: {}", said.join("\n"));
    }

    /// The same, without waiting.
    pub fn launch(test: &str, settings: &[&str]) -> Option<Self> {
        let Some(bin) = programs() else {
            eprintln!("SKIPPED {test}: PostgreSQL is not installed (Debian package postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::write(folder.path().join("password"), PASSWORD).unwrap();
        if is_root() {
            done(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()));
        }
        let mut initdb = unprivileged(&bin.join("initdb"));
        initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--pwfile"]);
        done(initdb.arg(folder.path().join("password")));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut postgres = unprivileged(&bin.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "fsync=off"]);
        postgres.arg("-c").arg(format!("unix_socket_directories={}", folder.path().display()));
        for setting in ["listen_addresses=127.0.0.1"].iter().chain(settings) {
            postgres.args(["-c", setting]);
        }
        let postgres = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = postgres.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (tell, says) = mpsc::channel();
        // Read to its end, whoever listens: a full pipe would stop the server.
        thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        Some(Self { child, says, port, folder })
    }

    pub fn text(&self, database: &str, parameters: &str) -> String {
        format!("postgresql://postgres:{ENCODED}@127.0.0.1:{}/{database}{parameters}", self.port)
    }

    pub fn url(&self) -> DatabaseUrl {
        url(&self.text("postgres", "?sslmode=disable"))
    }

    fn options(&self) -> PgConnectOptions {
        self.text("postgres", "").parse().unwrap()
    }

    pub async fn session(&self) -> PgConnection {
        self.options().connect().await.unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
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

/// Where the newest installed server's programs are.
fn programs() -> Option<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|bin| bin.join("postgres").is_file() && bin.join("initdb").is_file());
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

/// PostgreSQL refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
