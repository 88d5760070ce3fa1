//! The host's scripts, really run: as root, in a mount namespace of their own,
//! with loop devices, real file systems and, where there is one, a real
//! PostgreSQL. What this machine lacks is said on standard error, as a line that
//! begins with SKIPPED; `tests/host-scripts/sandbox.sh` has the details.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lh_host::{DumpTarget, Host, PasswordSource, day2, files, install, memory_settings, scripts, user_data};

const VOLUME: &str = "vol-0123456789abcdef0";

fn host() -> Host {
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
            on_calendar: "daily".into(),
            keep_days: 35,
        }),
        log_group: None,
        metrics: false,
        spot: true,
    }
}

/// The same with an agent on it.
fn watched() -> Host {
    Host { log_group: Some("/lighthouse/prod".into()), metrics: true, ..host() }
}

/// The scripts that are sent when they are needed; the cases put their values in.
fn sent() -> Vec<(&'static str, String)> {
    let from = |text: String| text.replace("FROM=''", "FROM='@FROM@'");
    let restore = |run| {
        let restore = day2::Restore { name: "@NAME@".into(), from: None, into: Some("@INTO@".into()), run };
        from(day2::restore(&restore))
    };
    let next = Host { image: "timescale/timescaledb:2.18.0-pg16".into(), ..host() };
    let dump = DumpTarget { bucket: "elsewhere".into(), on_calendar: "weekly".into(), keep_days: 14 };
    let other = Host { dump: Some(dump), memory_gib: 8.0, ..next.clone() };
    vec![
        ("renew", install::renew(&other)),
        ("backup", day2::backup()),
        ("backups", day2::backups(false)),
        ("backups-check", day2::backups(true)),
        ("restore-plan", restore(false)),
        ("restore", restore(true)),
        ("drill", from(day2::drill(None))),
        ("retained", day2::retained()),
        ("release", day2::release_retained(&["@ONLY@".into()])),
        ("upgrade-plan", day2::upgrade(&next, VOLUME, false)),
        ("upgrade", day2::upgrade(&next, VOLUME, true)),
        ("disk", day2::disk(false)),
        ("disk-grow", day2::disk(true)),
        ("logs", day2::logs(&day2::Logs { since: Some("2h".into()), lines: 100, follow: false })),
        ("psql", day2::psql("SELECT count(*) FROM checks;", false)),
        ("psql-wrong", day2::psql("SELEKT 1;\nSELECT 2;", true)),
    ]
}

/// Past the test harness, which keeps what passing tests print to itself.
fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("lh-host-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Why the sandbox cannot be had here, if it cannot.
fn obstacle(work: &Path) -> Option<&'static str> {
    let image = work.join("probe.img");
    fs::File::create(&image).unwrap().set_len(1 << 20).unwrap();
    let probe =
        "[ \"$(id -u)\" = 0 ] || exit 1; loop=$(losetup -f --show \"$0\") || exit 1; losetup -d \"$loop\"";
    if !succeeds("bash", &["-c", probe, &image.to_string_lossy()]) {
        return Some("it needs root and loop devices (losetup)");
    }
    if !succeeds("unshare", &["-m", "--propagation", "private", "true"]) {
        return Some("it needs a mount namespace (unshare -m)");
    }
    None
}

fn sandboxed(case: &str, imds: Option<String>) {
    let work = scratch(case);
    if let Some(why) = obstacle(&work) {
        skipped(case, why);
        return;
    }
    fs::write(work.join("install"), install::installer(&host())).unwrap();
    fs::write(work.join("install-watched"), install::installer(&watched())).unwrap();
    fs::write(work.join("conf"), install::conf(&host(), VOLUME)).unwrap();
    fs::write(work.join("sizes"), sizes()).unwrap();
    fs::create_dir(work.join("sent")).unwrap();
    for (name, text) in sent() {
        fs::write(work.join("sent").join(name), text).unwrap();
    }
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host-scripts/sandbox.sh");
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private"])
        .arg(driver)
        .arg(&work)
        .arg(case)
        .envs(imds.map(|url| ("LHCTL_IMDS", url)))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    judge(case, &output);
    let _ = fs::remove_dir_all(&work);
}

