//! Looking at a database on its way: EC2, the host and a session from here are asked at once, and
//! another session through a tunnel where that may show more. What is seen is judged elsewhere.

use std::{sync::Arc, time::Duration};

use lh_aws::Health;
use lh_db::{DatabaseUrl, local::LocalDatabase};
use lh_engine::Session;
use lh_host::{HostStatus, Script, Shell, Stream, scripts};
use lh_kind::Observe;
use lh_model::{Address, CloudId, OutputPart, SecretRef};
use tokio::sync::Mutex;

use super::{
    Stage,
    judge::{Attempt, Instance, Look, Tunnelled, is_small},
};
use crate::{Deployment, Error, shell::TUNNEL_CALLS};

/// How long a question to the host may take.
const ASKING: Duration = Duration::from_secs(60);
/// How many lines of a log are shown.
const TAIL: usize = 20;

/// What is looked at.
pub(super) struct Looker<'d> {
    deployment: &'d Deployment,
    clients: lh_aws::Clients,
    instance: CloudId,
    url: Result<DatabaseUrl, String>,
    /// The size in GiB that the state records of the data volume, and whether it has just grown.
    volume: Option<u64>,
    has_grown: bool,
    /// The way to the host, once there is one.
    shell: Mutex<Option<Arc<dyn Shell>>>,
}

impl Deployment {
    /// The AWS operations that waiting for the database calls, as in IAM.
    pub(crate) fn waiting_calls(&self, cloud: &dyn Observe) -> Result<Vec<&'static str>, Error> {
        if self.nothing_runs(cloud)?.is_some() {
            return Ok(Vec::new());
        }
        let mut calls = vec![
            "ec2:DescribeInstanceStatus",
            "ec2:GetConsoleOutput",
            "ssm:DescribeInstanceInformation",
            "ssm:GetCommandInvocation",
            "ssm:SendCommand",
        ];
        if !self.cloud.is_simulated() {
            calls.extend(TUNNEL_CALLS);
        }
        let parts = self.stack.desired.outputs.iter().flat_map(|output| &output.parts);
        calls.extend(parts.filter_map(|part| match part {
            OutputPart::Secret(SecretRef::Parameter(_)) => Some("ssm:GetParameter"),
            OutputPart::Secret(SecretRef::Secret(_)) => Some("secretsmanager:GetSecretValue"),
            OutputPart::Value(_) => None,
        }));
        Ok(calls)
    }

    /// Why nothing runs on the stack's instance in this cloud, if nothing does.
    fn nothing_runs(&self, cloud: &dyn Observe) -> Result<Option<String>, Error> {
        if !self.cloud.is_simulated() {
            return Ok(cloud.runs_nothing());
        }
        let beside = match self.local_folder() {
            Some(folder) => LocalDatabase::beside(&folder)?,
            None => None,
        };
        let why = "the simulated instance runs no database; `lhctl local database` starts one";
        Ok(beside.is_none().then(|| why.to_owned()))
    }

    /// Who looks at this stack's database, or why there is nothing to look at. `has_grown` says that
    /// its volume is larger than it was.
    pub(super) async fn looker(&self, has_grown: bool) -> Result<Result<Looker<'_>, String>, Error> {
        let ports = self.ports().await?;
        if let Some(why) = self.nothing_runs(ports.cloud.as_ref())? {
            return Ok(Err(why));
        }
        let session = Session::read(ports, &self.stack.desired).await?;
        let Some(record) = session.state().resources.get(&Address::new("instance", "main")) else {
            return Ok(Err("the stack has no instance".to_owned()));
        };
        let volume = session.state().resources.get(&Address::new("volume", "data"));
        let volume = volume.and_then(|record| record.attribute("size")?.as_u64());
        let url = self.database_url().await.map_err(|error| error.to_string());
        let clients = self.cloud.clients(self.stack.region()).await?;
        let shell = Mutex::default();
        let instance = record.id.clone();
        Ok(Ok(Looker { deployment: self, clients, instance, url, volume, has_grown, shell }))
    }
}

