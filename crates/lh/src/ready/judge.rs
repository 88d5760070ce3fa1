//! Where a database stands on its way, judged from what was seen of it. Pure: it asks nothing and
//! knows no clock; whoever looks says how much time has passed.

use std::{collections::BTreeMap, time::Duration};

use lh_db::ConnectProblem;
use lh_host::HostStatus;

use super::{Path, Ready, Stage};

/// What one look saw.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// The instance, as EC2 shows it.
    pub instance: Instance,
    /// What the host says of itself, or why it could not be asked.
    pub host: Result<HostStatus, String>,
    /// What a session from here came to.
    pub direct: Attempt,
    /// What another one came to, through a tunnel; where one was wanted.
    pub tunnel: Option<Tunnelled>,
}

/// The instance, as EC2 shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instance {
    /// It is not running: its state.
    Not(String),
    /// It runs, and its status checks are not through: what they say.
    Checking(String),
    /// It runs, and a status check failed: which.
    Impaired(String),
    /// It runs and passes its checks.
    Sound,
    /// It could not be asked.
    Unknown(String),
}

/// What a session came to.
#[derive(Clone, Debug)]
pub(super) enum Attempt {
    /// It was not tried, for this reason.
    Untried(String),
    /// There is none.
    Problem(ConnectProblem),
    /// It found the extension, at this version.
    Answered(String),
}

impl From<Result<String, ConnectProblem>> for Attempt {
    fn from(answer: Result<String, ConnectProblem>) -> Self {
        match answer {
            Ok(extension) => Self::Answered(extension),
            Err(problem) => Self::Problem(problem),
        }
    }
}

/// A session through a port of this machine that leads to the instance.
#[derive(Clone, Debug)]
pub(super) enum Tunnelled {
    /// No way led there: why, a sentence for each.
    Closed(Vec<String>),
    /// This way did, and the session came to this.
    Open(String, Attempt),
}

/// What a look comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It serves.
    Ready(Ready),
    /// Not yet: the stage it is in, and how that stands.
    At(Stage, String),
}

/// What a look comes to, without regard to time.
pub(super) fn judge(look: &Look) -> Verdict {
    let ready =
        |path, extension: &str| Verdict::Ready(Ready { path, extension: extension.to_owned(), grown: None });
    match (&look.direct, &look.tunnel) {
        (Attempt::Answered(extension), _) => return ready(Path::Direct, extension),
        (_, Some(Tunnelled::Open(way, Attempt::Answered(extension)))) => {
            return ready(Path::Tunnel(way.clone()), extension);
        }
        _ => {}
    }
    let at = |(stage, state)| Verdict::At(stage, state);
    match &look.host {
        Ok(status) => match of_host(status, refusal(look)) {
            Ok(extension) => ready(Path::Host(from_here(look)), &extension),
            Err(stage) => at(stage),
        },
        // Whoever is refused has met a database that serves. A host that has just got an older
        // volume still brings its password into line, so that this may pass, but soon.
        Err(why) => at(refusal(look).unwrap_or_else(|| before_the_host(&look.instance, why))),
    }
}

/// Whether a tunnel may show more: nothing leads there directly, and the database serves, or its
/// host runs and does not say.
pub(super) fn wants_tunnel(look: &Look) -> bool {
    let is_remote = matches!(&look.direct, Attempt::Problem(problem) if problem.is_remote());
    let may_serve = match &look.host {
        Ok(_) => matches!(judge(look), Verdict::Ready(_)),
        Err(_) => look.instance == Instance::Sound,
    };
    is_remote && may_serve
}

/// What a server that was reached said against a session, if one did.
fn refusal(look: &Look) -> Option<(Stage, String)> {
    let of = |attempt: &Attempt| match attempt {
        Attempt::Problem(problem @ (ConnectProblem::Password(_) | ConnectProblem::Tls(_))) => {
            Some((Stage::Authentication, problem.to_string()))
        }
        Attempt::Problem(problem @ ConnectProblem::Extension) => {
            Some((Stage::Extension, problem.to_string()))
        }
        _ => None,
    };
    of(&look.direct).or_else(|| match look.tunnel.as_ref()? {
        Tunnelled::Open(way, attempt) => of(attempt).map(|(stage, why)| (stage, format!("{way}: {why}"))),
        Tunnelled::Closed(_) => None,
    })
}

