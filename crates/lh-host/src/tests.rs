//! Unit tests: exact values, quoting, size, and that nothing secret can be there.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Read;

use base64::Engine;

use crate::template::{compose_string, fill, shell_word, without_comments};
use crate::*;

/// The dev stack of the reference.
pub(crate) fn dev() -> Host {
    Host {
        stack: "lighthouse-dev".into(),
        region: "us-east-1".into(),
        memory_gib: 1.0,
        vcpus: 2,
        database: "lighthouse_dev".into(),
        image: "timescale/timescaledb:2.17.2-pg16".into(),
        password: PasswordSource::Parameter("/lighthouse/dev/db/password".into()),
        dump: None,
        log_group: None,
        metrics: false,
        spot: true,
    }
}

/// The prod stack of the reference, and then some: everything that a host can be.
pub(crate) fn full() -> Host {
    Host {
        stack: "lighthouse-prod".into(),
        region: "us-east-1".into(),
        memory_gib: 2.0,
        vcpus: 2,
        database: "lighthouse".into(),
        image: "timescale/timescaledb:2.17.2-pg16".into(),
        password: PasswordSource::Secret("lighthouse/prod/db/password".into()),
        dump: Some(DumpTarget {
            bucket: "lighthouse-backups-prod".into(),
            on_calendar: "*-*-* 05:00:00".into(),
            keep_days: 35,
        }),
        log_group: Some("/lighthouse/prod/timescaledb".into()),
        metrics: true,
        spot: true,
    }
}

fn text(host: &Host, path: &str) -> String {
    let found = files(host).into_iter().find(|file| file.path == path);
    found.unwrap().text
}

/// The installer that is packed into the user data.
fn unpacked(rendered: &str) -> String {
    let line = rendered.lines().find(|l| l.starts_with("  content: H4s"));
    let packed = line.unwrap().trim_start_matches("  content: ");
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
    let mut out = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut out).unwrap();
    out
}

fn has(settings: &[(&str, String)], expected: &[(&str, &str)]) {
    for (name, value) in expected {
        let found = settings.iter().find(|(n, _)| n == name).unwrap();
        assert_eq!(found.1, *value, "{name}");
    }
}

#[test]
fn settings_are_the_measured_ones_for_1_and_2_gib() {
    let common = [
        ("max_connections", "25"),
        ("max_wal_size", "1GB"),
        ("timescaledb.max_background_workers", "16"),
        ("max_worker_processes", "21"),
    ];
    let one = memory_settings(1.0, 2);
    has(&one, &common);
    has(
        &one,
        &[
            ("shared_buffers", "256MB"),
            ("effective_cache_size", "768MB"),
            ("maintenance_work_mem", "128MB"),
            ("work_mem", "16MB"),
        ],
    );
    let two = memory_settings(2.0, 2);
    has(&two, &common);
    has(
        &two,
        &[
            ("shared_buffers", "512MB"),
            ("effective_cache_size", "1536MB"),
            ("maintenance_work_mem", "256MB"),
            ("work_mem", "32MB"),
        ],
    );
}

#[test]
fn settings_of_other_sizes_stay_within_their_limits() {
    has(
        &memory_settings(64.0, 16),
        &[
            ("shared_buffers", "16GB"),
            ("effective_cache_size", "48GB"),
            ("maintenance_work_mem", "2047MB"),
            ("work_mem", "32MB"),
            ("max_connections", "100"),
            ("max_worker_processes", "35"),
            ("max_locks_per_transaction", "1024"),
        ],
    );
    // One CPU still has a worker, and nonsense still has a value.
    has(&memory_settings(-1.0, 0), &[("shared_buffers", "128MB"), ("max_parallel_workers", "1")]);
    has(&memory_settings(16.0, 6), &[("work_mem", "21845kB")]);
}

/// FACTS: the guide's `chown 999:999` is another image's user.
#[test]
fn guide_defect_04_the_owner_follows_the_image_never_999() {
    for image in [
        "timescale/timescaledb:2.17.2-pg16",
        "timescale/timescaledb:2.17.2-pg16-oss",
        "registry.example:5000/timescale/timescaledb@sha256:0011",
        "timescale/timescaledb",
    ] {
        assert_eq!(container_user(image), (70, 70), "{image}");
    }
    for image in [
        "timescale/timescaledb-ha:pg16.6-ts2.17.2",
        "docker.io/timescale/timescaledb-ha:pg16@sha256:0011",
        "mirror/timescaledb:pg16-ha",
    ] {
        assert_eq!(container_user(image), (1000, 1000), "{image}");
    }
    for file in files(&full()) {
        assert!(!file.text.contains("999"), "{}", file.path);
    }
}

