//! A port of this machine that leads to the database's on the instance, for sessions that cannot
//! begin directly: by SSH, else by Session Manager. It is open as long as it is kept, and ends with
//! this process, however that ends.

use std::{net::TcpListener, process::Stdio, time::Duration};

use lh_aws::remote::{Agent, agent};
use lh_db::{ConnectProblem, DatabaseUrl};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{
    Place, Way,
    access::Target,
    ssh::{listen, reason},
};
use crate::Deployment;

/// The database's port on the instance.
const DATABASE: u16 = 5432;
/// How long a way may take to open.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the instance says as soon as it is reached by SSH.
const GREETING: &str = "lhctl-tunnel";
/// What the Session Manager plugin says when its port is open.
const WAITING: &str = "Waiting for connections";
/// The AWS operations, named as in IAM, of which a tunnel makes use beside those that tell whether
/// an agent is online.
pub(crate) const TUNNEL_CALLS: [&str; 1] = ["ssm:StartSession"];
/// Runs its arguments until its standard input ends, and then ends all that came of them: the AWS
/// CLI leaves the plugin behind when it is killed. The plugin ends its session with AWS when it is
/// interrupted, not when it is killed, and says so first: somebody must still listen then.
const UNTIL_THE_END: &str = r#"
exec 3<&0
{ cat <&3; kill -INT 0; sleep 2; kill -TERM 0; } >/dev/null 2>&1 &
"$@" 3<&- </dev/null | {
  trap '' INT PIPE
  exec 3<&-
  while IFS= read -r line; do printf '%s\n' "$line" 2>/dev/null; done
}
"#;

/// An open port of this machine.
pub struct Tunnel {
    /// Ends when its standard input does.
    _child: Child,
    port: u16,
    way: String,
}

impl Tunnel {
    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The way it takes, in words.
    pub fn way(&self) -> &str {
        &self.way
    }
}

/// What opens a tunnel.
struct Opening {
    command: Command,
    port: u16,
    way: String,
    /// A line with this says that the port is open.
    sign: &'static str,
}

/// A database at the end of a tunnel.
pub(crate) struct Through {
    pub tunnel: Tunnel,
    /// Its URL on this machine.
    pub url: DatabaseUrl,
    /// What a session came to: the extension's version, or what the server had against it.
    pub answer: Result<String, ConnectProblem>,
}

impl Deployment {
    /// Opens a way for sessions of this machine to the database at `url`, or tells of each way, in a
    /// sentence, why it does not lead there.
    pub(crate) async fn tunnel(&self, place: &Place, url: &DatabaseUrl) -> Result<Through, Vec<String>> {
        let mut reasons = Vec::new();
        for way in [Way::Ssh, Way::Ssm] {
            let (name, opened) = match way {
                Way::Ssh => ("SSH", self.by_forwarding(place).await),
                Way::Ssm => ("Session Manager", self.by_session_manager(place).await),
            };
            match opened {
                Ok(tunnel) => match heard(tunnel, url).await {
                    Ok(through) => return Ok(through),
                    Err(reason) => reasons.push(reason),
                },
                Err(why) => reasons.push(format!("{name}: {why}.")),
            }
        }
        Err(reasons)
    }

    async fn by_forwarding(&self, place: &Place) -> Result<Tunnel, String> {
        by_ssh("ssh", &self.ssh_target(place)?, DATABASE).await
    }

    async fn by_session_manager(&self, place: &Place) -> Result<Tunnel, String> {
        let region = self.stack().region();
        let clients = self.cloud.clients(region).await.map_err(|error| error.to_string())?;
        match agent(&clients, &place.instance).await {
            Ok(Agent::Online) => by_session_manager("aws", region, &place.instance).await,
            Ok(Agent::Offline(why)) => Err(why),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The database at the end of `tunnel`, if a server is heard there: `ssh` opens its port whether the
/// other side forwards anything or not.
async fn heard(tunnel: Tunnel, url: &DatabaseUrl) -> Result<Through, String> {
    let of = |why: &dyn std::fmt::Display| format!("{}: {why}.", tunnel.way());
    let url = url.through(tunnel.port()).map_err(|error| of(&error))?;
    match lh_db::probe(&url).await.map_err(|error| of(&error))? {
        Err(problem) if problem.is_unheard() => Err(of(&problem)),
        answer => Ok(Through { tunnel, url, answer }),
    }
}

/// Through `ssh`, to `to` on the instance.
async fn by_ssh(program: &str, target: &Target, to: u16) -> Result<Tunnel, String> {
    let port = free_port()?;
    let mut command = Command::new(program);
    command.args(["-o", "ExitOnForwardFailure=yes", "-L", &format!("127.0.0.1:{port}:127.0.0.1:{to}")]);
    command.args(target.args(false)).arg(format!("echo {GREETING}; exec cat >/dev/null"));
    let opening = Opening { command, port, way: target.way(), sign: GREETING };
    open(opening).await.map_err(|said| reason(&said, target))
}

/// Through the AWS CLI and its plugin.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html>
async fn by_session_manager(program: &str, region: &str, instance: &str) -> Result<Tunnel, String> {
    let port = free_port()?;
    let parameters = serde_json::json!({
        "portNumber": [DATABASE.to_string()], "localPortNumber": [port.to_string()],
    });
    let mut command = Command::new("/bin/sh");
    command.args(["-c", UNTIL_THE_END, "sh", program, "ssm", "start-session", "--region", region]);
    command.args(["--target", instance, "--document-name", "AWS-StartPortForwardingSession"]);
    command.args(["--parameters", &parameters.to_string()]);
    let way = format!("Session Manager to {instance}");
    open(Opening { command, port, way, sign: WAITING }).await.map_err(|said| {
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        match last.map(|line| line.trim_end_matches('.')) {
            Some(line) if line.contains("not found") && line.contains(program) => {
                "the AWS CLI, version 2, and its Session Manager plugin are needed for it".to_owned()
            }
            Some(line) => line.to_owned(),
            None => "the AWS CLI ended without a word".to_owned(),
        }
    })
}

/// Whoever takes the port before the tunnel does makes its opening fail, and nothing worse.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| format!("no port of this machine is free: {error}"))
}

/// Waits until the port is open; else answers with what was said.
async fn open(opening: Opening) -> Result<Tunnel, String> {
    let Opening { mut command, port, way, sign } = opening;
    // A group of its own: Ctrl-C is for this process, and what it leaves sees its input end.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Its input alone would let `ssh` wait for sessions that are still open.
    command.process_group(0).kill_on_drop(true);
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child =
        command.spawn().map_err(|error| format!("the program `{program}` cannot be run: {error}"))?;
    let said = tokio::spawn(listen(child.stderr.take()));
    let mut lines = BufReader::new(child.stdout.take().ok_or("it has no output")?).lines();
    let signed = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if line.contains(sign) {
                return true;
            }
        }
        false
    };
    match tokio::time::timeout(PATIENCE, signed).await {
        Ok(true) => {
            // What else it says must be taken, or it would wait for somebody to read it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            Ok(Tunnel { _child: child, port, way })
        }
        Ok(false) => {
            drop(child);
            Err(said.await.unwrap_or_default())
        }
        Err(_) => Err(format!("it did not open within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests;
