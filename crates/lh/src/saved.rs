//! Saved plans: a plan with the stack it was made for, in one file without secrets.

use std::path::Path;

use lh_model::Desired;
use lh_plan::{Plan, plan::FORMAT};
use lh_spec::StateConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, Stack};

/// A plan that was kept to be applied later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedPlan {
    /// Says what this file is.
    lhctl_plan: u32,
    /// The stack file it was made from.
    file: String,
    /// Whether it was made in the simulated world.
    local: bool,
    state: SavedState,
    desired: Desired,
    /// The plan.
    pub plan: Plan,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedState {
    Path(String),
    S3 { bucket: String, key: String, lock_table: String, region: Option<String> },
}

impl SavedPlan {
    pub(crate) fn new(stack: &Stack, local: bool, plan: Plan) -> Self {
        let state = match stack.state.clone() {
            StateConfig::Local { path } => SavedState::Path(path),
            StateConfig::S3 { bucket, key, lock_table, region } => {
                SavedState::S3 { bucket, key, lock_table, region }
            }
        };
        let file = stack.file().to_owned();
        Self { lhctl_plan: FORMAT, file, local, state, desired: stack.desired.clone(), plan }
    }

    /// Whether the file at `path` looks like a saved plan rather than a stack file.
    pub fn is_at(path: &Path) -> bool {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.trim_start().starts_with('{') && text.contains("\"lhctl_plan\"")
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is of another version.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |reason: String| Error::SavedPlan { file: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let saved: Self = serde_json::from_str(&text)
            .map_err(|error| refuse(format!("it is damaged: {error}; plan again")))?;
        if saved.lhctl_plan != FORMAT {
            return Err(refuse("it was made by another version of lhctl; plan again".to_owned()));
        }
        Ok(saved)
    }

    /// Writes it to `path`, readable by its owner only.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        std::io::Write::write_all(&mut file, (text + "\n").as_bytes()).map_err(failed)
    }

    /// Whether it was made in the simulated world.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// The stack it was made for, as it was then.
    pub fn stack(&self) -> Stack {
        let state = match self.state.clone() {
            SavedState::Path(path) => StateConfig::Local { path },
            SavedState::S3 { bucket, key, lock_table, region } => {
                StateConfig::S3 { bucket, key, lock_table, region }
            }
        };
        Stack::of(self.file.clone(), self.desired.clone(), state)
    }
}
