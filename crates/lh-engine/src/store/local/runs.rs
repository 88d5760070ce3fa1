//! The history of runs of a local state: a file each, in the folder `dev.json.runs/` beside it.

use std::{fs, io::ErrorKind};

use async_trait::async_trait;
use lh_state::{History, Run, StoreError, history::RUNS_KEPT};

use super::{LocalStore, failed, read, write_whole};

const FOLDER: &str = ".runs";

impl LocalStore {
    /// The names of the runs' files, the newest first.
    fn run_files(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.beside(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&folder, &error)),
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }
}

#[async_trait]
impl History for LocalStore {
    async fn keep(&self, run: &Run) -> Result<(), StoreError> {
        let folder = self.beside(FOLDER);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let path = folder.join(format!("{}.json", run.name()));
        let text = serde_json::to_vec_pretty(run).map_err(|error| failed(&path, &error.into()))?;
        write_whole(&path, &text)?;
        for old in self.run_files()?.iter().skip(RUNS_KEPT) {
            let path = folder.join(old);
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
        Ok(())
    }

    async fn runs(&self, most: usize) -> Result<Vec<Run>, StoreError> {
        let folder = self.beside(FOLDER);
        let mut runs = Vec::new();
        for name in self.run_files()?.into_iter().take(most) {
            let path = folder.join(name);
            let Some(bytes) = read(&path)? else { continue };
            runs.push(serde_json::from_slice(&bytes).map_err(|error| failed(&path, &error.into()))?);
        }
        Ok(runs)
    }
}
