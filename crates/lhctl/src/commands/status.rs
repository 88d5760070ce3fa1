//! `lhctl status`: how stacks stand, at a glance.

use lh::Fleet;

use crate::{
    args::{Global, Stacks},
    context,
    failure::{Code, Failure},
    render::status,
};

/// Arguments of `status`.
#[derive(clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    stacks: Stacks,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl StatusArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let works = context::open_all(&context::stack_files(&self.stacks.files)?, global)?;
        let fleet: Fleet<'_> = works.iter().map(|work| &work.deployment).collect();
        let progress = &works[0].progress;
        let all = context::watched(progress, fleet.status()).await;
        progress.clear();
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(all));
        } else {
            crate::say::outln!("{}", all.iter().map(status::text).collect::<Vec<_>>().join("\n\n"));
        }
        Ok(if all.iter().all(|one| one.fine) { Code::Done } else { Code::Error })
    }
}
