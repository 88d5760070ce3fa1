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
    pub direct: Direct,
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

/// What a session from here came to.
#[derive(Clone, Debug)]
pub(super) enum Direct {
    /// It was not tried, for this reason.
    Untried(String),
    /// There is none.
    Problem(ConnectProblem),
    /// It found the extension, at this version.
    Answered(String),
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
    if let Direct::Answered(extension) = &look.direct {
        return Verdict::Ready(Ready { path: Path::Direct, extension: extension.clone(), grown: None });
    }
    match &look.host {
        Ok(status) => of_host(status, &look.direct),
        Err(why) => before_the_host(&look.instance, why, &look.direct),
    }
}

/// The host cannot be asked, and the database does not answer: what EC2 shows is all there is.
fn before_the_host(instance: &Instance, why: &str, direct: &Direct) -> Verdict {
    match (instance, direct) {
        // Whoever is refused has met a database that serves. A host that has just got an older
        // volume still brings its password into line, so that this may pass, but soon.
        (_, Direct::Problem(problem @ (ConnectProblem::Password(_) | ConnectProblem::Tls(_)))) => {
            Verdict::At(Stage::Authentication, problem.to_string())
        }
        (_, Direct::Problem(problem @ ConnectProblem::Extension)) => {
            Verdict::At(Stage::Extension, problem.to_string())
        }
        (Instance::Not(state), _) => Verdict::At(Stage::Instance, format!("it is {state}")),
        (Instance::Impaired(what), _) => Verdict::At(Stage::StatusChecks, format!("failed: {what}")),
        (Instance::Checking(what), _) => Verdict::At(Stage::StatusChecks, what.clone()),
        (Instance::Sound | Instance::Unknown(_), _) => Verdict::At(Stage::CloudInit, why.to_owned()),
    }
}

