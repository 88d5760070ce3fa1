//! `lhctl history`: every run of a stack: who, when, which plan, which calls, how it ended.

use std::path::PathBuf;

use lh::{Run, RunResult};

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `history`.
#[derive(clap::Args)]
pub(crate) struct HistoryArgs {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// How many runs to show at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Show each call to AWS with its request id
    #[arg(long)]
    calls: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl HistoryArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        let runs = work.ask(work.deployment.history(self.limit)).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(runs));
            return Ok(Code::Done);
        }
        if runs.is_empty() {
            crate::say::errln!("{} has no history yet.", work.deployment.stack().name());
        }
        for run in &runs {
            self.show(run);
        }
        Ok(Code::Done)
    }

    fn show(&self, run: &Run) {
        let result = match run.result {
            RunResult::Ok => style::good("ok"),
            RunResult::Failed => style::error("failed"),
            RunResult::Interrupted => style::change("interrupted"),
        };
        let calls = run.calls.len() + run.calls_left_out;
        let is_digest = run.plan.len() == 64 && run.plan.bytes().all(|byte| byte.is_ascii_hexdigit());
        let plan = if is_digest { format!("plan {}", &run.plan[..12]) } else { run.plan.clone() };
        crate::say::outln!(
            "{}  {:<15} {result}  by {}, from serial {}, {plan}, {}, {}",
            run.began,
            run.operation,
            run.who,
            run.serial,
            count(run.changes.len(), "change"),
            count(calls, "call")
        );
        if self.calls {
            for call in &run.calls {
                let status =
                    call.call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                let id = call.call.request_id.as_deref().unwrap_or("no request id");
                crate::say::outln!("    {}  {}  {status}  {id}", call.step, call.call.operation);
            }
            if run.calls_left_out > 0 {
                crate::say::outln!("    and {} more, of which nothing is kept", run.calls_left_out);
            }
        }
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
