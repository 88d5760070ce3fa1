//! What an operation on a deployment can end with.

use lh_engine::EngineError;
use lh_kind::CloudError;
use lh_model::Diagnostic;
use lh_spec::Sources;
use lh_state::{Holder, StoreError};

/// Why an operation did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stack file has errors; each says where, why and what to do.
    #[error("the stack file {file} is not valid")]
    Spec {
        /// The file.
        file: String,
        /// What was found.
        findings: Vec<Diagnostic>,
        /// The texts the findings point at.
        sources: Sources,
    },
    /// State, AWS or the plan.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Another run holds the lock.
    #[error("the state is locked{}", held_by(holder.as_deref()))]
    Locked {
        /// Who has it, where that is known.
        holder: Option<Box<Holder>>,
        /// Whether the lock is a lease in DynamoDB, which outlives its process.
        remote: bool,
    },
    /// The state cannot be changed as asked for.
    #[error("{reason}")]
    Amend {
        /// Why not, a sentence without its full stop.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// The simulated world's file.
    #[error(transparent)]
    World(#[from] lh_sim::SimError),
    /// A file that should be a saved plan.
    #[error("{file} cannot be applied: {reason}")]
    SavedPlan {
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// An output that the stack does not have.
    #[error("{stack} has no output `{name}`; it has: {known}")]
    NoOutput {
        /// The stack.
        stack: String,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The stack's instance cannot be reached.
    #[error("{reason}")]
    Host {
        /// Why not, by every way that was tried; sentences.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// A script on the stack's instance ended otherwise than it should.
    #[error("{title}: {reason}")]
    Script {
        /// What it was to do.
        title: String,
        /// What it says, or why nothing is known of its end.
        reason: String,
        /// Whether it refused to do what it was to do, and changed nothing.
        refused: bool,
    },
    /// Another run on the stack's instance holds the lock that this one needs; nothing was changed.
    #[error("{title}: {reason}")]
    Busy {
        /// What was to be done.
        title: String,
        /// What runs there, and what to do.
        reason: String,
    },
    /// What was asked for was stopped, by [`crate::Stop`].
    #[error("{0}: it was interrupted, and ended on the instance")]
    Interrupted(String),
    /// The database, or its migrations.
    #[error(transparent)]
    Database(#[from] lh_db::DbError),
    /// The simulated instance runs no database.
    #[error("the simulated instance runs no database: none was started beside the simulated AWS")]
    NoLocalDatabase,
    /// An environment variable of lhctl's own has no sense.
    #[error("{0}")]
    Environment(String),
}

impl From<CloudError> for Error {
    fn from(error: CloudError) -> Self {
        Self::Engine(error.into())
    }
}

fn held_by(holder: Option<&Holder>) -> String {
    let text = StoreError::Locked(holder.cloned()).to_string();
    text.strip_prefix("the state is locked").unwrap_or_default().to_owned()
}
