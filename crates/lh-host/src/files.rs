//! Every file that a host gets, but the one that names its volume.

use crate::template::{compose_string, fill, json_string, unit_value};
use crate::{Host, LOG_FILE, MOUNT_POINT, memory_settings, scripts, settings::shared_memory};

/// When a stack names no dump target: onto the volume only, and briefly.
const DEFAULT_CALENDAR: &str = "daily";
const DEFAULT_KEEP_DAYS: u32 = 7;

/// The CloudWatch agent's configuration, where there is an agent.
pub(crate) const AGENT: &str = "/etc/lhctl/cloudwatch.json";

/// One file on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies.
    pub path: &'static str,
    /// Its permissions, octal as `chmod` reads them.
    pub mode: &'static str,
    /// What is in it.
    pub text: String,
}

/// The files of `host`: scripts, units, the compose file, the agent's
/// configuration. None holds a secret, and none the id of the volume.
#[must_use]
pub fn files(host: &Host) -> Vec<File> {
    let program = |path, text| File { path, mode: "0755", text };
    let plain = |path, text: String| File { path, mode: "0644", text };
    let mut all = vec![
        plain(scripts::LIB, scripts::lib()),
        program(scripts::DISK, scripts::disk()),
        program(scripts::SETUP, scripts::setup()),
        program(scripts::STATUS, scripts::status()),
        program(scripts::BACKUP, scripts::backup()),
        program(scripts::SPOT, scripts::spot()),
        plain(scripts::COMPOSE, compose(host)),
        plain("/etc/systemd/system/lhctl-host.service", include_str!("host/setup.service").to_owned()),
        plain("/etc/systemd/system/lhctl-backup.service", include_str!("host/backup.service").to_owned()),
        plain("/etc/systemd/system/lhctl-backup.timer", timer(host)),
        plain("/etc/systemd/system/lhctl-spot.service", include_str!("host/spot.service").to_owned()),
        plain("/etc/logrotate.d/lhctl", include_str!("host/logrotate.conf").to_owned()),
    ];
    if let Some(text) = agent(host) {
        all.push(plain(AGENT, text));
    }
    all
}

/// Days that a dump stays on the volume.
pub(crate) fn keep_days(host: &Host) -> u32 {
    host.dump.as_ref().map_or(DEFAULT_KEEP_DAYS, |dump| dump.keep_days)
}

fn compose(host: &Host) -> String {
    let fixed = [
        // Both must be loaded at start; the image loads only the first.
        ("shared_preload_libraries", "timescaledb,pg_stat_statements"),
        ("timescaledb.telemetry_level", "off"),
        ("ssl", "on"),
        ("ssl_cert_file", "/tls/server.crt"),
        ("ssl_key_file", "/tls/server.key"),
        // gp3 is an SSD; the rest as timescaledb-tune has it.
        ("random_page_cost", "1.1"),
        ("effective_io_concurrency", "256"),
        ("autovacuum_naptime", "10"),
        ("default_toast_compression", "lz4"),
        ("jit", "off"),
    ];
    let settings = memory_settings(host.memory_gib, host.vcpus)
        .into_iter()
        .chain(fixed.map(|(name, value)| (name, value.to_owned())))
        .map(|(name, value)| format!("      -c {name}={value}"))
        .collect::<Vec<_>>()
        .join("\n");
    fill(
        include_str!("host/compose.yml"),
        &[
            ("IMAGE", &compose_string(&host.image)),
            ("DATABASE", &compose_string(&host.database)),
            ("SETTINGS", &settings),
            ("SHARED", &shared_memory(host.memory_gib).to_string()),
        ],
    )
}

fn timer(host: &Host) -> String {
    let when = host.dump.as_ref().map_or(DEFAULT_CALENDAR, |dump| dump.on_calendar.as_str());
    fill(include_str!("host/backup.timer"), &[("ON_CALENDAR", &unit_value(when))])
}

/// The CloudWatch agent's configuration, or none if it has nothing to report.
fn agent(host: &Host) -> Option<String> {
    let mut parts = vec![
        // Docker's logs are root's.
        r#""agent": {"metrics_collection_interval": 60, "run_as_user": "root"}"#.to_owned(),
    ];
    if host.metrics {
        // Rolled up to the instance alone: an alarm must name every dimension,
        // and would else have to know the type of the file system.
        parts.push(format!(
            r#""metrics": {{
    "append_dimensions": {{"InstanceId": "${{aws:InstanceId}}"}},
    "aggregation_dimensions": [["InstanceId"]],
    "metrics_collected": {{
      "mem": {{"measurement": ["used_percent"]}},
      "disk": {{"measurement": ["used_percent"], "resources": ["{MOUNT_POINT}"], "drop_device": true}}
    }}
  }}"#
        ));
    }
    if let Some(group) = &host.log_group {
        let group = json_string(group);
        let entries = [
            (LOG_FILE, "host"),
            ("/var/log/cloud-init-output.log", "cloud-init"),
            ("/var/lib/docker/containers/*/*-json.log", "timescaledb"),
        ]
        .map(|(path, stream)| {
            format!(
                r#"      {{"file_path": "{path}", "log_group_name": {group}, "log_stream_name": "{{instance_id}}/{stream}"}}"#
            )
        })
        .join(",\n");
        parts.push(format!(
            "\"logs\": {{\"logs_collected\": {{\"files\": {{\"collect_list\": [\n{entries}\n  ]}}}}}}"
        ));
    }
    (parts.len() > 1).then(|| format!("{{\n  {}\n}}\n", parts.join(",\n  ")))
}
