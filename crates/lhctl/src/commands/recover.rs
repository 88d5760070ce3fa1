//! `lhctl recover`: rebuilds a lost state from ownership tags and the stack file.

use std::path::PathBuf;

use lh::Plan;

use crate::{
    args::Global,
    commands::apply::carry_out,
    context::{self, Work},
    failure::{Code, Failure},
};

/// Arguments of `recover`.
#[derive(clap::Args)]
pub(crate) struct Recover {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
}

impl Recover {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        if !self.auto_approve && !context::can_ask() {
            return Err(context::not_approved("recover"));
        }
        let work = context::open(&self.stack, global)?;
        carry_out(&work, "Recover", work.deployment.recover(|plan| self.approve(&work, plan))).await
    }

    fn approve(&self, work: &Work, plan: &Plan) -> bool {
        work.progress.clear();
        if plan.is_empty() {
            crate::say::outln!("AWS shows nothing of {} that the state does not know.", plan.stack);
            return true;
        }
        crate::say::outln!(
            "These carry the tags of {} and are taken into its state; AWS is not changed:",
            plan.stack
        );
        for step in &plan.steps {
            let id = step.cloud_id.as_ref().map(ToString::to_string).unwrap_or_default();
            crate::say::outln!("  {} {id}", step.id.address);
        }
        self.auto_approve || context::ask("Take them over? Only `yes` does it:", "yes")
    }
}
