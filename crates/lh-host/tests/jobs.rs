//! The job protocol, with real bash: what a host does with the programs that `Job` writes. Its
//! folder is a temporary one, and nothing here needs root.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lh_host::{Job, Reader, Script, Standing, Stream};

const PLACE: &str = "/run/lhctl/jobs";
const PATIENCE: Duration = Duration::from_secs(20);

/// A host's folder of jobs, gone with the test.
struct Host(PathBuf);

impl Host {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lh-jobs-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn jobs(&self) -> PathBuf {
        self.0.join("jobs")
    }

    fn fifo(&self, name: &str) -> Fifo {
        let path = self.0.join(name).to_string_lossy().into_owned();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Fifo(path)
    }

    /// Starts `program` as the agent would: bash, in a process group of its own.
    fn start(&self, program: &str) -> Child {
        let program = program.replace(PLACE, &self.jobs().to_string_lossy());
        let mut bash = Command::new("setsid")
            .args(["bash", "-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        bash.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
        bash
    }

    fn answer(&self, program: &str) -> String {
        String::from_utf8(self.start(program).wait_with_output().unwrap().stdout).unwrap()
    }

    /// Reads to the end: how it ended, both outputs, how many answers it took.
    fn read(&self, job: &Job, first: String) -> (Standing, String, String, usize) {
        let (mut reader, mut out, mut err, mut answers) =
            (Reader::default(), String::new(), String::new(), 0);
        let mut answer = first;
        loop {
            answers += 1;
            let standing = reader
                .read(&answer, &mut |stream, text: &str| match stream {
                    Stream::Out => out.push_str(text),
                    Stream::Err => err.push_str(text),
                })
                .unwrap();
            match standing {
                Standing::Running | Standing::More => {
                    answer = self.answer(&job.look("look", reader.offsets(), PATIENCE));
                }
                end => return (end, out, err, answers),
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn script(text: impl Into<String>) -> Script {
    Script { title: "try".into(), text: text.into(), deadline: Duration::from_secs(60) }
}

/// Where a script says how far it is, or waits for a word. Who opens it waits for the other end;
/// the minute is a safety net.
struct Fifo(String);

impl Fifo {
    /// Begins to listen; it ends when all that have it open for writing closed it, or are over.
    fn listen(&self) -> Child {
        Command::new("timeout").args(["60", "cat", &self.0]).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn hear(&self) -> String {
        heard(self.listen())
    }

    /// Lets a script go on that reads a line here.
    fn tell(&self) {
        let told = Command::new("timeout").args(["60", "bash", "-c", "echo >\"$0\"", &self.0]).status();
        assert!(told.unwrap().success(), "nobody reads {}", self.0);
    }
}

/// All that was said until nobody could say more.
fn heard(listening: Child) -> String {
    let output = listening.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "it is still held open after {:?}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_short_script_takes_one_answer() {
    let (host, job) = (Host::new("short"), Job::new("one"));
    // Standard input is at its end: nothing eats the program.
    let text = "cat; echo out; echo err >&2; exit 7";
    let answer = host.answer(&job.begin(&script(text), PATIENCE));
    let read = host.read(&job, answer);
    assert_eq!(read, (Standing::Ended(7), "out\n".into(), "err\n".into(), 1));
}

#[test]
fn a_status_of_255_and_a_signal_are_statuses() {
    let host = Host::new("statuses");
    for (text, status) in [("exit 255", 255), ("kill -KILL $$", 137), ("no-such-program", 127)] {
        let job = Job::new(&format!("s{status}"));
        let answer = host.answer(&job.begin(&script(text), PATIENCE));
        assert_eq!(host.read(&job, answer).0, Standing::Ended(status), "{text}");
    }
}

#[test]
fn begun_twice_at_once_it_runs_once() {
    let (host, job) = (Host::new("twice"), Job::new("one"));
    let (ran, go) = (host.0.join("ran"), host.fifo("go"));
    let text = format!("echo run >>{}; read -r <{}; echo done", ran.display(), go.0);
    // Without patience: both have come, and looked, before the script may end.
    let program = job.begin(&script(text), Duration::ZERO);
    let both = [host.start(&program), host.start(&program)].map(|bash| bash.wait_with_output().unwrap());
    go.tell();
    for output in both {
        let read = host.read(&job, String::from_utf8(output.stdout).unwrap());
        assert_eq!((read.0, read.1.as_str()), (Standing::Ended(0), "done\n"));
    }
    // And once more when it is over.
    let read = host.read(&job, host.answer(&program));
    assert_eq!(read.1, "done\n");
    assert_eq!(fs::read_to_string(ran).unwrap(), "run\n");
}

#[test]
fn offsets_join_to_the_whole_output() {
    let (host, job) = (Host::new("offsets"), Job::new("one"));
    // Three bytes a character: 16,000 bytes end within one.
    let text = "for ((n = 0; n < 20000; n++)); do printf '→'; done; printf '%09000d' 0 >&2";
    let (standing, out, err, answers) = host.read(&job, host.answer(&job.begin(&script(text), PATIENCE)));
    assert_eq!(standing, Standing::Ended(0));
    assert_eq!(out, "→".repeat(20_000));
    assert_eq!(err, "0".repeat(9000));
    assert_eq!(answers, 5, "69,000 bytes are five answers of 16,000 at most");
}

#[test]
fn no_answer_is_longer_than_run_command_shows() {
    let (host, job) = (Host::new("long"), Job::new("one"));
    let text = "head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2";
    let answer = host.answer(&job.begin(&script(text), PATIENCE));
    assert!(answer.len() < 24_000, "{}", answer.len());
    let (_, out, err, _) = host.read(&job, answer);
    assert_eq!((out.len(), err.len()), (100_000, 100_000));
}

#[test]
fn output_comes_while_it_runs() {
    let (host, job) = (Host::new("streams"), Job::new("one"));
    let go = host.fifo("go");
    let text = format!("echo first; read -r <{}; echo second", go.0);
    let mut reader = Reader::default();
    let mut told = String::new();
    let standing = reader
        .read(&host.answer(&job.begin(&script(text), PATIENCE)), &mut |_, text: &str| told.push_str(text));
    assert_eq!((standing, told.as_str()), (Ok(Standing::Running), "first\n"));
    go.tell();
    let answer = host.answer(&job.look("look", reader.offsets(), PATIENCE));
    let standing = reader.read(&answer, &mut |_, text: &str| told.push_str(text));
    assert_eq!((standing, told.as_str()), (Ok(Standing::Ended(0)), "first\nsecond\n"));
}

#[test]
fn followed_over_one_connection_it_tells_everything() {
    let (host, job) = (Host::new("follow"), Job::new("one"));
    let go = host.fifo("go");
    // Opened once, for both ways: opened for each word, it could still meet the end of the last one.
    let text = format!("exec 3<>{}; echo a; read -r <&3; echo b; read -r <&3; echo c; exit 3", go.0);
    let mut bash = host.start(&job.begin_and_follow(&script(text)));
    let (mut reader, mut told, mut last) = (Reader::default(), String::new(), None);
    for line in BufReader::new(bash.stdout.take().unwrap()).lines() {
        let before = told.clone();
        last = Some(reader.read(&line.unwrap(), &mut |_, text: &str| told.push_str(text)).unwrap());
        // It goes on whenever its last word has come.
        if told != before && last == Some(Standing::Running) {
            go.tell();
        }
    }
    bash.wait().unwrap();
    assert_eq!((last, told.as_str()), (Some(Standing::Ended(3)), "a\nb\nc\n"));
}

#[test]
fn it_outlives_what_began_it() {
    let (host, job) = (Host::new("crash"), Job::new("one"));
    let (begun, go) = (host.fifo("begun"), host.fifo("go"));
    let text = format!("echo begun >{}; read -r <{}; echo survived", begun.0, go.0);
    let mut bash = host.start(&job.begin(&script(text), PATIENCE));
    assert_eq!(begun.hear(), "begun\n");
    // As the agent does when it gives up: the whole process group.
    let group = format!("-{}", bash.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    bash.wait().unwrap();
    go.tell();
    let answer = host.answer(&job.look("look", Reader::default().offsets(), PATIENCE));
    let read = host.read(&job, answer);
    assert_eq!((read.0, read.1.as_str()), (Standing::Ended(0), "survived\n"));
}

#[test]
fn its_deadline_ends_it_and_what_it_began() {
    let (host, job) = (Host::new("deadline"), Job::new("one"));
    // Held open by the script and what it begins, until they are over.
    let held = host.fifo("held");
    let listening = held.listen();
    // Deaf to the polite signal, as is what it left behind.
    let text = format!("exec 9>{}; trap '' TERM; sleep 600 & echo both >&9; wait", held.0);
    let script = Script { deadline: Duration::from_secs(3), ..script(text) };
    let read = host.read(&job, host.answer(&job.begin(&script, PATIENCE)));
    assert_eq!(read.0, Standing::Late);
    assert_eq!(heard(listening), "both\n");
}

#[test]
fn cancelled_it_ends_and_says_so() {
    let (host, job) = (Host::new("cancel"), Job::new("one"));
    let text = "trap 'echo cleaned up; exit 1' TERM; echo begun; sleep 600 & wait";
    let mut reader = Reader::default();
    let begun = host.answer(&job.begin(&script(text), PATIENCE));
    assert_eq!(reader.read(&begun, &mut |_, _| ()), Ok(Standing::Running));
    let mut told = String::new();
    let answer = host.answer(&job.cancel("stop", reader.offsets()));
    let standing = reader.read(&answer, &mut |_, text: &str| told.push_str(text));
    assert_eq!((standing, told.as_str()), (Ok(Standing::Cancelled), "cleaned up\n"));
    // What is over is not cancelled any more.
    let job = Job::new("two");
    host.answer(&job.begin(&script_done(), PATIENCE));
    let answer = host.answer(&job.cancel("stop", Reader::default().offsets()));
    assert_eq!(Reader::default().read(&answer, &mut |_, _| ()), Ok(Standing::Ended(0)));
}

fn script_done() -> Script {
    script("true")
}

#[test]
fn cancelled_before_it_was_begun_it_never_begins() {
    let (host, job) = (Host::new("never"), Job::new("one"));
    let answer = host.answer(&job.cancel("stop", Reader::default().offsets()));
    assert_eq!(Reader::default().read(&answer, &mut |_, _| ()), Ok(Standing::Cancelled));
    let ran = host.0.join("ran");
    let late = host.answer(&job.begin(&script(format!("touch {}", ran.display())), PATIENCE));
    assert_eq!(Reader::default().read(&late, &mut |_, _| ()), Ok(Standing::Cancelled));
    assert!(!ran.exists());
}

#[test]
fn a_job_that_nobody_began_or_that_was_killed_is_told() {
    let host = Host::new("gone");
    let answer = host.answer(&Job::new("none").look("look", Reader::default().offsets(), PATIENCE));
    assert_eq!(Reader::default().read(&answer, &mut |_, _| ()), Ok(Standing::Gone));
    let job = Job::new("one");
    let begun = host.fifo("begun");
    let text = format!("echo $$ >{}; sleep 600", begun.0);
    host.answer(&job.begin(&script(text), Duration::ZERO));
    // What runs the script, before it could note an end, and the script.
    let groups = [fs::read_to_string(host.jobs().join("one/pid")).unwrap(), begun.hear()];
    for group in groups.map(|pid| format!("-{}", pid.trim())) {
        assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    }
    let answer = host.answer(&job.look("look", Reader::default().offsets(), PATIENCE));
    assert_eq!(Reader::default().read(&answer, &mut |_, _| ()), Ok(Standing::Lost));
}

#[test]
fn what_ended_an_hour_ago_is_swept_and_what_runs_is_not() {
    let host = Host::new("sweep");
    // Until its end, and until it is there.
    for (id, text, patience) in [("old", "true", PATIENCE), ("running", "sleep 600", Duration::ZERO)] {
        host.answer(&Job::new(id).begin(&script(text), patience));
    }
    for path in ["old/status", "old", "running"] {
        let path = host.jobs().join(path);
        assert!(Command::new("touch").args(["-d", "2 hours ago"]).arg(path).status().unwrap().success());
    }
    host.answer(&Job::new("new").begin(&script("true"), PATIENCE));
    let mut left: Vec<String> = fs::read_dir(host.jobs())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["new", "running"]);
    host.answer(&Job::new("running").cancel("stop", Reader::default().offsets()));
}

#[test]
fn nobody_but_its_owner_reads_a_job() {
    use std::os::unix::fs::PermissionsExt;
    let (host, job) = (Host::new("mode"), Job::new("one"));
    host.answer(&job.begin(&script("echo x"), PATIENCE));
    let mode = |path: &str| fs::metadata(host.jobs().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("one"), mode("one/script"), mode("one/out")], [0o700, 0o600, 0o600]);
}

#[test]
fn shellcheck_finds_nothing_in_the_programs() {
    let there = Command::new("shellcheck").arg("--version").stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        let name = "shellcheck_finds_nothing_in_the_programs";
        let _ = writeln!(std::io::stderr(), "SKIPPED {name}: no shellcheck on PATH");
        return;
    }
    let (host, job) = (Host::new("shellcheck"), Job::new("one"));
    let from = Reader::default().offsets();
    let programs = [
        job.begin(&script("true"), PATIENCE),
        job.begin_and_follow(&script("true")),
        job.look("look", from, PATIENCE),
        job.follow("follow", from),
        job.cancel("cancel", from),
    ];
    for (n, program) in programs.iter().enumerate() {
        let path = host.0.join(n.to_string());
        fs::write(&path, program).unwrap();
        // 2317, 2329: each program calls a part of the functions. 2154: `look` sets out and err.
        let output = Command::new("shellcheck").args(["-e", "SC2317,SC2329"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
