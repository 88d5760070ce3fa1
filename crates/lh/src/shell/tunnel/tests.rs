//! Tunnels by programs that only play `ssh` and `aws`, and by the real `ssh`.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
};

use super::super::ssh::tests::{Stage, real, target};
use super::*;

/// A fifo in the stage's folder.
fn fifo(stage: &Stage, name: &str) -> PathBuf {
    let path = stage.0.join(name);
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Drops the tunnel, and waits until nobody holds the fifo open any more.
async fn ends(tunnel: Tunnel, held: &Path) {
    let mut held = File::open(held).unwrap();
    drop(tunnel);
    let end = tokio::task::spawn_blocking(move || held.read_to_end(&mut Vec::new()).unwrap());
    assert_eq!(tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn ssh_opens_a_port_and_ends_with_its_owner() {
    let stage = Stage::new("tunnel");
    let held = fifo(&stage, "held");
    let text =
        "exec 9<>$here/held; echo \"$@\" >$here/args; echo Welcome; echo lhctl-tunnel; cat >/dev/null\n";
    let ssh = stage.program("ssh", text);
    let tunnel = by_ssh(ssh.to_str().unwrap(), &target(), 5432).await.unwrap();
    let port = tunnel.port();
    let args = stage.read("args");
    let wanted = format!("-o ExitOnForwardFailure=yes -L 127.0.0.1:{port}:127.0.0.1:5432 -o BatchMode=yes");
    assert!(args.starts_with(&wanted), "{args}");
    assert!(
        args.trim_end().ends_with("-T ubuntu@192.0.2.1 echo lhctl-tunnel; exec cat >/dev/null"),
        "{args}"
    );
    assert_eq!(tunnel.way(), "SSH to 192.0.2.1");
    ends(tunnel, &held).await;
}

#[tokio::test]
async fn what_keeps_a_tunnel_from_opening_is_told_in_the_words_of_its_program() {
    let stage = Stage::new("no-tunnel");
    let why = "bind [127.0.0.1]: Address already in use";
    let ssh = stage.program("ssh", &format!("echo '{why}' >&2; exit 255\n"));
    assert_eq!(by_ssh(ssh.to_str().unwrap(), &target(), 1).await.err().unwrap(), why);
    let aws =
        stage.program("aws", "echo 'SessionManagerPlugin is not found. Please refer to …' >&2; exit 255\n");
    let why = by_session_manager(aws.to_str().unwrap(), "us-east-1", "i-1").await.err().unwrap();
    assert!(why.starts_with("SessionManagerPlugin is not found"), "{why}");
    let why = by_session_manager("/nowhere/aws", "us-east-1", "i-1").await.err().unwrap();
    assert!(why.contains("Session Manager plugin are needed"), "{why}");
}

#[tokio::test]
async fn session_manager_opens_a_port_and_what_it_started_ends_with_its_owner() {
    let stage = Stage::new("session");
    let held = fifo(&stage, "held");
    // The CLI starts a plugin, which outlives it unless it is ended too.
    let text = "trap '' INT; echo \"$@\" >$here/args; { exec 9<>$here/held; echo 'Waiting for connections...'; read -r <>$here/never; } &\nwait\n";
    fifo(&stage, "never");
    let aws = stage.program("aws", text);
    let tunnel = by_session_manager(aws.to_str().unwrap(), "us-east-1", "i-1").await.unwrap();
    let args = stage.read("args");
    let wanted =
        "ssm start-session --region us-east-1 --target i-1 --document-name AWS-StartPortForwardingSession";
    assert!(args.starts_with(wanted), "{args}");
    assert!(args.contains(&format!(r#""localPortNumber":["{}"]"#, tunnel.port())), "{args}");
    assert!(args.contains(r#""portNumber":["5432"]"#), "{args}");
    ends(tunnel, &held).await;
}

/// A plugin that is killed leaves its session open, until AWS sees for twenty minutes that nobody
/// uses it.
#[tokio::test]
async fn the_plugin_is_asked_to_end_its_session() {
    let stage = Stage::new("session-end");
    let held = fifo(&stage, "held");
    fifo(&stage, "never");
    let text = "exec 9<>$here/held; trap 'echo Terminate signal received; echo ended >$here/session; exit' INT; echo 'Waiting for connections...'; read -r <>$here/never\n";
    let aws = stage.program("aws", text);
    let tunnel = by_session_manager(aws.to_str().unwrap(), "us-east-1", "i-1").await.unwrap();
    ends(tunnel, &held).await;
    assert_eq!(stage.read("session"), "ended\n");
}

#[tokio::test]
async fn the_real_ssh_leads_to_a_port_of_a_real_server() {
    let stage = Stage::new("real-tunnel");
    let Some(here) = real(&stage, "the_real_ssh_leads_to_a_port_of_a_real_server") else { return };
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let to = listener.local_addr().unwrap().port();
    let tunnel = by_ssh(here.program.to_str().unwrap(), &here.target, to).await.unwrap();
    let mut this_end = TcpStream::connect(("127.0.0.1", tunnel.port())).unwrap();
    this_end.write_all(b"hello").unwrap();
    let (mut other_end, _) = listener.accept().unwrap();
    let mut heard = [0; 5];
    other_end.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    drop(tunnel);
    // A session that is open does not keep it.
    let end = tokio::task::spawn_blocking(move || other_end.read(&mut heard).unwrap());
    assert_eq!(tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap(), 0);
}
