//! `lhctl destroy`: removes a stack; its data only after a final copy.

use std::path::PathBuf;

use lh::Plan;

use crate::{
    args::Global,
    commands::apply::carry_out,
    context::{self, Work},
    failure::{Code, Failure},
    render::plan as human,
};

/// Arguments of `destroy`.
#[derive(clap::Args)]
pub(crate) struct Destroy {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Do not ask for the stack's name
    #[arg(long)]
    auto_approve: bool,
    /// Keep what holds data as it is, instead of a final snapshot of the volume
    #[arg(long)]
    retain_data: bool,
}

impl Destroy {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        if !self.auto_approve && !context::can_ask() {
            return Err(context::not_approved("destroy"));
        }
        let work = context::open(&self.stack, global)?;
        let run = work.deployment.destroy(self.retain_data, |plan| self.approve(&work, plan));
        carry_out(&work, "Destroy", run).await
    }

    fn approve(&self, work: &Work, plan: &Plan) -> bool {
        work.progress.clear();
        crate::say::outln!("{}", human::render(plan));
        let quiet = plan.is_empty() || self.auto_approve;
        quiet
            || context::ask(&format!("To destroy it, type the stack's name, {}:", plan.stack), &plan.stack.0)
    }
}
