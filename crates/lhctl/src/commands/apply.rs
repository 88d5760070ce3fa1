//! `lhctl apply`: makes a stack as its file says, or carries out a saved plan.

use std::path::PathBuf;

use lh::{Applied, CloudError, Error, ErrorKind, Mode, Plan, SavedPlan, Waited};

use crate::{
    args::{Global, Part},
    context::{self, Work},
    failure::{Code, Failure},
    render::{plan as human, readiness, summary},
};

/// Arguments of `apply`.
#[derive(clap::Args)]
pub(crate) struct Apply {
    /// A stack file, or a plan kept with `lhctl plan --out`
    #[arg(value_name = "STACK|PLAN")]
    what: PathBuf,
    #[command(flatten)]
    part: Part,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Do not wait until the database answers
    #[arg(long)]
    no_wait: bool,
}

impl Apply {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        if !self.auto_approve && !context::can_ask() {
            return Err(context::not_approved("apply").fix("Add --auto-approve, or make a plan with `lhctl plan --out FILE`, look at it, and apply that file with --auto-approve."));
        }
        if SavedPlan::is_at(&self.what) {
            return self.saved(global).await;
        }
        let work = context::open(&self.what, global)?;
        let scope = self.part.scope();
        let verb = if scope.mode == Mode::Refresh { "Refresh" } else { "Apply" };
        let run = work.deployment.apply_within(&scope, |plan| self.approve(&work, plan));
        self.finish(&work, verb, run).await
    }

    /// Runs the apply to its end, then waits for the database.
    async fn finish(
        &self,
        work: &Work,
        verb: &str,
        run: impl Future<Output = Result<Applied, Error>>,
    ) -> Result<Code, Failure> {
        let applied = run_to_end(work, run).await?;
        let waited = self.wait(work, &applied).await?;
        let code = tell(work, verb, &applied);
        let Some(waited) = waited else { return Ok(code) };
        match readiness::show(&waited) {
            Some(failure) => Err(failure),
            None => Ok(code),
        }
    }

    /// What came of waiting; nothing if there is no reason to wait.
    async fn wait(&self, work: &Work, applied: &Applied) -> Result<Option<Waited>, Failure> {
        let done = applied.outcome.is_complete() && !applied.outcome.interrupted;
        if self.no_wait || !done || !self.part.scope().is_whole_apply() || !applied.plan.targets.is_empty() {
            return Ok(None);
        }
        let waited = work.deployment.await_database(&applied.plan).await;
        work.progress.clear();
        Ok(Some(waited?))
    }

    async fn saved(&self, global: &Global) -> Result<Code, Failure> {
        let saved = SavedPlan::read(&self.what)?;
        if saved.is_local() != global.local {
            let (made, add) = if saved.is_local() {
                ("in the simulated AWS", "Add --local")
            } else {
                ("for real AWS", "Leave --local out")
            };
            return Err(Failure::plain(format!("{} was made {made}.", self.what.display()))
                .code(Code::Refused)
                .fix(format!("{add}, or make a new plan.")));
        }
        if self.part.is_given() {
            return Err(Failure::plain(
                "--target and --refresh-only have no meaning with a saved plan: it is carried out whole.",
            )
            .fix("Make a new plan with these options."));
        }
        if !global.set.is_empty() {
            return Err(Failure::plain("--set has no meaning with a saved plan: its values are fixed.")
                .fix("Make a new plan with these values."));
        }
        let work = context::connect(saved.stack(), global)?;
        let run = work.deployment.apply_saved(&saved, |plan| self.approve(&work, plan));
        self.finish(&work, "Apply", run).await
    }

    fn approve(&self, work: &Work, plan: &Plan) -> bool {
        work.progress.clear();
        crate::say::outln!("{}", human::render(plan));
        let quiet = plan.is_empty() || self.auto_approve;
        let question = match plan.mode {
            Mode::Refresh => format!("Record this in the state of {}? Only `yes` does it:", plan.stack),
            _ => format!("Apply this plan to {}? Only `yes` does it:", plan.stack),
        };
        quiet || context::ask(&question, "yes")
    }
}

/// Runs an apply or a destroy to its end, and tells what came of it.
pub(crate) async fn carry_out(
    work: &Work,
    verb: &str,
    run: impl Future<Output = Result<Applied, Error>>,
) -> Result<Code, Failure> {
    let applied = run_to_end(work, run).await?;
    Ok(tell(work, verb, &applied))
}

/// Runs it, watching for Ctrl-C; what was not approved is a failure.
async fn run_to_end(
    work: &Work,
    run: impl Future<Output = Result<Applied, Error>>,
) -> Result<Applied, Failure> {
    context::watch_interrupts(work.deployment.stop(), work.progress.clone());
    let result = context::watched(&work.progress, run).await;
    work.progress.clear();
    let sources = work.deployment.stack().sources();
    let applied = result.map_err(|error| Failure::from(error).with_sources(sources))?;
    if !applied.approved {
        return Err(context::not_done());
    }
    Ok(applied)
}

/// Tells what came of it, and which exit code says so.
fn tell(work: &Work, verb: &str, applied: &Applied) -> Code {
    summary::show(applied, verb, work.deployment.stack().sources());
    let is_stale = |error: &CloudError| error.kind == ErrorKind::Stale;
    let failed = &applied.outcome.failed;
    match (applied.outcome.is_complete(), applied.outcome.interrupted) {
        (true, _) => Code::Done,
        (false, false) if !failed.is_empty() && failed.values().all(is_stale) => Code::Refused,
        (false, true) => Code::Interrupted,
        (false, false) => Code::Error,
    }
}
