//! State in a local file: `dev.json`, its journal `dev.json.journal`, its lock `dev.json.lock`,
//! its former snapshots `dev.json.versions/`, and the history of runs `dev.json.runs/`.
//!
//! Snapshots are replaced by rename after fsync. The lock is the operating system's, so a
//! process that dies gives it back; the lock file says who holds it. Files are read and
//! written in place of the async runtime: they are small, and their durability is the point.

mod runs;
mod versions;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use lh_model::identity::sha256;
use lh_state::{
    Entry, Held, Holder, Journal, Lease, LeaseGuard, Liveness, Past, Receipt, SnapshotError, Snapshots,
    StoreError, Version,
};

/// The files of one stack's state.
#[derive(Clone, Debug)]
pub struct LocalStore {
    snapshot: PathBuf,
}

impl LocalStore {
    /// State at `path`; its folder is made when something is first written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { snapshot: path.into() }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.snapshot.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.snapshot.with_file_name(name)
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        let folder = self.snapshot.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
    }
}

/// Makes a rename or a new file at `path` durable.
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))
}

/// Puts a file of these bytes at `path`, durably: the former one or the new one is there, and
/// never a part.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(|error| failed(path, &error))?;
    sync_folder_of(path)
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Failed { place: path.display().to_string(), reason: error.to_string() }
}

/// What is in the file at `path`, if there is one.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, &error)),
    }
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| StoreError::Unusable {
        place: path.display().to_string(),
        problem: SnapshotError::Damaged("it is not UTF-8 text".to_owned()),
    })
}

#[async_trait]
impl Snapshots for LocalStore {
    async fn load(&self) -> Result<(Option<String>, Version), StoreError> {
        let text = read(&self.snapshot)?.map(|bytes| utf8(&self.snapshot, bytes)).transpose()?;
        let version = text.as_ref().map(|text| sha256(text.as_bytes()));
        Ok((text, version))
    }

    async fn swap(&self, expected: &Version, text: &str) -> Result<Version, StoreError> {
        self.make_folder()?;
        if self.load().await?.1 != *expected {
            return Err(StoreError::Moved);
        }
        self.keep_former()?;
        write_whole(&self.snapshot, text.as_bytes())?;
        Ok(Some(sha256(text.as_bytes())))
    }

    async fn past(&self, most: usize) -> Result<Vec<Past>, StoreError> {
        self.versions(most)
    }

    async fn recall(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.version(name)
    }

    fn place(&self) -> String {
        self.snapshot.display().to_string()
    }
}

#[async_trait]
impl Journal for LocalStore {
    async fn append(&self, entries: &[Entry]) -> Result<Receipt, StoreError> {
        self.make_folder()?;
        let path = self.beside(".journal");
        let is_new = !path.exists();
        let mut lines = String::new();
        for entry in entries {
            let line = serde_json::to_string(entry).map_err(|error| failed(&path, &error.into()))?;
            lines.push_str(&line);
            lines.push('\n');
        }
        let write = || {
            let mut file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            drop_torn_line(&mut file)?;
            file.write_all(lines.as_bytes())?;
            file.sync_data()
        };
        write().map_err(|error| failed(&path, &error))?;
        if is_new {
            sync_folder_of(&path)?;
        }
        Ok(Receipt(entries.last().map_or(0, |entry| entry.number)))
    }

    async fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let path = self.beside(".journal");
        let Some(mut bytes) = read(&path)? else { return Ok(Vec::new()) };
        // A line without its end was cut off by a crash before it became durable; the cut may
        // go through a character, so it is made before the bytes are taken for text.
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        let whole = utf8(&path, bytes)?;
        let entry = |line| {
            serde_json::from_str(line).map_err(|error| StoreError::Unusable {
                place: path.display().to_string(),
                problem: SnapshotError::Damaged(error.to_string()),
            })
        };
        whole.lines().map(entry).collect()
    }

    async fn trim(&self, serial: u64) -> Result<(), StoreError> {
        let path = self.beside(".journal");
        if !self.since(serial).await?.is_empty() {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&path, &error)),
            _ => Ok(()),
        }
    }
}

/// Leaves the file positioned at its end, after the last whole line.
fn drop_torn_line(file: &mut File) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < bytes.len() {
        file.set_len(whole as u64)?;
    }
    file.seek(SeekFrom::Start(whole as u64)).map(|_| ())
}

#[async_trait]
impl Lease for LocalStore {
    async fn held(&self) -> Result<Option<Held>, StoreError> {
        let path = self.beside(".lock");
        let mut file = match OpenOptions::new().read(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        match file.try_lock_shared() {
            // What the file says is of a run that died, or is nothing: dropping it unlocks.
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = file.read_to_string(&mut text).ok();
                let holder = read.and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_else(|| Holder {
                    who: "an unknown user".to_owned(),
                    pid: 0,
                    operation: "unknown".to_owned(),
                    since: "unknown".to_owned(),
                });
                Ok(Some(Held { holder, fencing: 0, liveness: Liveness::Alive }))
            }
            Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
        }
    }

    async fn break_up(&self, _: &Held) -> Result<(), StoreError> {
        // The operating system's lock is held by living processes alone, and taken from none.
        match self.held().await? {
            Some(held) => Err(StoreError::Locked(Some(held.holder))),
            None => Ok(()),
        }
    }

    async fn acquire(&self, holder: &Holder) -> Result<Box<dyn LeaseGuard>, StoreError> {
        self.make_folder()?;
        let path = self.beside(".lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|error| failed(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = file.read_to_string(&mut text).ok();
                return Err(StoreError::Locked(read.and_then(|_| serde_json::from_str(&text).ok())));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&path, &error)),
        }
        let text = serde_json::to_string(holder).unwrap_or_default();
        let write = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        write.map_err(|error| failed(&path, &error))?;
        Ok(Box::new(LocalGuard { file }))
    }
}

/// Holds the operating system's lock as long as it lives.
struct LocalGuard {
    file: File,
}

#[async_trait]
impl LeaseGuard for LocalGuard {
    async fn renew(&self) -> Result<(), StoreError> {
        // The operating system takes a lock from no living process.
        Ok(())
    }

    fn fencing(&self) -> u64 {
        0
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        // The name is wiped first, so that nobody reads an old holder under a new lock.
        let wiped = self.file.set_len(0).and_then(|()| self.file.unlock());
        wiped.map_err(|error| StoreError::Failed { place: "the lock".to_owned(), reason: error.to_string() })
    }
}