fn judge(case: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said.lines().filter(|line| line.starts_with("SKIPPED")) {
        skipped(case, line.trim_start_matches("SKIPPED").trim_start_matches(':').trim());
    }
    let err = String::from_utf8_lossy(&output.stderr);
    let ok = matches!(output.status.code(), Some(0 | 77));
    assert!(ok, "{case}: {}\n{said}\n{err}", output.status);
}

/// Lines of `KIB CPUS setting=value…`: /proc/meminfo shows some 5 % less than
/// the type has.
fn sizes() -> String {
    let mut out = String::new();
    for (gib, cpus) in [(0.5, 2), (1.0, 2), (2.0, 1), (4.0, 2), (8.0, 2), (16.0, 4), (64.0, 16), (384.0, 48)]
    {
        let kib = gib * 1_048_576.0 * 0.94;
        let all = memory_settings(gib, cpus);
        let all = all.iter().map(|(name, value)| format!("{name}={value}"));
        let line = all.collect::<Vec<_>>().join(" ");
        let sized = Host { memory_gib: gib, vcpus: cpus, ..host() };
        let compose = files(&sized).into_iter().find(|file| file.path == scripts::COMPOSE).unwrap().text;
        let shared = compose.lines().find_map(|line| line.trim().strip_prefix("shm_size: ")).unwrap();
        let line = format!("shm_size={shared} {line}");
        out.push_str(&format!("{kib:.0} {cpus} {line}\n"));
    }
    out
}

