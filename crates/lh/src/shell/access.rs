//! What SSH needs to reach a stack's instance: the stack file's section `ssh`, and the arguments
//! that come of it. Connects to nothing.

use std::path::PathBuf;

use lh_spec::{PublicKey, Ssh};

/// The login of the Ubuntu images.
const USER: &str = "ubuntu";

/// How SSH behaves where nobody can answer a question, and where a network is slow.
const OPTIONS: [&str; 5] = [
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "StrictHostKeyChecking=accept-new",
];

/// The section `ssh`, as far as connections need it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SshAccess {
    key_name: Option<String>,
    key_file: Option<String>,
    bastion: Option<String>,
}

/// What one `ssh` is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Names the instance among known hosts: its address may have been another's.
    pub alias: String,
    /// The address.
    pub host: String,
    /// The private key, if it is where the stack file says; else the agent may have it.
    pub key: Option<PathBuf>,
    /// What to go through.
    pub bastion: Option<String>,
}

impl SshAccess {
    pub fn of(ssh: &Ssh) -> Self {
        let key_name = ssh.key_name.as_ref().map(|name| name.value.clone());
        // The private key stands beside the public one; AWS hands out .pem files.
        let key_file = match ssh.public_key.as_ref().map(|key| &key.value) {
            Some(PublicKey::File(file)) => Some(file.strip_suffix(".pub").unwrap_or(file).to_owned()),
            _ => key_name.as_ref().map(|name| format!("~/.ssh/{name}.pem")),
        };
        let bastion = ssh.bastion.as_ref().map(|bastion| bastion.value.clone());
        Self { key_name, key_file, bastion }
    }

    /// How to connect to `host`, or why nobody can.
    pub fn target(&self, instance: &str, host: &str) -> Result<Target, String> {
        if self.key_name.is_none() {
            return Err("the stack file has no `ssh.key_name`, so the instance lets nobody log in".to_owned());
        }
        let home = std::env::home_dir();
        let key = self.key_file.as_ref().map(|file| match (file.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(file),
        });
        Ok(Target {
            alias: instance.to_owned(),
            host: host.to_owned(),
            key: key.filter(|file| file.is_file()),
            bastion: self.bastion.clone(),
        })
    }
}

impl Target {
    /// The way, in words.
    pub fn way(&self) -> String {
        match &self.bastion {
            Some(bastion) => format!("SSH to {} through {bastion}", self.host),
            None => format!("SSH to {}", self.host),
        }
    }

    /// The arguments before a command; `asks` if somebody sits there who can be asked.
    pub fn args(&self, asks: bool) -> Vec<String> {
        let mut args = Vec::new();
        for option in OPTIONS.into_iter().filter(|option| !(asks && option.starts_with("BatchMode"))) {
            args.extend(["-o".to_owned(), option.to_owned()]);
        }
        args.extend(["-o".to_owned(), format!("HostKeyAlias={}", self.alias)]);
        if let Some(key) = &self.key {
            args.extend(["-i".to_owned(), key.display().to_string()]);
        }
        if let Some(bastion) = &self.bastion {
            args.extend(["-J".to_owned(), bastion.clone()]);
        }
        args.extend([if asks { "-t" } else { "-T" }.to_owned(), format!("{USER}@{}", self.host)]);
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_key_bastion_and_host() {
        let target = Target {
            alias: "i-1".into(),
            host: "203.0.113.9".into(),
            key: Some("/k/dev.pem".into()),
            bastion: Some("me@bastion:2222".into()),
        };
        let args = target.args(false).join(" ");
        assert!(args.starts_with("-o BatchMode=yes -o ConnectTimeout=10"), "{args}");
        assert!(
            args.ends_with("HostKeyAlias=i-1 -i /k/dev.pem -J me@bastion:2222 -T ubuntu@203.0.113.9"),
            "{args}"
        );
        assert!(!target.args(true).join(" ").contains("BatchMode"));
    }

    #[test]
    fn without_a_key_pair_nobody_logs_in() {
        let why = SshAccess::default().target("i-1", "203.0.113.9").unwrap_err();
        assert!(why.contains("ssh.key_name"), "{why}");
    }
}