/// FACTS: NVMe names are not stable.
#[test]
fn nvme_names_are_used_nowhere_but_in_a_comment() {
    for file in files(&full()) {
        for line in file.text.lines().filter(|l| l.contains("/dev/nvme")) {
            assert!(line.starts_with('#'), "{}: {line}", file.path);
        }
    }
}

#[test]
fn every_part_is_rendered_in_its_place() {
    let two = UserData {
        parts: vec![
            Part::VolumeId,
            Part::Text("-".into()),
            Part::VolumeId,
            Part::VolumeId,
            Part::Text("x".into()),
            Part::Text("y".into()),
        ],
    };
    assert_eq!(two.render("vol-1"), "vol-1-vol-1vol-1xy");
    assert_eq!(two.max_len(), 3 * 21 + 3);
    assert_eq!(UserData { parts: vec![] }.render("vol-1"), "");
    let ours = user_data(&dev());
    let late = ours.parts.iter().filter(|p| **p == Part::VolumeId).count();
    assert_eq!(late, 1);
    let rendered = ours.render("vol-0123456789abcdef0");
    assert!(rendered.contains("\n    VOLUME_ID=vol-0123456789abcdef0\n"));
    assert_eq!(rendered.len(), ours.max_len());
}

#[test]
fn a_hostile_volume_id_stays_an_id() {
    let rendered = user_data(&dev()).render("vol-1'; rm -rf /\n- evil");
    assert!(rendered.contains("VOLUME_ID=vol-1rm-rf-evil\n"));
}

#[test]
fn user_data_stays_under_16_kb() {
    let mut host = full();
    let fits = user_data(&host).max_len();
    assert!(fits < MAX_USER_DATA, "{fits}");
    // Names at their AWS limits: 512 for a secret, 512 for a log group.
    host.password = PasswordSource::Secret("é".repeat(512));
    host.log_group = Some("g".repeat(512));
    host.image = format!("{}:{}", "r".repeat(255), "t".repeat(128));
    let long = user_data(&host).max_len();
    assert!(long < MAX_USER_DATA, "{long}");
}

#[test]
fn user_data_installs_every_file_and_starts_the_unit() {
    let rendered = user_data(&full()).render("vol-0123456789abcdef0");
    let installer = unpacked(&rendered);
    assert_eq!(installer, install::installer(&full()));
    for file in files(&full()) {
        assert!(installer.contains(&without_comments(&file.text)), "{}", file.path);
        assert!(file.text.ends_with('\n'), "{}", file.path);
        assert!(!file.text.contains("LHCTL_END_OF_FILE"), "{}", file.path);
    }
    assert!(rendered.ends_with(
        "runcmd:\n- [/usr/local/sbin/lhctl-host-install]\n- [systemctl, start, lhctl-host.service]\n"
    ));
    assert_eq!(rendered, user_data(&full()).render("vol-0123456789abcdef0"), "equal hosts give equal bytes");
}

#[test]
fn no_placeholder_is_left() {
    for host in [dev(), full()] {
        let all = install::refresh(&host, "vol-1");
        for (at, _) in all.match_indices('@') {
            let rest = &all[at + 1..];
            let name = rest.split('@').next().unwrap();
            let looks = !name.is_empty()
                && rest.contains('@')
                && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            assert!(!looks, "@{name}@ is not replaced");
        }
    }
}

/// The password is a name until the host reads it, into a file that the
/// container is pointed at: no variable, no argument, no log takes it.
#[test]
fn no_secret_material_is_written_or_put_on_a_command_line() {
    let all = install::refresh(&full(), "vol-1");
    assert!(all.contains("POSTGRES_PASSWORD_FILE"));
    assert!(!all.contains("POSTGRES_PASSWORD:"));
    assert!(!all.contains("POSTGRES_PASSWORD="));
    assert!(!all.contains("set -x"));
    for line in all.lines().filter(|l| l.contains("PASSWORD")) {
        assert!(!line.contains("echo "), "{line}");
    }
    let conf = install::conf(&full(), "vol-1");
    assert!(conf.contains("PASSWORD_FROM=secret\nPASSWORD_NAME='lighthouse/prod/db/password'\n"));
}

#[test]
fn compose_pins_image_and_settings() {
    let text = text(&dev(), scripts::COMPOSE);
    for line in [
        "    image: \"timescale/timescaledb:2.17.2-pg16\"",
        "    container_name: timescaledb",
        "    restart: unless-stopped",
        "    ports: [\"5432:5432\"]",
        "      TIMESCALEDB_TELEMETRY: \"off\"",
        "      -c shared_buffers=256MB",
        "      -c shared_preload_libraries=timescaledb,pg_stat_statements",
        "      -c ssl=on",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}");
    }
    assert_eq!(text.matches("create_host_path: false").count(), 3);
}