impl Looker<'_> {
    /// Looks once. Whatever cannot be asked is told as such.
    pub async fn look(&self) -> Look {
        let (instance, host, direct) = futures_util::join!(self.instance(), self.host(), self.direct());
        Look { instance, host, direct, tunnel: None }
    }

    /// A session from here through a tunnel, which lives as long as the question.
    pub async fn tunnel(&self) -> Option<Tunnelled> {
        let url = self.url.as_ref().ok().filter(|url| !url.is_loopback())?;
        let place = self.deployment.place().await.ok()?;
        Some(match self.deployment.tunnel(&place, url).await {
            Ok(through) => Tunnelled::Open(through.tunnel.way().to_owned(), through.answer.into()),
            Err(reasons) => Tunnelled::Closed(reasons),
        })
    }

    async fn instance(&self) -> Instance {
        match lh_aws::health(&self.clients, &self.instance).await {
            Ok(Health::NotRunning(state)) => Instance::Not(state),
            Ok(Health::Checking(what)) => Instance::Checking(what),
            Ok(Health::Impaired(what)) => Instance::Impaired(what),
            Ok(Health::Sound) => Instance::Sound,
            Err(error) => Instance::Unknown(error.to_string()),
        }
    }

    async fn direct(&self) -> Attempt {
        let url = match &self.url {
            Ok(url) => url,
            Err(why) => return Attempt::Untried(why.clone()),
        };
        match lh_db::probe(url).await {
            Ok(answer) => answer.into(),
            Err(error) => Attempt::Untried(error.to_string()),
        }
    }

    async fn host(&self) -> Result<HostStatus, String> {
        let said = self.run("how far the host is", format!("exec {}\n", scripts::STATUS)).await?;
        HostStatus::read(&said)
            .ok_or_else(|| "cloud-init has not installed the host's scripts yet".to_owned())
    }

    /// Makes the file system as large as its volume, where it is not; answers with its new size.
    /// Without a way to the host nothing is known of it, and nothing is done.
    pub async fn grow(&self, host: Option<&HostStatus>) -> Result<Option<u64>, String> {
        let size = |status: &HostStatus| status.disk.map(|disk| disk.size);
        let (Some(gib), Some(before)) = (self.volume, host.and_then(size)) else { return Ok(None) };
        if !self.has_grown && !is_small(before, gib) {
            return Ok(None);
        }
        self.run("grow the file system", format!("{} >&2\n", scripts::DISK)).await?;
        match size(&self.host().await?) {
            Some(after) if !is_small(after, gib) => Ok((after > before).then_some(after)),
            Some(after) => Err(format!("it has {after} bytes on a volume of {gib} GiB")),
            None => Err("it is not mounted".to_owned()),
        }
    }

    /// The last lines of the log that tells of this stage.
    pub async fn log_of(&self, stage: Stage) -> Vec<String> {
        let text = match stage {
            Stage::Container | Stage::Tcp | Stage::Authentication | Stage::Extension => {
                format!(
                    "docker logs --tail {TAIL} timescaledb 2>&1 || tail -n {TAIL} {}\n",
                    lh_host::LOG_FILE
                )
            }
            _ => format!(
                "tail -n {TAIL} {} || tail -n {TAIL} /var/log/cloud-init-output.log\n",
                lh_host::LOG_FILE
            ),
        };
        let said = match self.run("the log", text).await {
            Ok(said) => said,
            // A host that cannot be asked shows what it does on its console.
            Err(_) => lh_aws::console(&self.clients, &self.instance).await.unwrap_or_default(),
        };
        let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| (*line).to_owned()).collect()
    }

    /// Runs a script on the host and answers with its standard output.
    async fn run(&self, title: &str, text: String) -> Result<String, String> {
        let shell = self.shell().await?;
        let script = Script { title: title.to_owned(), text, deadline: ASKING };
        let (mut said, mut wrong) = (String::new(), String::new());
        let mut tell = |stream, piece: &str| match stream {
            Stream::Out => said.push_str(piece),
            Stream::Err => wrong.push_str(piece),
        };
        match shell.run(&script, &mut tell).await {
            Ok(0) => Ok(said),
            Ok(status) => Err(format!("{title} ended with status {status}: {}", last_line(&wrong))),
            Err(error) => {
                // The way may have been an older one: look for one anew the next time.
                *self.shell.lock().await = None;
                Err(error.to_string())
            }
        }
    }

    async fn shell(&self) -> Result<Arc<dyn Shell>, String> {
        let mut known = self.shell.lock().await;
        if let Some(shell) = known.as_ref() {
            return Ok(Arc::clone(shell));
        }
        let shell = self.deployment.shell().await.map_err(|error| error.to_string())?;
        Ok(Arc::clone(known.insert(shell)))
    }
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing")
}
