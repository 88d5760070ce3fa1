//! `lhctl cost`: the monthly estimate, line by line.

use lh::{Mode, Share};

use crate::{
    args::{Global, Stacks},
    context,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `cost`.
#[derive(clap::Args)]
pub(crate) struct Cost {
    #[command(flatten)]
    stacks: Stacks,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Cost {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let mut all = Vec::new();
        for file in context::stack_files(&self.stacks.files)? {
            let work = context::open(&file, global)?;
            let plan = context::watched(&work.progress, work.deployment.plan(Mode::Apply)).await?;
            work.progress.clear();
            if self.json {
                all.push(serde_json::json!({ "stack": plan.stack, "estimate": plan.cost_after,
                    "guide_total": plan.cost_after.guide_total().to_string(), "total": plan.cost_after.total().to_string() }));
            } else {
                show(&plan.stack.0, &plan.cost_after);
            }
        }
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(all));
        }
        Ok(Code::Done)
    }
}

fn show(stack: &str, estimate: &lh::Estimate) {
    crate::say::outln!("{}, dollars a month", style::bold(stack));
    for (share, title) in [(Share::Guide, "the guide's formula"), (Share::Extra, "what the guide leaves out")]
    {
        crate::say::outln!("  {}", style::dim(title));
        for (_, line) in estimate.lines.iter().filter(|(_, line)| line.share == share) {
            crate::say::outln!("    {:<44} {:>8}", line.what, line.monthly.to_string());
        }
        if share == Share::Guide {
            crate::say::outln!("    {:<44} {:>8}", "subtotal", estimate.guide_total().to_string());
        }
    }
    crate::say::outln!("  {:<46} {:>8}", "total", estimate.total().to_string());
    for (address, why) in &estimate.unknown {
        crate::say::outln!("  {address}: unknown, not counted: {why}");
    }
}
