//! Commands of Systems Manager's Run Command, and the agents that take them.

use super::Millis;
use serde::{Deserialize, Serialize};

/// The agent of an instance, since it first reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// When it registered.
    pub registered_at: Millis,
    /// When it was last heard.
    pub last_ping: Millis,
    /// Whether it takes commands.
    pub online: bool,
}

/// A command that was sent to one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The id, a UUID.
    pub id: String,
    /// The instance it was sent to.
    pub instance_id: String,
    /// What the sender said of it.
    pub comment: String,
    /// What is to run; forgotten when the command ends.
    pub script: String,
    /// How long it may wait for the agent.
    pub delivery_timeout: Millis,
    /// How long it may run.
    pub execution_timeout: Millis,
    /// When it was sent.
    pub sent_at: Millis,
    /// When the agent took it.
    pub taken_at: Option<Millis>,
    /// Whether somebody asked for its end.
    pub cancelled: bool,
    /// How it ended.
    pub end: Option<CommandEnd>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnd {
    /// When.
    pub at: Millis,
    /// AWS's status details, such as `Success` or `ExecutionTimedOut`.
    pub details: String,
    /// The exit status; -1 for none.
    pub code: i32,
    /// Standard output, as much as AWS keeps.
    pub out: String,
    /// Standard error, as much as AWS keeps.
    pub err: String,
}
