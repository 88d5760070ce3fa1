//! SSH with a program that only plays `ssh`, and with the real one against a server on this
//! machine where there is one.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::Write;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio as Io};
use std::time::Duration;

use lh_host::{Script, Shell, ShellError, Stream};

use super::Ssh;
use crate::{Stop, shell::access::Target};

/// A temporary folder with what plays `ssh`.
pub(in crate::shell) struct Stage(pub PathBuf);

impl Stage {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lh-ssh-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        // By another process: what this one writes may be open in a child of another test yet, and
        // Linux runs no file that somebody has open to write.
        let mut put = Process::new("/bin/sh");
        put.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(&path).stdin(Io::piped());
        let mut put = put.spawn().unwrap();
        write!(put.stdin.take().unwrap(), "#!/bin/bash\nhere={}\n{text}", self.0.display()).unwrap();
        assert!(put.wait().unwrap().success());
        path
    }

    /// An `ssh` that runs the program on its standard input here, and then does `after`.
    fn ssh(&self, before: &str, after: &str) -> Ssh {
        let run = "sed \"s#/run/lhctl/jobs#$here/jobs#g\" | bash -s";
        let text = format!("echo \"$@\" >>$here/args\n{before}\n{run}{after}\n");
        Ssh::new(target(), Stop::default()).by(self.program("ssh", &text))
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(in crate::shell) fn target() -> Target {
    Target { alias: "i-1".into(), host: "192.0.2.1".into(), key: Some("/k.pem".into()), bastion: None }
}

async fn run(ssh: &Ssh, text: &str, deadline: u64) -> (Result<i32, ShellError>, String, String) {
    let script = Script { title: "try".into(), text: text.into(), deadline: Duration::from_secs(deadline) };
    let (mut out, mut err) = (String::new(), String::new());
    let result = ssh
        .run(&script, &mut |stream, text: &str| match stream {
            Stream::Out => out.push_str(text),
            Stream::Err => err.push_str(text),
        })
        .await;
    (result, out, err)
}

#[tokio::test]
async fn a_script_runs_and_no_word_of_it_is_on_a_command_line() {
    let stage = Stage::new("runs");
    let ssh = stage.ssh("echo Welcome to Ubuntu", "");
    let ran = run(&ssh, "echo out; echo err >&2; exit 255", 60).await;
    assert_eq!(ran, (Ok(255), "out\n".into(), "err\n".into()), "its own 255 is a status");
    let args = stage.read("args");
    assert!(args.ends_with("-i /k.pem -T ubuntu@192.0.2.1 sudo -n bash -s\n"), "{args}");
    assert_eq!(ssh.way(), "SSH to 192.0.2.1");
}

#[tokio::test]
async fn no_connection_is_told_in_the_words_of_ssh() {
    let stage = Stage::new("none");
    let words = "echo \"Warning: Permanently added 'i-1'.\" >&2\n\
                 echo 'ssh: connect to host 192.0.2.1 port 22: Connection timed out' >&2; exit 255\n";
    let ssh = stage.ssh(words, "");
    let why = "ssh: connect to host 192.0.2.1 port 22: Connection timed out";
    assert_eq!(ssh.probe().await, Err(why.to_owned()));
    let (result, ..) = run(&ssh, "true", 60).await;
    let unreachable = ShellError::Unreachable { way: "SSH to 192.0.2.1".into(), reason: why.into() };
    assert_eq!(result, Err(unreachable));
    let ssh = Ssh::new(target(), Stop::default()).by("/nowhere/ssh");
    assert!(ssh.probe().await.unwrap_err().contains("cannot be run"));
}

#[tokio::test]
async fn a_lost_connection_is_taken_up_again() {
    let stage = Stage::new("again");
    let go = stage.0.join("go").display().to_string();
    assert!(succeeds("mkfifo", &[&go]));
    // The first connection breaks after the answer that has an `a` and a new line, in base64; what
    // is at its other end is silent. The script goes on once there is a second connection.
    let before = "if ! [ -e $here/first ]; then touch $here/first; \
                  sed -u /YQo=/q < <(exec 2>/dev/null; sed \"s#/run/lhctl/jobs#$here/jobs#g\" | bash -s); exit 255; fi; \
                  timeout 60 bash -c 'echo >\"$0\"' $here/go &";
    let ssh = stage.ssh(before, "");
    let text = format!("echo ran >>{}/ran; echo a; read -r <{go}; echo b", stage.0.display());
    assert_eq!(run(&ssh, &text, 60).await, (Ok(0), "a\nb\n".into(), String::new()));
    assert_eq!(stage.read("ran"), "ran\n");
    assert_eq!(stage.read("args").lines().count(), 2);
}

#[tokio::test]
async fn its_deadline_ends_it() {
    let stage = Stage::new("deadline");
    let (result, out, _) = run(&stage.ssh("", ""), "echo a; sleep 600", 3).await;
    assert_eq!((result, out.as_str()), (Err(ShellError::Deadline(Duration::from_secs(3))), "a\n"));
}

#[tokio::test]
async fn asked_to_stop_it_ends_the_script() {
    let stage = Stage::new("stop");
    let ssh = stage.ssh("", "");
    ssh.stop.ask();
    let (result, ..) = run(&ssh, "sleep 600", 60).await;
    assert_eq!(result, Err(ShellError::Stopped));
}

/// A server for one test, on 127.0.0.1.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    Process::new(program)
        .args(args)
        .stdin(Io::null())
        .stdout(Io::null())
        .stderr(Io::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A server that lets this user in by the key `key`, with a `sudo` that runs what it is given.
fn serve(stage: &Stage) -> Option<Server> {
    let path = |name: &str| stage.0.join(name).display().to_string();
    let keys = ["host", "key"]
        .iter()
        .all(|name| succeeds("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]));
    if !keys || !Path::new("/usr/sbin/sshd").exists() {
        return None;
    }
    stage.program("sudo", "shift\nsed \"s#/run/lhctl/jobs#$here/jobs#g\" | \"$@\"\n");
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nPidFile none\nSetEnv PATH={}:/usr/bin:/bin\n",
        path("host"),
        path("key.pub"),
        stage.0.display()
    );
    fs::write(path("config"), config).unwrap();
    // It separates privileges in a folder that its package makes at boot.
    let _ = fs::create_dir_all("/run/sshd");
    let mut child = Process::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f", &path("config")])
        .stdin(Io::null())
        .stderr(Io::piped())
        .spawn()
        .ok()?;
    let mut log = BufReader::new(child.stderr.take()?).lines().map_while(Result::ok);
    let server = Server { child, port };
    // None when it ended before it listened.
    log.find(|line| line.starts_with("Server listening on 127.0.0.1"))?;
    // Read to its end: a full pipe would stop it.
    std::thread::spawn(move || log.for_each(drop));
    Some(server)
}

/// The real `ssh`, and a server that it reaches.
pub(in crate::shell) struct Real {
    /// `ssh`, with the server's port and user, and known hosts of this test; the rest is as it is.
    pub program: PathBuf,
    pub target: Target,
    server: Server,
}

/// None, and told, where no OpenSSH server runs.
pub(in crate::shell) fn real(stage: &Stage, test: &str) -> Option<Real> {
    let Some(server) = serve(stage) else {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("SKIPPED {test}: no OpenSSH server that runs here\n").as_bytes(),
        );
        return None;
    };
    let user = String::from_utf8(Process::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let text = format!(
        "exec ssh -F none -p {} -o UserKnownHostsFile=$here/known \"${{@/#ubuntu@/{}@}}\"\n",
        server.port,
        user.trim()
    );
    let target = Target { host: "127.0.0.1".into(), key: Some(stage.0.join("key")), ..target() };
    Some(Real { program: stage.program("ssh-here", &text), target, server })
}

#[tokio::test]
async fn the_real_ssh_reaches_a_real_server() {
    let stage = Stage::new("real");
    let Some(here) = real(&stage, "the_real_ssh_reaches_a_real_server") else { return };
    let Real { program, target, server } = here;
    let ssh = Ssh::new(target, Stop::default()).by(program);
    assert_eq!(ssh.probe().await, Ok(()));
    assert!(stage.read("known").starts_with("i-1 "), "the host is known by its instance");
    let ran = run(&ssh, "echo out; echo err >&2; exit 7", 60).await;
    assert_eq!(ran, (Ok(7), "out\n".into(), "err\n".into()));
    // A server that is gone.
    drop(server);
    let why = ssh.probe().await.unwrap_err();
    assert!(why.contains("Connection refused"), "{why}");
}
