//! A terminal on the stack's instance, for a person: which program gives it.

use lh_aws::remote::{Agent, agent};

use super::Way;
use crate::{Deployment, Error};

/// The program that opens a terminal on the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Which way it takes; in the simulated world, none.
    pub way: Option<Way>,
}

impl Session {
    /// The same, with one command on the terminal in the place of a shell. None in the simulated
    /// world, which has no terminal for it.
    pub fn running(mut self, command: &str) -> Option<Self> {
        match self.way? {
            Way::Ssh => self.args.push(command.to_owned()),
            Way::Ssm => {
                let parameters = serde_json::json!({ "command": [command] }).to_string();
                let document = ["--document-name", "AWS-StartInteractiveCommand", "--parameters"];
                self.args.extend(document.into_iter().map(str::to_owned).chain([parameters]));
            }
        }
        Some(self)
    }
}

impl Deployment {
    /// How to open a terminal: by SSH where the stack has a key pair, else by Session Manager, or
    /// by the way that is named. In the simulated world Session Manager is what its hosts offer.
    ///
    /// # Errors
    /// [`Error::Host`] when the stack has no instance yet, or the way cannot be taken.
    pub async fn session(&self, via: Option<Way>) -> Result<Session, Error> {
        let place = self.place().await?;
        let region = self.stack().region();
        let mut reasons = Vec::new();
        if via != Some(Way::Ssm) {
            match self.ssh_target(&place) {
                Ok(target) => {
                    let args = target.args(true);
                    return Ok(Session { program: "ssh".to_owned(), args, way: Some(Way::Ssh) });
                }
                Err(reason) => reasons.push(format!("SSH: {reason}.")),
            }
            if via.is_some() {
                return Err(self.no_way(&place, &reasons));
            }
        }
        if let Some(sim) = self.cloud.sim() {
            let Some((program, args)) = sim.terminal(region, &place.instance) else {
                let reason = "Nothing runs on the simulated instance, so there is no terminal on it.";
                return Err(self.no_way(&place, &[reason.to_owned()]));
            };
            return Ok(Session { program, args, way: None });
        }
        let clients = self.cloud.clients(region).await?;
        if let Agent::Offline(reason) = agent(&clients, &place.instance).await? {
            reasons.push(format!("SSM: {reason}."));
            return Err(self.no_way(&place, &reasons));
        }
        let args = ["ssm", "start-session", "--region", region, "--target", &place.instance];
        let args = args.into_iter().map(str::to_owned).collect();
        Ok(Session { program: "aws".to_owned(), args, way: Some(Way::Ssm) })
    }
}
