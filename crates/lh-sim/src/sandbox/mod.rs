//! What runs on the instances of `--local`: the host's own scripts, by bash, as the user of lhctl,
//! in a folder for each host. Not an isolation: a script can do what its user can.
//!
//! Below the folder of the world: `hosts/<instance>/` is the root of a host, `volumes/<volume>/` the
//! data volume, which outlives hosts, and `buckets/` what hosts have uploaded. A command is a
//! process of its own with its output in files, so that any later process finds how it stands.

mod root;
mod user_data;

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use self::root::Root;
use crate::hosts::{HostFacts, HostRun, Hosts, Upload};

/// How long the output of a command that ended is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A description of a dump is shorter, in bytes, and a dump is most often not.
const SHORT: u64 = 65_536;

/// What a shell says of a process that a signal ended: 128 and the signal's number.
const KILLED: i32 = 137;

/// Hosts in folders below that of the simulated world.
#[derive(Debug)]
pub struct Sandbox {
    top: PathBuf,
    /// What this process began, to be reaped by it: else it would look alive for ever.
    begun: Mutex<BTreeMap<PathBuf, Child>>,
}

impl Sandbox {
    /// The hosts of the world in `folder`, which exists.
    ///
    /// # Errors
    /// When the folder cannot be found.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { top: fs::canonicalize(folder)?, begun: Mutex::default() })
    }

    /// Whether the process of the command in `folder` is there.
    fn lives(&self, folder: &Path) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = begun.get_mut(folder) {
            return matches!(child.try_wait(), Ok(None));
        }
        read(folder, "pid").is_some_and(|pid| signal("-0", &pid))
    }
}

impl Hosts for Sandbox {
    fn is_online(&self, host: &HostFacts) -> bool {
        user_data::files(&host.user_data).is_some()
    }

    fn begin(&self, host: &HostFacts, command: &str, script: &str) -> Result<(), String> {
        let root = Root::new(&self.top, &host.instance);
        root.prepare(host)?;
        let folder = root.command(command);
        let failed =
            |error: io::Error| format!("The command cannot be begun in {}: {error}.", folder.display());
        match fs::create_dir(&folder) {
            // Whoever comes second finds it begun.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            made => made.map_err(failed)?,
        }
        sweep(&folder);
        fs::write(folder.join("script"), script).map_err(failed)?;
        let mut runner = root.runner(&folder);
        // A group of its own: neither Ctrl-C nor the end of lhctl ends it.
        let child =
            runner.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().map_err(failed)?;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(folder, child);
        Ok(())
    }

    fn look(&self, host: &HostFacts, command: &str) -> HostRun {
        let folder = Root::new(&self.top, &host.instance).command(command);
        if !folder.is_dir() {
            return HostRun::Unknown;
        }
        // First whether it lives: it may end while it is looked at.
        let lives = self.lives(&folder);
        let text = |name: &str| {
            String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap_or_default()).into_owned()
        };
        match read(&folder, "status").and_then(|status| status.parse().ok()) {
            Some(status) => HostRun::Ended { status, out: text("out"), err: text("err") },
            // Between its folder and its process there is a moment.
            None if lives || (!folder.join("pid").exists() && is_young(&folder)) => HostRun::Running,
            None => HostRun::Ended { status: KILLED, out: text("out"), err: text("err") },
        }
    }

    fn cancel(&self, host: &HostFacts, command: &str) {
        let folder = Root::new(&self.top, &host.instance).command(command);
        if let Some(pid) = read(&folder, "pid").filter(|_| self.lives(&folder)) {
            signal("-TERM", &format!("-{pid}"));
        }
    }

    fn uploads(&self) -> Vec<Upload> {
        let buckets = self.top.join("buckets");
        files(&buckets).iter().filter_map(|file| upload(&buckets, file)).collect()
    }

    fn terminal(&self, host: &HostFacts) -> Option<(String, Vec<String>)> {
        let root = Root::new(&self.top, &host.instance);
        root.prepare(host).ok()?;
        Some(("/bin/bash".to_owned(), vec![root.terminal().display().to_string()]))
    }
}

/// All files in a folder, however deep.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The object that a file stands for; none of what is only being written.
fn upload(buckets: &Path, file: &Path) -> Option<Upload> {
    let (bucket, key) = file.strip_prefix(buckets).ok()?.to_str()?.split_once('/')?;
    let about = fs::metadata(file).ok().filter(|_| !key.ends_with(".new"))?;
    let age = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let content = if about.len() <= SHORT { Some(fs::read(file).ok()?) } else { None };
    let mark = format!("{:x}-{:x}", about.len(), age.as_nanos());
    Some(Upload { bucket: bucket.to_owned(), key: key.to_owned(), size: about.len(), content, mark })
}

/// Forgets commands beside this one that ended long ago.
fn sweep(folder: &Path) {
    let siblings = folder.parent().and_then(|all| fs::read_dir(all).ok()).into_iter().flatten().flatten();
    for old in siblings.map(|entry| entry.path()) {
        let ended = fs::metadata(old.join("status")).and_then(|about| about.modified());
        if ended.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT)) {
            let _ = fs::remove_dir_all(&old);
        }
    }
}

/// The one line of a small file.
fn read(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok().map(|text| text.trim().to_owned())
}

/// Whether it was made in the last seconds.
fn is_young(folder: &Path) -> bool {
    let modified = fs::metadata(folder).and_then(|about| about.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() < 5))
}

/// Sends a signal by the program `kill`, because signals need unsafe code.
fn signal(which: &str, whom: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args([which, "--", whom]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    kill.status().is_ok_and(|status| status.success())
}
