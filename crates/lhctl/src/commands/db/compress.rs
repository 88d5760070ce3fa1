//! `lhctl db compress`: what a policy should have compressed by now.

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::database as human,
};

/// Arguments of `db compress`.
#[derive(clap::Args)]
pub(super) struct Compress {
    #[command(flatten)]
    target: Target,
    /// Show the chunks, and do nothing
    #[arg(long)]
    plan: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Compress {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let database = super::database(&self.target, global).await?;
        let chunks = database.compressible().await?;
        if self.plan {
            if self.json {
                crate::say::outln!("{:#}", serde_json::json!(chunks));
            } else {
                crate::say::outln!("{}", human::chunks(&chunks));
            }
            return Ok(Code::Done);
        }
        let done = database.compress(&chunks, &mut super::say).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(done));
        } else {
            crate::say::outln!("{}", human::compressed(&done));
        }
        Ok(Code::Done)
    }
}
