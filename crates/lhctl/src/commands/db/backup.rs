//! `lhctl db backup`: a dump, now.

use std::path::PathBuf;

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::dumps as human,
};

/// Arguments of `db backup`.
#[derive(clap::Args)]
pub(super) struct Backup {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (_work, host) = super::host(&self.stack, global).await?;
        let backup = host.backup(&mut super::say).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(backup));
        } else {
            crate::say::outln!("{}", human::backup(&backup));
        }
        Ok(Code::Done)
    }
}