/// Why no session from here reaches the database.
fn from_here(look: &Look) -> String {
    let why = |attempt: &Attempt| match attempt {
        Attempt::Untried(why) => why.clone(),
        Attempt::Problem(problem) => problem.to_string(),
        Attempt::Answered(_) => String::new(),
    };
    let directly = why(&look.direct);
    match &look.tunnel {
        None => directly,
        Some(Tunnelled::Closed(reasons)) => {
            format!("{directly}. {}", reasons.join(" ").trim_end_matches('.'))
        }
        Some(Tunnelled::Open(way, attempt)) => format!("{directly}. {way}: {}", why(attempt)),
    }
}

/// The host cannot be asked, and the database does not answer: what EC2 shows is all there is.
fn before_the_host(instance: &Instance, why: &str) -> (Stage, String) {
    match instance {
        Instance::Not(state) => (Stage::Instance, format!("it is {state}")),
        Instance::Impaired(what) => (Stage::StatusChecks, format!("failed: {what}")),
        Instance::Checking(what) => (Stage::StatusChecks, what.clone()),
        Instance::Sound | Instance::Unknown(_) => (Stage::CloudInit, why.to_owned()),
    }
}

/// What the host says of itself: the version of the extension that it serves with, or the stage
/// it is in. A server that was reached and refused a session says more than its host.
fn of_host(status: &HostStatus, refusal: Option<(Stage, String)>) -> Result<String, (Stage, String)> {
    // Swap helps a small host and the agent reports: neither keeps a database from serving.
    let before = ["packages", "disk", "password"];
    let stands = |stage: &str| status.stages.get(stage).map_or("pending", String::as_str);
    if let Some(stage) = before.into_iter().find(|stage| stands(stage) != "ok") {
        return Err((Stage::CloudInit, format!("{stage}: {}", stands(stage))));
    }
    if status.container != "running" {
        return Err((Stage::Container, format!("{}; database: {}", status.container, stands("database"))));
    }
    if !status.tcp {
        return Err((Stage::Tcp, format!("no answer yet; database: {}", stands("database"))));
    }
    let Some(extension) = status.versions.as_ref().and_then(|versions| versions.timescaledb.clone()) else {
        return Err((Stage::Extension, "the database has no extension timescaledb yet".to_owned()));
    };
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    if !status.ready {
        return Err((Stage::Extension, format!("database: {}", stands("database"))));
    }
    Ok(extension)
}

/// Whether the file system is clearly smaller than its volume of so many GiB: ext4 keeps some two
/// or three percent for itself.
pub(super) fn is_small(size: u64, gib: u64) -> bool {
    size / 95 < (gib << 30) / 100
}

/// How long a database may stay in one stage. From what the stages wait for: EC2's checks take
/// some minutes, cloud-init installs packages, the container's image is pulled.
pub(super) fn patience(stage: Stage) -> Duration {
    let minutes = match stage {
        Stage::Instance => 5,
        Stage::StatusChecks => 10,
        Stage::CloudInit => 20,
        Stage::Container => 15,
        Stage::Tcp => 10,
        Stage::Authentication => 2,
        Stage::Extension => 5,
        Stage::FileSystem => 3,
    };
    Duration::from_secs(minutes * 60)
}

/// How long was waited in each stage. What goes back and forth, such as a container that starts
/// again and again, does not begin anew each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    spent: BTreeMap<Stage, Duration>,
    last: Option<(Stage, Duration)>,
}

impl Watch {
    /// Takes a look's stage in, at this time since the wait began; the time spent in it is over
    /// where it is longer than its patience.
    pub fn is_over(&mut self, stage: Stage, now: Duration) -> bool {
        if let Some((before, at)) = self.last.replace((stage, now)) {
            *self.spent.entry(before).or_default() += now.saturating_sub(at);
        }
        self.spent.get(&stage).is_some_and(|spent| *spent >= patience(stage))
    }
}

#[cfg(test)]
mod tests;
