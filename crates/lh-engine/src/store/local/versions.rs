//! Former snapshots of a local state, in the folder `dev.json.versions/` beside it.
//!
//! A folder of whole files, so that each can be read, compared and put back without lhctl. The
//! names are a number, which counts up, and the beginning of the content's SHA-256. The former
//! snapshot is copied there before the new one takes its place: a crash between the two leaves
//! one copy too many, which is recognised by its digest.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use lh_model::identity::sha256;
use lh_state::{Past, StoreError};

use super::{LocalStore, failed, read, utf8, write_whole};

/// How many former snapshots are kept; one is a few tens of kilobytes.
const KEPT: usize = 50;

const FOLDER: &str = ".versions";

fn digest(bytes: &[u8]) -> String {
    sha256(bytes).chars().take(16).collect()
}

fn written_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn seconds(at: SystemTime) -> Option<i64> {
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// `00000007-0123456789abcdef`, without its extension: its number and its digest.
fn parts(name: &str) -> Option<(u64, &str)> {
    let (number, digest) = name.split_once('-')?;
    Some((number.parse().ok()?, digest))
}

impl LocalStore {
    /// The names of former snapshots, the oldest first.
    fn former(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.beside(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&folder, &error)),
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let names = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| parts(name).is_some()).collect();
        names.sort_by_key(|name| parts(name).map(|(number, _)| number));
        Ok(names)
    }

    fn version_file(&self, name: &str) -> PathBuf {
        self.beside(FOLDER).join(format!("{name}.json"))
    }

    /// The name that the snapshot of these bytes has among `former`, or would get.
    fn name_among(former: &[String], bytes: &[u8]) -> String {
        let last = former.last().and_then(|name| parts(name));
        match last {
            Some((number, same)) if same == digest(bytes) => format!("{number:08}-{same}"),
            last => format!("{:08}-{}", last.map_or(0, |(number, _)| number) + 1, digest(bytes)),
        }
    }

    /// Copies the snapshot there is now among the former ones, and drops the oldest.
    pub(super) fn keep_former(&self) -> Result<(), StoreError> {
        let Some(bytes) = read(&self.snapshot)? else { return Ok(()) };
        let mut former = self.former()?;
        let name = Self::name_among(&former, &bytes);
        if former.last() != Some(&name) {
            let folder = self.beside(FOLDER);
            fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
            let path = self.version_file(&name);
            write_whole(&path, &bytes)?;
            if let Some(at) = written_at(&self.snapshot) {
                // When it was written is told to people alone: without it, the copy serves too.
                let _ = fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(at));
            }
            former.push(name);
        }
        for old in former.iter().rev().skip(KEPT) {
            let path = self.version_file(old);
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
        Ok(())
    }

    pub(super) fn versions(&self, most: usize) -> Result<Vec<Past>, StoreError> {
        let former = self.former()?;
        let current = read(&self.snapshot)?.map(|bytes| Self::name_among(&former, &bytes));
        let at = |path: &Path| written_at(path).and_then(seconds);
        let mut all = Vec::new();
        if let Some(name) = &current {
            all.push(Past { name: name.clone(), at: at(&self.snapshot), current: true });
        }
        let older = former.iter().rev().filter(|name| current.as_ref() != Some(name));
        all.extend(older.map(|name| Past {
            name: name.clone(),
            at: at(&self.version_file(name)),
            current: false,
        }));
        all.truncate(most);
        Ok(all)
    }

    pub(super) fn version(&self, name: &str) -> Result<Option<String>, StoreError> {
        if parts(name).is_none() || name.contains(['/', '\\', '.']) {
            return Ok(None);
        }
        if let Some(bytes) = read(&self.snapshot)?
            && Self::name_among(&self.former()?, &bytes) == name
        {
            return utf8(&self.snapshot, bytes).map(Some);
        }
        let path = self.version_file(name);
        read(&path)?.map(|bytes| utf8(&path, bytes)).transpose()
    }
}