macro_rules! sandboxed {
    ($($case:ident)*) => { $( #[test] fn $case() { sandboxed(stringify!($case), None); } )* };
}

sandboxed! {
    disk_blank_then_again
    disk_of_another_keeps_its_data
    disk_unknown_content_is_refused
    disk_known_but_foreign_is_refused
    disk_partitions
    disk_missing
    disk_grown
    disk_half_formatted
    disk_twin
    backup_rotates_only_after_success
    backup_full_disk
    backup_without_volume
    backup_leaves_room_for_the_database
    backup_without_counts_is_a_backup_still
    backup_sweeps_what_a_restore_left
    setup_tries_again_what_failed_beside_the_database
    backup_one_at_a_time
    setup_first_run_reboot_and_new_instance
    setup_half_finished_cluster
    setup_uses_a_cluster_laid_out_otherwise
    setup_stops_at_the_first_failure
    retune_agrees_with_memory_settings
    swap_where_memory_is_small
    agent_follows_what_is_watched
    restore_puts_back_what_was_lost_and_keeps_the_old_one
    guide_defect_01_restore_never_stops_the_container
    guide_defect_02_restore_never_pipes_into_the_live_database
    backup_counts_in_the_snapshot_of_the_dump
    restore_refuses_what_does_not_fit
    restore_beside_into_another_database
    restore_from_the_bucket_when_the_volume_was_lost
    restore_converges_after_every_interruption
    restore_disk_full
    restore_of_an_older_extension_updates_it_afterwards
    guide_defect_12_a_backup_counts_when_it_was_restored
    guide_defect_11_backups_leave_the_volume_and_are_tried_from_there
    backups_are_listed_with_what_is_known
    guide_defect_03_an_upgrade_updates_the_extension_everywhere
    upgrade_refuses_what_does_not_fit
    upgrade_serves_a_database_of_any_name
    a_damaged_note_damages_nothing_else
    upgrade_goes_back_when_the_new_image_does_not_serve
    data_are_not_served_under_another_c_library
    upgrade_goes_back_though_it_is_killed_on_the_way
    upgrade_begins_with_what_an_interrupted_one_left_stopped
    upgrade_converges_after_every_interruption
    upgrade_keeps_the_new_image_once_a_catalog_was_updated
    upgrade_goes_back_to_the_image_of_before_in_a_repeated_run
    upgrade_goes_back_when_no_catalog_was_updated
    a_busy_host_is_told_from_a_failure
    drill_that_was_interrupted_or_had_no_dump_notes_nothing
    drill_that_failed_keeps_when_one_passed
    restore_under_a_new_name_swaps_nothing
    restore_from_a_bucket_that_the_stack_does_not_name
    release_leaves_what_other_stacks_kept
    guide_defect_09_growth_finds_the_volume_and_is_seen_by_statfs
    logs_and_psql_reach_the_container
    renewal_leaves_the_database_alone
    renewal_before_the_first_setup
}

/// The instance's metadata, for four questions: a token, no notice, a token, a notice.
#[test]
fn spot_notice_stops_postgresql() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let answers = [
            ("PUT /latest/api/token ", "200 OK", "token-1"),
            ("GET /latest/meta-data/spot/instance-action ", "404 Not Found", ""),
            ("PUT /latest/api/token ", "200 OK", "token-2"),
            (
                "GET /latest/meta-data/spot/instance-action ",
                "200 OK",
                r#"{"action": "stop", "time": "2026-01-01T00:00:00Z"}"#,
            ),
        ];
        for (question, status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let n = stream.read(&mut asked).unwrap();
            let asked = String::from_utf8_lossy(&asked[..n]).to_string();
            if asked.is_empty() {
                return;
            }
            assert!(asked.starts_with(question), "{asked}");
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    sandboxed("spot_notice_stops_postgresql", Some(url.clone()));
    // Where the sandbox was skipped, nobody asked: end the server all the same.
    let _ = std::net::TcpStream::connect(url.trim_start_matches("http://"));
    server.join().unwrap();
}

#[test]
fn shellcheck_finds_nothing() {
    if !succeeds("shellcheck", &["--version"]) {
        skipped("shellcheck_finds_nothing", "no shellcheck on PATH");
        return;
    }
    let work = scratch("shellcheck");
    let mut all = files(&host())
        .into_iter()
        .filter(|file| file.mode == "0755" || file.path.ends_with(".sh"))
        .map(|file| (file.path.replace('/', "_"), file.text))
        .collect::<Vec<_>>();
    all.push(("install".into(), install::installer(&host())));
    all.push(("refresh".into(), install::refresh(&host(), VOLUME)));
    all.push(("renewal".into(), format!("#!/bin/bash\n{}", include_str!("../src/host/renew.sh"))));
    all.extend(sent().into_iter().map(|(name, text)| (name.to_owned(), text)));
    for (name, text) in all {
        let path = work.join(name);
        fs::write(&path, text).unwrap();
        // 1091: the library is not at its place on this machine.
        let output = Command::new("shellcheck").args(["-e", "SC1091"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }
    let _ = fs::remove_dir_all(&work);
}

/// What cloud-init would write is what was meant, read by a YAML parser.
#[test]
fn user_data_is_yaml_that_holds_conf_and_installer() {
    let test = "user_data_is_yaml_that_holds_conf_and_installer";
    if !succeeds("python3", &["-c", "import yaml"]) {
        skipped(test, "no python3 with PyYAML");
        return;
    }
    let work = scratch("yaml");
    fs::write(work.join("user-data"), user_data(&host()).render(VOLUME)).unwrap();
    fs::write(work.join("conf"), install::conf(&host(), VOLUME)).unwrap();
    fs::write(work.join("install"), install::installer(&host())).unwrap();
    let compose = files(&host()).into_iter().find(|file| file.path == scripts::COMPOSE);
    fs::write(work.join("compose"), compose.unwrap().text).unwrap();
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host-scripts/read_user_data.py"))
        .arg(&work)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let _ = fs::remove_dir_all(&work);
}

/// `LH_HOST_CLOUD_INIT` names the program where it is not on PATH.
#[test]
fn cloud_init_accepts_the_user_data() {
    let program = std::env::var("LH_HOST_CLOUD_INIT").unwrap_or_else(|_| "cloud-init".into());
    if !succeeds(&program, &["--version"]) {
        skipped("cloud_init_accepts_the_user_data", "no cloud-init on PATH");
        return;
    }
    let work = scratch("cloud-init");
    let file = work.join("user-data");
    fs::write(&file, user_data(&host()).render(VOLUME)).unwrap();
    let output = Command::new(&program).args(["schema", "--config-file"]).arg(&file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("deprecated"), "{said}");
    let _ = fs::remove_dir_all(&work);
}