fn of_host(status: &HostStatus, direct: &Direct) -> Verdict {
    // Swap helps a small host and the agent reports: neither keeps a database from serving.
    let before = ["packages", "disk", "password"];
    let stands = |stage: &str| status.stages.get(stage).map_or("pending", String::as_str);
    if let Some(stage) = before.into_iter().find(|stage| stands(stage) != "ok") {
        return Verdict::At(Stage::CloudInit, format!("{stage}: {}", stands(stage)));
    }
    if status.container != "running" {
        return Verdict::At(
            Stage::Container,
            format!("{}; database: {}", status.container, stands("database")),
        );
    }
    if !status.tcp {
        return Verdict::At(Stage::Tcp, format!("no answer yet; database: {}", stands("database")));
    }
    let Some(extension) = status.versions.as_ref().and_then(|versions| versions.timescaledb.clone()) else {
        return Verdict::At(Stage::Extension, "the database has no extension timescaledb yet".to_owned());
    };
    match direct {
        Direct::Problem(problem @ (ConnectProblem::Password(_) | ConnectProblem::Tls(_))) => {
            Verdict::At(Stage::Authentication, problem.to_string())
        }
        _ if !status.ready => Verdict::At(Stage::Extension, format!("database: {}", stands("database"))),
        Direct::Problem(problem) => {
            Verdict::Ready(Ready { path: Path::Host(problem.to_string()), extension, grown: None })
        }
        Direct::Untried(why) => {
            Verdict::Ready(Ready { path: Path::Host(why.clone()), extension, grown: None })
        }
        Direct::Answered(_) => Verdict::Ready(Ready { path: Path::Direct, extension, grown: None }),
    }
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use lh_host::Versions;

    use super::*;

    fn host(done: &[&str]) -> HostStatus {
        HostStatus {
            stages: done.iter().map(|stage| ((*stage).to_owned(), "ok".to_owned())).collect(),
            ..HostStatus::default()
        }
    }

    fn serving() -> HostStatus {
        HostStatus {
            ready: true,
            container: "running".to_owned(),
            tcp: true,
            versions: Some(Versions { server: "16.6".to_owned(), timescaledb: Some("2.17.2".to_owned()) }),
            ..host(&["packages", "disk", "password", "database"])
        }
    }

    fn look(instance: Instance, host: Result<HostStatus, String>, direct: Direct) -> Look {
        Look { instance, host, direct }
    }

    fn silent() -> Direct {
        Direct::Problem(ConnectProblem::Silent(5))
    }

    fn stage(verdict: Verdict) -> Stage {
        match verdict {
            Verdict::At(stage, _) => stage,
            Verdict::Ready(ready) => panic!("{ready:?}"),
        }
    }

    /// Every stage is told by its name, in the order in which a first boot goes through them.
    #[test]
    fn the_stages_are_told_in_their_order() {
        let unasked = || Err("the agent is not online".to_owned());
        let mut container = host(&["packages", "disk", "password"]);
        let mut seen = vec![
            look(Instance::Not("pending".to_owned()), unasked(), silent()),
            look(Instance::Checking("initializing".to_owned()), unasked(), silent()),
            look(Instance::Sound, unasked(), silent()),
            look(Instance::Sound, Ok(host(&["packages"])), silent()),
            look(Instance::Sound, Ok(container.clone()), silent()),
        ];
        container.container = "running".to_owned();
        seen.push(look(Instance::Sound, Ok(container.clone()), silent()));
        container.tcp = true;
        seen.push(look(Instance::Sound, Ok(container), silent()));
        let stages: Vec<Stage> = seen.iter().map(|look| stage(judge(look))).collect();
        let wanted = [
            Stage::Instance,
            Stage::StatusChecks,
            Stage::CloudInit,
            Stage::CloudInit,
            Stage::Container,
            Stage::Tcp,
            Stage::Extension,
        ];
        assert_eq!(stages, wanted);
        assert!(stages.is_sorted());
    }

    /// The image's first server answers on its socket only, before it restarts: the set-up has not
    /// gone through then.
    #[test]
    fn the_initialising_server_is_not_ready() {
        let initialising = HostStatus { ready: false, tcp: false, ..serving() };
        assert_eq!(stage(judge(&look(Instance::Sound, Ok(initialising), silent()))), Stage::Tcp);
        let not_set_up = HostStatus { ready: false, ..serving() };
        assert_eq!(stage(judge(&look(Instance::Sound, Ok(not_set_up), silent()))), Stage::Extension);
    }

    #[test]
    fn a_session_from_here_says_more_than_anything_else() {
        let seen = look(
            Instance::Unknown("denied".to_owned()),
            Err("denied".to_owned()),
            Direct::Answered("2.17.2".to_owned()),
        );
        let Verdict::Ready(ready) = judge(&seen) else { panic!() };
        assert_eq!((ready.path, ready.extension.as_str()), (Path::Direct, "2.17.2"));
    }

    #[test]
    fn without_a_way_from_here_the_host_is_believed() {
        let Verdict::Ready(ready) = judge(&look(Instance::Sound, Ok(serving()), silent())) else { panic!() };
        assert!(matches!(ready.path, Path::Host(why) if why.contains("5 s")));
    }

    #[test]
    fn a_wrong_password_is_told_whatever_the_host_says() {
        let refused =
            || Direct::Problem(ConnectProblem::Password("password authentication failed".to_owned()));
        for host in [Ok(serving()), Err("the agent is not online".to_owned())] {
            let verdict = judge(&look(Instance::Sound, host, refused()));
            assert!(matches!(verdict, Verdict::At(Stage::Authentication, _)), "{verdict:?}");
        }
    }

    #[test]
    fn what_ext4_keeps_for_itself_is_not_missing() {
        // A volume of 20 GiB, as `df` shows it, and the same after the volume was doubled.
        let df = 20_957_446_144;
        assert!(!is_small(df, 20) && is_small(df, 40));
    }

    #[test]
    fn time_is_counted_a_stage() {
        let mut watch = Watch::default();
        let minutes = |n: u64| Duration::from_secs(n * 60);
        assert!(!watch.is_over(Stage::StatusChecks, minutes(0)));
        assert!(!watch.is_over(Stage::StatusChecks, minutes(9)));
        assert!(!watch.is_over(Stage::CloudInit, minutes(12)), "another stage has time of its own");
        assert!(!watch.is_over(Stage::CloudInit, minutes(31)));
        assert!(watch.is_over(Stage::CloudInit, minutes(32)));
    }

    /// A container that crashes and is started again shows two stages by turns.
    #[test]
    fn what_goes_back_and_forth_comes_to_an_end() {
        let mut watch = Watch::default();
        let over = (0..120u64).find(|minute| {
            let stage = if minute % 2 == 0 { Stage::Container } else { Stage::Tcp };
            watch.is_over(stage, Duration::from_secs(minute * 60))
        });
        assert_eq!(over, Some(21), "ten minutes in the stage with the shorter patience");
    }
}
