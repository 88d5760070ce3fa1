//! What a stack's host says of itself, asked once over the way to it: how far it is, what it has
//! restored, and who answered. It changes nothing there.

use std::time::Duration;

use lh_host::{HostStatus, Script, Stream, scripts};
use serde::Deserialize;

use crate::{Deployment, Error};

/// How long the host may take to answer.
const DEADLINE: Duration = Duration::from_secs(60);
/// A drill that is older than this proves little: in seconds.
const DRILL_LASTS: i64 = 35 * 86_400;

/// A host's answer.
#[derive(Clone, Debug)]
pub(crate) struct HostSight {
    /// The way that led to it.
    pub way: String,
    /// Who answered, on which host.
    pub who: String,
    /// What it says of itself; none before its scripts are installed.
    pub status: Option<HostStatus>,
    /// The name of its newest dump.
    pub last_backup: Option<String>,
    /// Its last drill, where its note can be read.
    pub last_drill: Option<DrillSight>,
    /// Whether there is a note of a drill.
    pub drill_kept: bool,
    /// Its clock, in seconds since 1970.
    pub now: i64,
}

/// A restore that was tried: what `backups/last-drill.json` on the data volume says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct DrillSight {
    /// `passed` or `failed`.
    pub result: String,
    /// Why it failed.
    pub reason: String,
    /// The dump.
    pub backup: String,
    /// When it ended, in seconds since 1970, by the host's clock.
    pub at: i64,
    /// When the last one that passed ended; none is known from older hosts.
    pub last_passed: Option<i64>,
    /// How long the restore took, in seconds.
    pub seconds: i64,
}

/// What is to be thought of the last drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drilled {
    /// A dump was restored, not long ago.
    Proven,
    /// It was, and that is long ago.
    Old,
    /// It was tried and failed.
    Failed,
    /// It was never tried.
    Never,
    /// There is a note of it that cannot be read.
    Unread,
}

impl HostSight {
    /// Whether what is backed up is known to restore.
    pub fn drilled(&self) -> Drilled {
        match &self.last_drill {
            None if self.drill_kept => Drilled::Unread,
            None => Drilled::Never,
            Some(drill) if drill.result != "passed" => Drilled::Failed,
            Some(drill) if self.now - drill.at > DRILL_LASTS => Drilled::Old,
            Some(_) => Drilled::Proven,
        }
    }
}

/// Why a host did not answer.
#[derive(Clone, Debug)]
pub(crate) struct Silence {
    /// Why, a sentence without a full stop.
    pub reason: String,
    /// What to do.
    pub fix: String,
}

impl Silence {
    fn lost(reason: impl Into<String>) -> Self {
        let fix = "Look at the instance's system log, and at `lhctl doctor STACK`, which checks what the way to it needs.";
        Self { reason: reason.into(), fix: fix.to_owned() }
    }
}

/// The answer of the host's status that only some of its versions give.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Further {
    last_backup: Option<String>,
    #[serde(deserialize_with = "lh_host::day2::kept")]
    last_drill: Option<DrillSight>,
    drill_kept: bool,
}

impl Deployment {
    /// Asks the stack's host.
    pub(crate) async fn host_sight(&self) -> Result<HostSight, Silence> {
        let shell = self.shell().await.map_err(|error| match error {
            Error::Host { reason, fix } => Silence { reason: reason.trim_end_matches('.').to_owned(), fix },
            error => Silence::lost(error.to_string()),
        })?;
        let text =
            format!("echo \"$(id -un) on $(uname -n)\"\ndate +%s\n[ ! -x {0} ] || {0}\n", scripts::STATUS);
        let script = Script { title: "how it is".to_owned(), text, deadline: DEADLINE };
        let (mut said, mut errors) = (String::new(), String::new());
        let mut tell = |stream: Stream, piece: &str| match stream {
            Stream::Out => said.push_str(piece),
            Stream::Err => errors.push_str(piece),
        };
        let ended = shell.run(&script, &mut tell).await;
        match ended {
            Ok(0) => {
                read(shell.way(), &said).ok_or_else(|| Silence::lost("The host gave no sensible answer"))
            }
            Ok(status) => {
                let last = errors.trim().lines().last().unwrap_or("nothing was said").to_owned();
                Err(Silence::lost(format!("A script that only looks ended with {status}: {last}")))
            }
            Err(error) => Err(Silence::lost(error.to_string())),
        }
    }
}

fn read(way: String, said: &str) -> Option<HostSight> {
    let mut lines = said.lines();
    let (who, now) = (lines.next()?.to_owned(), lines.next()?.trim().parse().ok()?);
    let rest: Vec<&str> = lines.collect();
    let further = rest.iter().rev().find_map(|line| serde_json::from_str::<Further>(line).ok());
    let Further { last_backup, last_drill, drill_kept } = further.unwrap_or_default();
    let status = HostStatus::read(&rest.join("\n"));
    Some(HostSight { way, who, status, last_backup, last_drill, drill_kept, now })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_answer_is_read_with_what_only_newer_hosts_say() {
        let old = r#"{"stack":"s","volume":"vol-1","ready":true,"stages":{"disk":"ok"},"container":"running","tcp":true,"versions":null,"disk":null,"last_backup":null}"#;
        let of = |line: &str| read("SSH".into(), &format!("root on h\n1000\n{line}\n")).unwrap();
        let sight = of(old);
        assert_eq!((sight.who.as_str(), sight.now, sight.drilled()), ("root on h", 1000, Drilled::Never));
        assert!(sight.status.is_some_and(|status| status.ready));
        let drill = |result: &str, at: i64| {
            let drill = format!(
                r#""last_backup":"d.sql.gz","last_drill":{{"result":"{result}","at":{at},"more":1}}"#
            );
            of(&old.replace(r#""last_backup":null"#, &drill)).drilled()
        };
        assert_eq!(drill("passed", 900), Drilled::Proven);
        assert_eq!(drill("failed", 900), Drilled::Failed);
        assert_eq!(drill("passed", 1000 - DRILL_LASTS - 1), Drilled::Old);
        assert!(read("SSH".into(), "what").is_none());
        // As strings, of which one may be damaged without harm to the rest.
        let kept = |drill: &str| {
            of(&old.replace("null}", &format!(r#""d.sql.gz","last_drill":{drill},"drill_kept":true}}"#)))
        };
        assert_eq!(kept(r#""{\"result\":\"passed\",\"at\":900}""#).drilled(), Drilled::Proven);
        let damaged = kept(r#""{\"result\":\"pas""#);
        assert_eq!(damaged.drilled(), Drilled::Unread);
        assert!(damaged.status.is_some_and(|status| status.ready));
    }
}