#[test]
fn values_are_quoted_where_they_are_written() {
    let mut host = full();
    host.stack = "it's $(reboot)\nX=1".into();
    host.database = "a\"b$c".into();
    host.log_group = Some("g\"\\".into());
    host.image = "@DATABASE@".into();
    if let Some(dump) = &mut host.dump {
        dump.on_calendar = "daily\n[Service]\nExecStart=%h".into();
    }
    let conf = install::conf(&host, "vol-1");
    assert!(conf.starts_with("STACK='it'\\''s $(reboot)X=1'\n"));
    let compose = text(&host, scripts::COMPOSE);
    assert!(compose.contains("POSTGRES_DB: \"a\\\"b$$c\"\n"));
    assert!(compose.contains("image: \"@DATABASE@\"\n"));
    let timer = text(&host, "/etc/systemd/system/lhctl-backup.timer");
    assert!(timer.contains("OnCalendar=daily[Service]ExecStart=%%h\n"));
    let agent = text(&host, "/etc/lhctl/cloudwatch.json");
    let agent: serde_json::Value = serde_json::from_str(&agent).unwrap();
    let first = &agent["logs"]["logs_collected"]["files"]["collect_list"][0];
    assert_eq!(first["log_group_name"], "g\"\\");
    assert_eq!(shell_word("a'b"), r"'a'\''b'");
    assert_eq!(compose_string("a$b\u{7}"), "\"a$$b\"");
}

#[test]
fn an_unknown_placeholder_stays_and_values_are_not_read_again() {
    assert_eq!(fill("@A@ @B@ a@b", &[("A", "@B@")]), "@B@ @B@ a@b");
    assert_eq!(fill("x@", &[]), "x@");
}

#[test]
fn the_agent_reports_what_was_asked_for_and_else_is_absent() {
    let path = "/etc/lhctl/cloudwatch.json";
    let mut host = full();
    let all: serde_json::Value = serde_json::from_str(&text(&host, path)).unwrap();
    assert_eq!(all["metrics"]["metrics_collected"]["disk"]["resources"][0], MOUNT_POINT);
    host.log_group = None;
    let metrics: serde_json::Value = serde_json::from_str(&text(&host, path)).unwrap();
    assert!(metrics.get("logs").is_none() && metrics.get("metrics").is_some());
    host.metrics = false;
    assert!(files(&host).iter().all(|file| file.path != path));
}

/// An alarm gets data only if its dimensions are, to the letter, those of a published metric: the
/// stack's alarms have `InstanceId` alone.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html>
#[test]
fn what_the_agent_publishes_is_rolled_up_to_the_instance_alone() {
    let agent: serde_json::Value =
        serde_json::from_str(&text(&full(), "/etc/lhctl/cloudwatch.json")).unwrap();
    let metrics = &agent["metrics"];
    assert_eq!(metrics["append_dimensions"], serde_json::json!({ "InstanceId": "${aws:InstanceId}" }));
    assert_eq!(metrics["aggregation_dimensions"], serde_json::json!([["InstanceId"]]));
    // No namespace of its own: the agent's is CWAgent, which the alarms and the dashboard ask.
    assert!(metrics.get("namespace").is_none());
    for part in ["mem", "disk"] {
        let part = &metrics["metrics_collected"][part];
        assert_eq!(part["measurement"], serde_json::json!(["used_percent"]));
        assert!(part.get("append_dimensions").is_none());
    }
    // One file system: the roll-up is of the data volume and of nothing else.
    assert_eq!(metrics["metrics_collected"]["disk"]["resources"], serde_json::json!([MOUNT_POINT]));
}

#[test]
fn stages_are_the_ones_that_the_scripts_go_through() {
    assert!(scripts::lib().contains(&format!("STAGES=\"{}\"", scripts::STAGES.join(" "))));
    for stage in scripts::STAGES {
        assert!(scripts::setup().contains(&format!("stage_{stage}() {{")), "{stage}");
    }
}

#[test]
fn without_a_dump_target_the_host_still_dumps_daily_for_a_week() {
    let timer = text(&dev(), "/etc/systemd/system/lhctl-backup.timer");
    assert!(timer.contains("OnCalendar=daily\n"));
    let conf = install::conf(&dev(), "vol-1");
    assert!(conf.contains("BUCKET=''\nKEEP_DAYS=7\n"));
}
