//! The way to a stack's instance: Run Command where its agent takes commands, else SSH.

mod access;
mod session;
mod ssh;
mod tunnel;

use std::sync::Arc;

use lh_aws::remote::{Agent, RunCommand, agent};
use lh_host::Shell;

use crate::{Deployment, Error};
use ssh::Ssh;

pub(crate) use access::SshAccess;
pub use session::Session;
pub(crate) use tunnel::TUNNEL_CALLS;
pub use tunnel::Tunnel;

/// A way to the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Systems Manager: Run Command for scripts, Session Manager for people.
    Ssm,
    /// SSH, through the bastion where there is one.
    Ssh,
}

/// The stack's instance, as its state has it.
pub(crate) struct Place {
    /// Its id.
    pub instance: String,
    /// Its address: the Elastic IP, else the private one.
    pub host: Option<String>,
}

impl Deployment {
    /// A way to run scripts on the stack's instance: Run Command if its SSM agent is online, else
    /// SSH if the stack has a key pair and the instance answers. Once the deployment's
    /// [`Stop`](crate::Stop) is asked, a script that runs is ended.
    ///
    /// # Errors
    /// [`Error::Host`] when the stack has no instance yet, or neither way leads to it: both
    /// reasons, and what to do. Whatever AWS answers to the question for the agent, where the stack
    /// has no other way.
    pub async fn shell(&self) -> Result<Arc<dyn Shell>, Error> {
        self.shell_by(None).await
    }

    /// [`Deployment::shell`], by this way alone if one is named.
    ///
    /// # Errors
    /// As [`Deployment::shell`].
    pub async fn shell_by(&self, via: Option<Way>) -> Result<Arc<dyn Shell>, Error> {
        let place = self.place().await?;
        let mut reasons = Vec::new();
        if via != Some(Way::Ssh) {
            match self.by_run_command(&place).await {
                Ok(Ok(shell)) => return Ok(shell),
                Ok(Err(reason)) => reasons.push(format!("SSM: {reason}.")),
                // Whoever may not ask AWS for the agent may still have a key.
                Err(error) if via.is_none() && self.ssh_target(&place).is_ok() => {
                    reasons.push(format!("SSM: {error}."));
                }
                Err(error) => return Err(error),
            }
        }
        if via != Some(Way::Ssm) {
            match self.by_ssh(&place).await {
                Ok(shell) => return Ok(shell),
                Err(reason) => reasons.push(format!("SSH: {reason}.")),
            }
        }
        Err(self.no_way(&place, &reasons))
    }

    /// Where the stack's instance is.
    pub(crate) async fn place(&self) -> Result<Place, Error> {
        let outputs = self.outputs().await?;
        let value = |name: &str| {
            outputs.iter().find(|output| output.name == name).and_then(|output| output.value.clone())
        };
        let host = value("instance_public_ip").or_else(|| value("instance_private_ip"));
        match value("instance_id") {
            Some(instance) => Ok(Place { instance, host }),
            None => Err(Error::Host {
                reason: format!("The stack {} has no instance yet.", self.stack().name()),
                fix: "Apply it first.".to_owned(),
            }),
        }
    }

    async fn by_run_command(&self, place: &Place) -> Result<Result<Arc<dyn Shell>, String>, Error> {
        let clients = self.cloud.clients(self.stack().region()).await?;
        Ok(match agent(&clients, &place.instance).await? {
            Agent::Offline(reason) => Err(reason),
            Agent::Online => {
                let stop = self.stop();
                let stop = Arc::new(move || stop.is_asked());
                Ok(Arc::new(RunCommand::new(&clients, &place.instance, self.cloud.host_pace(), stop)))
            }
        })
    }

    async fn by_ssh(&self, place: &Place) -> Result<Arc<dyn Shell>, String> {
        let ssh = Ssh::new(self.ssh_target(place)?, self.stop());
        ssh.probe().await?;
        Ok(Arc::new(ssh))
    }

    /// What SSH connects to, or why there is nothing.
    pub(crate) fn ssh_target(&self, place: &Place) -> Result<access::Target, String> {
        if self.cloud.is_simulated() {
            // Its addresses belong to somebody else in the real world.
            return Err("the simulated instance has no address to connect to".to_owned());
        }
        let host = place.host.as_deref().ok_or("the instance has no address yet")?;
        self.stack().ssh.target(&place.instance, host)
    }

    pub(crate) fn no_way(&self, place: &Place, reasons: &[String]) -> Error {
        let fix = if self.cloud.is_simulated() {
            "Run the command against real AWS, or give the simulated instance a host to run on."
        } else {
            "Mend one of the ways. An instance that was just started needs a minute or two; `lhctl doctor STACK` checks what it needs."
        };
        let reason = format!("No way leads to the instance {}. {}", place.instance, reasons.join(" "));
        Error::Host { reason, fix: fix.to_owned() }
    }
}
