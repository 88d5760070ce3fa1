//! The hosts of `--local`: user data as lhctl writes it, really installed, and scripts really run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lh_host::{DumpTarget, Host, PasswordSource, user_data};
use lh_sim::{HostFacts, HostRun, Hosts, Sandbox};

const VOLUME: &str = "vol-0123456789abcdef0";

fn facts(instance: &str, size: i32) -> HostFacts {
    let host = Host {
        stack: "lighthouse-dev".into(),
        region: "us-east-1".into(),
        memory_gib: 1.0,
        vcpus: 2,
        database: "lighthouse_dev".into(),
        image: "timescale/timescaledb:2.17.2-pg16".into(),
        password: PasswordSource::Parameter("/lighthouse/dev/db/password".into()),
        dump: Some(DumpTarget { bucket: "dumps".into(), on_calendar: "daily".into(), keep_days: 7 }),
        log_group: None,
        metrics: true,
        spot: true,
    };
    HostFacts {
        instance: instance.to_owned(),
        region: "us-east-1".to_owned(),
        user_data: user_data(&host).render(VOLUME).into_bytes(),
        volumes: vec![(VOLUME.to_owned(), size)],
    }
}

struct Ran {
    status: i32,
    out: String,
    err: String,
}

/// Waits for the end of a command, asked as any process would.
fn ended(sandbox: &Sandbox, host: &HostFacts, id: &str) -> Ran {
    let began = Instant::now();
    loop {
        match sandbox.look(host, id) {
            HostRun::Ended { status, out, err } => return Ran { status, out, err },
            HostRun::Unknown => panic!("{id} is not known"),
            HostRun::Running => assert!(began.elapsed() < Duration::from_secs(60), "{id} does not end"),
        }
        std::thread::yield_now();
    }
}

fn run(folder: &Path, host: &HostFacts, id: &str, script: &str) -> Ran {
    let sandbox = Sandbox::new(folder).unwrap();
    sandbox.begin(host, id, script).unwrap();
    ended(&sandbox, host, id)
}

#[test]
fn the_host_is_installed_from_its_user_data_and_is_ready_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let host = facts("i-1", 20);
    assert!(Sandbox::new(folder.path()).unwrap().is_online(&host));
    let ran = run(folder.path(), &host, "status", "/usr/local/sbin/lhctl-host-status\n");
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let status: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(status["stack"], "lighthouse-dev");
    assert_eq!(status["volume"], VOLUME);
    for stage in lh_host::scripts::STAGES {
        assert_eq!(status["stages"][stage], "ok", "{stage}");
    }
    assert_eq!((&status["container"], &status["tcp"]), (&"absent".into(), &false.into()));
    assert_eq!(status["disk"]["size"], 20_u64 << 30);
    let by_name = run(folder.path(), &host, "by-name", "lhctl-host-status\n");
    assert_eq!((by_name.status, by_name.out), (0, ran.out));
    let root = folder.path().join("hosts/i-1");
    for path in [lh_host::scripts::BACKUP, lh_host::scripts::COMPOSE, lh_host::scripts::CONF] {
        assert!(root.join(&path[1..]).is_file(), "{path}");
    }
}

#[test]
fn output_and_exit_status_are_those_of_the_script_and_paths_are_the_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let host = facts("i-1", 20);
    let script = "echo für >/run/lhctl/x; cat /run/lhctl/x; echo no >&2; bash -c 'echo from >/var/log/a'
cat <<'END' >/usr/local/bin/later
#!/bin/bash
. /etc/lhctl/host.conf
echo \"$STACK\" s3://run/lhctl ./run/lhctl
END
chmod 755 /usr/local/bin/later; /usr/local/bin/later; cat /var/log/a; exit 7\n";
    let ran = run(folder.path(), &host, "c-1", script);
    assert_eq!((ran.status, ran.err.as_str()), (7, "no\n"));
    assert_eq!(ran.out, "für\nlighthouse-dev s3://run/lhctl ./run/lhctl\nfrom\n");
    assert!(!Path::new("/run/lhctl/x").exists());
}

