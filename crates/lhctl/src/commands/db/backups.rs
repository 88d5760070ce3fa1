//! `lhctl db backups`: every dump there is.

use std::path::PathBuf;

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::dumps as human,
};

/// Arguments of `db backups`.
#[derive(clap::Args)]
pub(super) struct Backups {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Read the dumps on the volume and compare their checksums
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Backups {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (_work, host) = super::host(&self.stack, global).await?;
        let backups = host.backups(self.check, &mut super::say).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(backups));
        } else {
            crate::say::outln!("{}", human::backups(&backups));
        }
        Ok(Code::Done)
    }
}
