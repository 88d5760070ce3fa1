//! Debian's PostgreSQL, one of a test's own, on a port that the system chose.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tokio::sync::{Mutex, mpsc};

/// The password of the superuser; percent-encoded in the URL.
const PASSWORD: &str = "s3cr3t/+=";
const ENCODED: &str = "s3cr3t%2F%2B%3D";

/// What PostgreSQL's log says when it has started.
const READY: &str = "database system is ready to accept connections";

/// A safety net: a line that does not come in this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with the test.
pub struct Postgres {
    child: Child,
    /// What its log says after its start, line by line.
    says: Mutex<mpsc::UnboundedReceiver<String>>,
    bin: PathBuf,
    /// Where it listens on 127.0.0.1, unless its settings say otherwise.
    pub port: u16,
    /// Its socket and its data.
    pub folder: TempDir,
}

impl Postgres {
    /// Starts one with these settings and waits until it takes connections, wherever they say.
    /// None where it is not installed; `test`, which is skipped then, is told.
    pub fn start(test: &str, settings: &[&str]) -> Option<Self> {
        let Some(bin) = programs() else {
            // Past the test harness, which would keep a passing test's words to itself.
            let why = "PostgreSQL is not installed (Debian package postgresql)";
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
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
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(READY)) {
            let Some(line) = log.next() else { panic!("PostgreSQL ended: {}", said.join("\n")) };
            said.push(line);
        }
        let (tell, says) = mpsc::unbounded_channel();
        // Read to its end, whoever listens: a full pipe would stop the server.
        thread::spawn(move || log.for_each(|line| drop(tell.send(line))));
        Some(Self { child, says: Mutex::new(says), bin, port, folder })
    }

    /// Waits until its log says `text`, and gives the rest of that line. Each line is heard once.
    pub async fn says(&self, text: &str) -> String {
        let heard = async {
            let mut says = self.says.lock().await;
            while let Some(line) = says.recv().await {
                if let Some((_, rest)) = line.split_once(text) {
                    return rest.to_owned();
                }
            }
            panic!("PostgreSQL ended and did not say `{text}`")
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        heard.unwrap_or_else(|_| panic!("PostgreSQL did not say `{text}` in {PATIENCE:?}"))
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str, parameters: &str) -> String {
        format!("postgresql://postgres:{ENCODED}@127.0.0.1:{}/{database}{parameters}", self.port)
    }

    /// Runs SQL by `psql`, each statement for itself, and gives what it answers.
    pub fn psql(&self, database: &str, text: &str) -> String {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database, "")]).stdin(Stdio::piped());
        let mut child = psql.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Where the newest installed server's programs are.
pub fn programs() -> Option<PathBuf> {
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
