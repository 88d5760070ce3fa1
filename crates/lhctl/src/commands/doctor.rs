//! `lhctl doctor`: what a stack needs and does not make, as a checklist.

use std::path::PathBuf;

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
    render::verification,
};

/// Arguments of `doctor`.
#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        let report = context::watched(&work.progress, work.deployment.doctor()).await;
        work.progress.clear();
        let report = report?;
        let stack = work.deployment.stack().name();
        if self.json {
            let (holds, checks) = (report.holds(), &report.checks);
            crate::say::outln!(
                "{:#}",
                serde_json::json!({ "stack": stack, "holds": holds, "checks": checks })
            );
        } else {
            crate::say::outln!("{}", verification::table(&report, &format!("Checklist of {stack}")));
        }
        Ok(if report.holds() { Code::Done } else { Code::Error })
    }
}
