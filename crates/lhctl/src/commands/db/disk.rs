//! `lhctl db disk`: what fills the data volume, and its growth.

use std::path::PathBuf;

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::database as human,
};

/// Arguments of `db disk`.
#[derive(clap::Args)]
pub(super) struct Disk {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Make the file system as large as its volume first
    #[arg(long)]
    grow: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Disk {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (_work, host) = super::host(&self.stack, global).await?;
        let disk = host.disk(self.grow, &mut super::say).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(disk));
        } else {
            crate::say::outln!("{}", human::disk(&disk));
        }
        Ok(Code::Done)
    }
}
