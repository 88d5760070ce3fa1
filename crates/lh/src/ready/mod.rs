//! Done means working: after an apply, the database is waited for until it answers with its
//! extension, by the way there is. Where it stands is told stage by stage; a stage that takes too
//! long ends the wait with what the host says of it.

mod judge;
mod look;

use std::{fmt, time::Duration};

use lh_engine::Event;
use lh_plan::{Act, Plan};

use self::judge::{Verdict, Watch, judge, patience, wants_tunnel};
use crate::{Deployment, Error};

/// The stages of a database on its way, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The instance runs.
    Instance,
    /// EC2's status checks pass.
    StatusChecks,
    /// The host sets itself up: packages, disk, password.
    CloudInit,
    /// The container runs.
    Container,
    /// The database answers over TCP.
    Tcp,
    /// It accepts user and password.
    Authentication,
    /// It has its extension.
    Extension,
    /// The file system is as large as the volume.
    FileSystem,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "instance",
            Self::StatusChecks => "status checks",
            Self::CloudInit => "cloud-init",
            Self::Container => "container",
            Self::Tcp => "TCP",
            Self::Authentication => "authentication",
            Self::Extension => "extension",
            Self::FileSystem => "file system",
        })
    }
}

/// By which way a database was seen to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// A session from this machine, with the stack's password and TLS.
    Direct,
    /// The same, through a tunnel: the way it took, in words.
    Tunnel(String),
    /// The host's own session over TCP, with password and TLS, seen by its shell; and why there was
    /// none from this machine.
    Host(String),
}

/// A database that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// By which way it was seen.
    pub path: Path,
    /// The version of its extension.
    pub extension: String,
    /// The size in bytes of the file system that was grown to the size of its volume, if it was.
    pub grown: Option<u64>,
}

/// What came of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It serves.
    Ready(Ready),
    /// A stage took longer than its patience.
    Stuck(Stuck),
    /// Stopping was asked for.
    Stopped,
    /// There is nothing to wait for, for this reason.
    Nothing(String),
}

/// Where a database is stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The stage.
    pub stage: Stage,
    /// How it stands, in the words of AWS, the host or the server.
    pub state: String,
    /// How long it was waited in.
    pub patience: Duration,
    /// The last lines of the log that tells of this stage, where the host could be asked.
    pub log: Vec<String>,
}

/// Whether `plan` makes the data volume larger.
fn is_growth(plan: &Plan) -> bool {
    let larger = |step: &lh_plan::Step| {
        step.id.act == Act::Update
            && step.id.address.kind() == "volume"
            && step.changes.iter().any(|change| change.field == "size")
    };
    plan.steps.iter().any(larger)
}

/// Pauses between looks, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

impl Deployment {
    /// Waits until the stack's database answers over TCP, with authentication and its extension.
    /// Each stage has a patience of its own; the events tell how it stands.
    ///
    /// An instance that is not there, or that runs nothing (an emulator's, or the simulated one
    /// without a database beside it), is not waited for.
    ///
    /// A volume that `plan` made larger gets a larger file system then.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn await_database(&self, plan: &Plan) -> Result<Waited, Error> {
        let looker = match self.looker(is_growth(plan)).await? {
            Ok(looker) => looker,
            Err(why) => return Ok(Waited::Nothing(why)),
        };
        let pace = self.cloud.pace();
        let (mut watch, mut pause, mut elapsed) = (Watch::default(), FIRST_PAUSE, Duration::ZERO);
        let mut is_told = false;
        loop {
            if self.stop.is_asked() {
                return Ok(Waited::Stopped);
            }
            let began = std::time::Instant::now();
            let mut look = looker.look().await;
            if wants_tunnel(&look) {
                if !is_told {
                    let (stage, elapsed) = (Stage::Tcp.to_string(), elapsed + began.elapsed());
                    let state = "nothing leads there directly: SSH and Session Manager are tried".to_owned();
                    self.events.tell(Event::Readying { stage, state, elapsed });
                    is_told = true;
                }
                look.tunnel = looker.tunnel().await;
            }
            let (stage, state) = match judge(&look) {
                Verdict::Ready(ready) => match looker.grow(look.host.ok().as_ref()).await {
                    Ok(grown) => return Ok(Waited::Ready(Ready { grown, ..ready })),
                    Err(why) => (Stage::FileSystem, why),
                },
                Verdict::At(stage, state) => (stage, state),
            };
            elapsed += began.elapsed();
            self.events.tell(Event::Readying { stage: stage.to_string(), state: state.clone(), elapsed });
            if watch.is_over(stage, elapsed) {
                let log = looker.log_of(stage).await;
                return Ok(Waited::Stuck(Stuck { stage, state, patience: patience(stage), log }));
            }
            pace.pause(pause).await;
            elapsed += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
