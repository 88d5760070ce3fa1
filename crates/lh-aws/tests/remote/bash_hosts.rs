//! Simulated instances on which bash really runs, in a temporary folder: for tests of the way to a
//! host. What is absolute on a host, jobs alone here, lies in the folder.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lh_sim::{HostFacts, HostRun, Hosts};
use tokio::sync::watch;

/// Runs a command and keeps what came of it.
const WRAPPER: &str = "bash \"$0/script\" >\"$0/out\" 2>\"$0/err\" </dev/null; \
                       echo $? >\"$0/status.new\"; mv \"$0/status.new\" \"$0/status\"";

/// All instances run bash here.
#[derive(Debug)]
pub struct BashHosts {
    folder: PathBuf,
    /// Whether the agents answer.
    pub online: AtomicBool,
    /// How many commands run; it changes when one begins and when one ends.
    pub running: Arc<watch::Sender<usize>>,
}

impl BashHosts {
    /// With everything in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        fs::create_dir_all(folder.join("commands")).unwrap();
        Self { folder, online: AtomicBool::new(true), running: Arc::new(watch::Sender::new(0)) }
    }

    /// Where the jobs are.
    pub fn jobs(&self) -> PathBuf {
        self.folder.join("jobs")
    }
}

impl Hosts for BashHosts {
    fn is_online(&self, _: &HostFacts) -> bool {
        self.online.load(Ordering::SeqCst)
    }

    fn begin(&self, _: &HostFacts, command: &str, script: &str) -> Result<(), String> {
        let place = self.folder.join("commands").join(command);
        if fs::create_dir(&place).is_err() {
            return Ok(());
        }
        let script = script.replace("/run/lhctl/jobs", &self.jobs().to_string_lossy());
        fs::write(place.join("script"), script).map_err(|error| error.to_string())?;
        let mut bash = Command::new("bash");
        // Said aside: that the folder went with the test which did not wait for the command's end.
        let bash = bash.args(["-c", WRAPPER]).arg(&place).stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = bash.spawn().map_err(|error| error.to_string())?;
        let running = self.running.clone();
        running.send_modify(|running| *running += 1);
        std::thread::spawn(move || {
            let _ = child.wait();
            running.send_modify(|running| *running -= 1);
        });
        Ok(())
    }

    fn look(&self, _: &HostFacts, command: &str) -> HostRun {
        let place = self.folder.join("commands").join(command);
        let read = |name: &str| fs::read_to_string(place.join(name)).unwrap_or_default();
        match read("status").trim().parse() {
            Ok(status) => HostRun::Ended { status, out: read("out"), err: read("err") },
            Err(_) if place.exists() => HostRun::Running,
            Err(_) => HostRun::Unknown,
        }
    }

    fn cancel(&self, _: &HostFacts, _: &str) {}
}
