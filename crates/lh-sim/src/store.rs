//! Where the world is kept: in memory, or in one file that processes share.
//!
//! A call holds an OS lock while it reads, changes and writes the file. The file is replaced by a
//! rename, so it is whole at any time, also after a crash of the process. It is not written
//! through to the disk: a crash of the machine may lose it, and a simulation can bear that.

use crate::world::{FORMAT, World};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Why the world's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The file or its directory cannot be read or written.
    #[error(
        "The simulated AWS cannot use {path}: {source}. Check that the directory exists and is writable."
    )]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not a world.
    #[error(
        "The simulated AWS in {path} is damaged: {why}. Run `lhctl local reset` to start with a new one; what the simulated cloud held is lost, nothing real is touched."
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A change that could not be saved earlier.
    #[error("The simulated AWS could not save an earlier change: {0}")]
    Unsaved(String),
}

/// The world and the place it is kept.
#[derive(Debug)]
pub(crate) struct Store {
    world: World,
    place: Option<Place>,
    unsaved: Option<String>,
}

#[derive(Debug)]
struct Place {
    file: PathBuf,
    lock: File,
    lock_path: PathBuf,
    seen: Option<Stamp>,
}

/// What tells that a file is the one last seen.
type Stamp = (Option<SystemTime>, u64);

impl Store {
    /// A world in memory.
    pub fn in_memory(world: World) -> Self {
        Store { world, place: None, unsaved: None }
    }

    /// The world in a directory; a new one from `seed` if there is none.
    pub fn open(dir: &Path, seed: u64) -> Result<Self, SimError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| SimError::File { path, source }
        };
        fs::create_dir_all(dir).map_err(fail(dir))?;
        let lock_path = dir.join("world.lock");
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(fail(&lock_path))?;
        let place = Place { file: dir.join("world.json"), lock, lock_path, seen: None };
        let mut store = Store { world: World::new(seed), place: Some(place), unsaved: None };
        store.transact(|world| ((), world.revision == 0))?;
        Ok(store)
    }

    /// Runs `change` on the newest world and saves it, if `change` says that it is worth it. What is
    /// not saved is kept in memory as long as nobody else changes the file.
    pub fn transact<R>(&mut self, change: impl FnOnce(&mut World) -> (R, bool)) -> Result<R, SimError> {
        if let Some(why) = self.unsaved.take() {
            return Err(SimError::Unsaved(why));
        }
        let Some(place) = &mut self.place else {
            self.world.revision += 1;
            return Ok(change(&mut self.world).0);
        };
        place.lock.lock().map_err(|e| file_error(&place.lock_path, e))?;
        let done = place.reload(&mut self.world).and_then(|()| {
            let (result, is_worth_saving) = change(&mut self.world);
            if is_worth_saving {
                place.save(&mut self.world)?;
            }
            Ok(result)
        });
        let released = place.lock.unlock().map_err(|e| file_error(&place.lock_path, e));
        let result = done?;
        released?;
        Ok(result)
    }

    /// As [`Store::transact`], for callers that cannot be given an error: the change happens in
    /// memory at least, and the next call tells why it was not saved.
    pub fn force<R>(&mut self, change: impl FnOnce(&mut World) -> R) -> R {
        let Some(place) = &mut self.place else {
            self.world.revision += 1;
            return change(&mut self.world);
        };
        let ready = place
            .lock
            .lock()
            .map_err(|e| file_error(&place.lock_path, e))
            .and_then(|()| place.reload(&mut self.world));
        let result = change(&mut self.world);
        // A file that could not be read is left alone: it is evidence, and may be mended.
        let saved = ready.and_then(|()| place.save(&mut self.world));
        let released = place.lock.unlock().map_err(|e| file_error(&place.lock_path, e));
        if let Err(error) = saved.and(released) {
            self.unsaved = Some(error.to_string());
        }
        result
    }

    /// The newest world, or the last one seen if the file cannot be read.
    pub fn latest(&mut self) -> &World {
        if let Some(place) = &mut self.place
            && place.lock.lock().is_ok()
        {
            let read = place.reload(&mut self.world);
            let unlocked = place.lock.unlock();
            if let (Err(error), Ok(())) = (read, unlocked) {
                self.unsaved = Some(error.to_string());
            }
        }
        &self.world
    }
}

impl Place {
    /// Reads the file if another process changed it. The lock file holds the revision that was
    /// last about to be written; the file's own stamp tells of editors and of `local reset`.
    fn reload(&mut self, world: &mut World) -> Result<(), SimError> {
        let stamp = match fs::metadata(&self.file) {
            Ok(meta) => (meta.modified().ok(), meta.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.seen.take().is_some() {
                    *world = World::new(world.seed);
                }
                return Ok(());
            }
            Err(error) => return Err(file_error(&self.file, error)),
        };
        let announced = self.announced().map_err(|e| file_error(&self.lock_path, e))?;
        if self.seen == Some(stamp) && announced == Some(world.revision) {
            return Ok(());
        }
        *world = read(&self.file)?;
        self.seen = Some(stamp);
        Ok(())
    }

    fn save(&mut self, world: &mut World) -> Result<(), SimError> {
        world.revision += 1;
        self.announce(world.revision).map_err(|e| file_error(&self.lock_path, e))?;
        let temporary = self.file.with_extension("json.new");
        let text = serde_json::to_string(world).map_err(|e| file_error(&self.file, io::Error::other(e)))?;
        write(&temporary, &text).map_err(|e| file_error(&temporary, e))?;
        fs::rename(&temporary, &self.file).map_err(|e| file_error(&self.file, e))?;
        let meta = fs::metadata(&self.file).map_err(|e| file_error(&self.file, e))?;
        self.seen = Some((meta.modified().ok(), meta.len()));
        Ok(())
    }

    fn announced(&mut self) -> io::Result<Option<u64>> {
        let mut text = String::new();
        self.lock.rewind()?;
        self.lock.read_to_string(&mut text)?;
        Ok(text.trim().parse().ok())
    }

    fn announce(&mut self, revision: u64) -> io::Result<()> {
        // Digits of a fixed width overwrite each other, so the file is never empty in between.
        self.lock.rewind()?;
        self.lock.write_all(format!("{revision:020}\n").as_bytes())
    }
}

/// Writes a file for its owner alone: the world holds passwords.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn read(path: &Path) -> Result<World, SimError> {
    let damaged = |why: String| SimError::Damaged { path: path.to_owned(), why };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::InvalidData => {
            return Err(damaged("it is not text".to_owned()));
        }
        Err(e) => return Err(file_error(path, e)),
    };
    let world: World = serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
    if world.format != FORMAT {
        return Err(damaged(format!("it has format {}, this program knows {FORMAT}", world.format)));
    }
    Ok(world)
}

fn file_error(path: &Path, source: io::Error) -> SimError {
    SimError::File { path: path.to_owned(), source }
}