#[test]
fn what_would_touch_the_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let host = facts("i-1", 20);
    for program in ["mount", "mkfs.ext4", "apt-get", "swapon", "reboot"] {
        let ran = run(folder.path(), &host, program, &format!("{program} anything\n"));
        assert_eq!(ran.status, 127);
        assert!(ran.err.contains("the sandbox of the simulated instance has no"), "{}", ran.err);
    }
    let ran = run(folder.path(), &host, "fstab", "echo line >>/etc/fstab; cat /etc/fstab\n");
    assert_eq!(ran.out, "line\n");
    // Without a database, the container is missing and the reason is said.
    let ran = run(folder.path(), &host, "docker", "docker exec -i timescaledb psql <<<'SELECT 1'\n");
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("`lhctl local database`"), "{}", ran.err);
}

#[test]
fn a_command_is_begun_once_and_any_process_sees_how_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let host = facts("i-1", 20);
    let first = Sandbox::new(folder.path()).unwrap();
    // It waits for its second line, which comes when both have looked.
    let script = "mkfifo /run/lhctl/go; echo began >>/var/log/count; cat /run/lhctl/go\n";
    first.begin(&host, "c-1", script).unwrap();
    let second = Sandbox::new(folder.path()).unwrap();
    second.begin(&host, "c-1", script).unwrap();
    assert_eq!((first.look(&host, "c-1"), second.look(&host, "c-1")), (HostRun::Running, HostRun::Running));
    assert_eq!(first.look(&host, "c-2"), HostRun::Unknown);
    let pipe = folder.path().join("hosts/i-1/run/lhctl/go");
    while !pipe.exists() {
        std::thread::yield_now();
    }
    drop(first);
    fs::write(&pipe, "go\n").unwrap();
    let ran = ended(&second, &host, "c-1");
    assert_eq!((ran.status, ran.out.as_str()), (0, "go\n"));
    let count = fs::read_to_string(folder.path().join("hosts/i-1/var/log/count")).unwrap();
    assert_eq!(count, "began\n");
}

#[test]
fn a_command_that_is_cancelled_or_killed_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let host = facts("i-1", 20);
    for by_tool in [true, false] {
        let (began, looks) = (Sandbox::new(folder.path()).unwrap(), Sandbox::new(folder.path()).unwrap());
        let id = format!("c-{by_tool}");
        began.begin(&host, &id, "echo here; read -r _ < <(tail -f /dev/null)\n").unwrap();
        let commands = folder.path().join("hosts/i-1/.sandbox/commands");
        while fs::read_to_string(commands.join(&id).join("out")).unwrap_or_default() != "here\n" {
            std::thread::yield_now();
        }
        if by_tool {
            looks.cancel(&host, &id);
        } else {
            let pid = fs::read_to_string(commands.join(&id).join("pid")).unwrap();
            Command::new("kill").args(["-KILL", "--", &format!("-{}", pid.trim())]).status().unwrap();
        }
        let ran = ended(&began, &host, &id);
        assert_eq!((ran.status, ran.out.as_str()), (137, "here\n"));
    }
}

#[test]
fn a_replaced_instance_finds_the_data_of_its_volume_and_its_new_size() {
    let folder = tempfile::tempdir().unwrap();
    let write = "mountpoint -q /mnt/timescaledb-data && echo kept >/mnt/timescaledb-data/file\n";
    assert_eq!(run(folder.path(), &facts("i-1", 20), "c-1", write).status, 0);
    let detached = HostFacts { volumes: Vec::new(), ..facts("i-1", 20) };
    let ran = run(folder.path(), &detached, "c-2", "mountpoint -q /mnt/timescaledb-data\n");
    assert_eq!(ran.status, 1);
    let read = "cat /mnt/timescaledb-data/file; df -B1 --output=size /mnt/timescaledb-data | tail -n 1
/usr/local/sbin/lhctl-host-disk\n";
    let ran = run(folder.path(), &facts("i-2", 30), "c-3", read);
    let size = 30_u64 << 30;
    assert_eq!(ran.out, format!("kept\n{size}\nvolume {VOLUME}: a folder of 30 GiB\n"));
}

