//! What a host says of itself: the JSON line of [`crate::scripts::STATUS`], read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a host is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostStatus {
    /// `<name>-<environment>`.
    pub stack: String,
    /// The id of its data volume.
    pub volume: String,
    /// Whether its set-up went through and the database answers now.
    pub ready: bool,
    /// Each stage of [`crate::scripts::STAGES`]: `pending`, `running`, `ok`, or `failed: ` and why.
    pub stages: BTreeMap<String, String>,
    /// The container's state in Docker's words, or `absent`.
    pub container: String,
    /// Whether the database answers over TCP, with TLS and its password, on the host's own network.
    pub tcp: bool,
    /// What runs, if a session could ask.
    pub versions: Option<Versions>,
    /// The data volume's file system, if it is mounted.
    pub disk: Option<DiskUse>,
    /// The file name of the newest dump on the volume.
    pub last_backup: Option<String>,
    /// Its description, without the rows of each table; none where it cannot be read.
    #[serde(deserialize_with = "crate::day2::kept")]
    pub backup: Option<crate::day2::Backup>,
    /// The last drill, where its note can be read.
    #[serde(deserialize_with = "crate::day2::kept")]
    pub last_drill: Option<crate::day2::Drill>,
}

/// Versions of server and extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Versions {
    /// PostgreSQL's, as `server_version` says it.
    pub server: String,
    /// TimescaleDB's; none where the database has no such extension.
    pub timescaledb: Option<String>,
}

/// The space of a file system, in bytes, as `statfs` counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DiskUse {
    /// Its size.
    pub size: u64,
    /// What is used.
    pub used: u64,
    /// What is left for users that are not root.
    pub available: u64,
}

impl HostStatus {
    /// Reads what the status script printed; what else came on its output is passed over. None if
    /// no line of it is a status: the host is not set up that far.
    #[must_use]
    pub fn read(output: &str) -> Option<Self> {
        let lines = output.lines().rev().filter(|line| line.starts_with('{'));
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .find(|status: &Self| !status.stages.is_empty())
    }

    /// The first stage that did not go well yet, and how it stands.
    #[must_use]
    pub fn unfinished(&self) -> Option<(&'static str, &str)> {
        let of = |stage: &&'static str| Some((*stage, self.stages.get(*stage)?.as_str()));
        crate::scripts::STAGES.iter().filter_map(of).find(|(_, stands)| *stands != "ok")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LINE: &str = r#"{"stack":"lighthouse-dev","volume":"vol-1","ready":false,"stages":{"swap":"ok","packages":"ok","disk":"failed: not attached","password":"pending"},"container":"absent","tcp":false,"versions":null,"disk":null,"last_backup":null}"#;

    #[test]
    fn the_status_is_found_among_what_else_was_printed() {
        let status = HostStatus::read(&format!("warning: {{}}\n{{\"other\": 1}}\n{LINE}\n")).unwrap();
        assert_eq!((status.volume.as_str(), status.container.as_str()), ("vol-1", "absent"));
        assert_eq!(status.unfinished(), Some(("disk", "failed: not attached")));
    }

    #[test]
    fn a_host_without_the_script_has_no_status() {
        assert_eq!(HostStatus::read("bash: lhctl-host-status: No such file or directory\n"), None);
        assert_eq!(HostStatus::read("{}"), None);
    }

    #[test]
    fn a_host_that_is_ready_tells_its_versions_and_its_disk() {
        let line = LINE
            .replace("\"versions\":null", "\"versions\":{\"server\":\"16.6\",\"timescaledb\":\"2.17.2\"}");
        let line = line.replace("\"disk\":null", "\"disk\":{\"size\":100,\"used\":40,\"available\":55}");
        let status = HostStatus::read(&line).unwrap();
        assert_eq!(status.versions.unwrap().timescaledb.as_deref(), Some("2.17.2"));
        assert_eq!(status.disk.unwrap().size, 100);
    }
}