/// As on a real host: a larger volume alone makes no larger file system.
#[test]
fn the_file_system_grows_when_the_disk_program_runs_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let df = "df -B1 --output=size /mnt/timescaledb-data | tail -n 1\n";
    let bytes = |gib: u64| format!("{}\n", gib << 30);
    assert_eq!(run(folder.path(), &facts("i-1", 20), "c-1", df).out, bytes(20));
    assert_eq!(run(folder.path(), &facts("i-1", 30), "c-2", df).out, bytes(20));
    let grown = run(folder.path(), &facts("i-1", 30), "c-3", &format!("lhctl-host-disk >&2\n{df}"));
    assert_eq!(grown.out, bytes(30));
}

#[test]
fn a_refresh_brings_the_host_to_a_changed_stack() {
    let folder = tempfile::tempdir().unwrap();
    let facts = facts("i-1", 20);
    let changed = Host {
        stack: "lighthouse-dev".into(),
        region: "us-east-1".into(),
        memory_gib: 4.0,
        vcpus: 2,
        database: "lighthouse_dev".into(),
        image: "timescale/timescaledb:2.23.1-pg16".into(),
        password: PasswordSource::Parameter("/lighthouse/dev/db/password".into()),
        dump: None,
        log_group: None,
        metrics: false,
        spot: false,
    };
    let ran = run(folder.path(), &facts, "c-1", &lh_host::install::refresh(&changed, VOLUME));
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let ran = run(folder.path(), &facts, "c-2", ". /etc/lhctl/host.conf; echo \"$IMAGE $BUCKET\"\n");
    assert_eq!(ran.out, "timescale/timescaledb:2.23.1-pg16 \n");
}

#[test]
fn files_go_to_buckets_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo text >/var/log/file
aws s3 cp --only-show-errors /var/log/file s3://dumps/lighthouse-dev/file && aws s3 cp s3://dumps/lighthouse-dev/file -
aws s3 ls s3://dumps/lighthouse-dev/ | awk '{ print $3, $4 }'
aws ssm get-parameter --name /x\n";
    let ran = run(folder.path(), &facts("i-1", 20), "c-1", script);
    assert_eq!((ran.status, ran.out.as_str()), (254, "text\n5 file\n"));
    // For whoever asks S3 what is there.
    let uploads = Sandbox::new(folder.path()).unwrap().uploads();
    let [upload] = uploads.as_slice() else { panic!("{uploads:?}") };
    assert_eq!(
        (upload.bucket.as_str(), upload.key.as_str(), upload.size),
        ("dumps", "lighthouse-dev/file", 5)
    );
    assert_eq!(upload.content.as_deref(), Some(&b"text\n"[..]));
}

#[test]
fn what_scripts_would_trip_over_is_said_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let spaced = folder.path().join("my world");
    fs::create_dir(&spaced).unwrap();
    let why = Sandbox::new(&spaced).unwrap().begin(&facts("i-1", 20), "c-1", "true").unwrap_err();
    assert!(why.contains("letters, digits"), "{why}");
    let foreign = HostFacts { user_data: b"#!/bin/bash\n".to_vec(), ..facts("i-1", 20) };
    let sandbox = Sandbox::new(folder.path()).unwrap();
    assert!(!sandbox.is_online(&foreign));
    assert!(sandbox.begin(&foreign, "c-1", "true").unwrap_err().contains("not lhctl's"));
}

#[test]
fn a_terminal_begins_in_the_folder_of_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let (program, args) = Sandbox::new(folder.path()).unwrap().terminal(&facts("i-1", 20)).unwrap();
    let mut terminal = Command::new(program);
    terminal.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = terminal.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"cat etc/lhctl/host.conf | head -n 1; exit 4\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "STACK='lighthouse-dev'\n");
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn shellcheck_finds_nothing_in_the_stand_ins() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/stand_ins");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let Ok(output) = Command::new("shellcheck").args(files).output() else {
        eprintln!("SKIPPED shellcheck_finds_nothing_in_the_stand_ins: no shellcheck on PATH");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
