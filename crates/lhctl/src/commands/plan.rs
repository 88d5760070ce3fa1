//! `lhctl plan`: what apply would do, in words, in JSON, or kept in a file.

use std::path::{Path, PathBuf};

use lh::{EngineError, Mode, Plan};

use crate::{
    args::{Global, Stacks},
    context::{self, Work},
    failure::{Code, Failure},
    render::{json, plan as human},
};

/// Arguments of `plan`.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    stacks: Stacks,
    /// Keep the plan in this file, for `lhctl apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    /// Print the least-privilege IAM policy under which this plan can be carried out
    #[arg(long, conflicts_with_all = ["json", "out"])]
    policy: bool,
    /// Exit with 2 if there are changes, 0 if there are none
    #[arg(long)]
    detailed_exitcode: bool,
}

impl PlanArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let files = context::stack_files(&self.stacks.files)?;
        if let (Some(out), true) = (&self.out, files.len() > 1) {
            return Err(Failure::plain(format!(
                "--out {} keeps one plan, and {} stacks were found.",
                out.display(),
                files.len()
            ))
            .fix("Name one stack file."));
        }
        if self.policy && files.len() > 1 {
            return Err(Failure::plain(format!("A policy is of one stack, and {} were found.", files.len()))
                .fix("Name one stack file."));
        }
        let (mut changes, mut all) = (false, Vec::new());
        for file in &files {
            let work = context::open(file, global)?;
            let plan = self.one(&work).await?;
            changes |= !plan.is_empty();
            if self.policy {
                show_policy(&work.deployment.policy(&plan).await?);
            } else if self.json {
                all.push(json::plan(&plan));
            } else {
                anstream::println!("{}", human::render(&plan));
            }
            self.keep(&work, plan)?;
        }
        if self.json {
            let one = (all.len() == 1).then(|| all.pop()).flatten();
            anstream::println!("{:#}", one.unwrap_or_else(|| serde_json::json!(all)));
        }
        Ok(if self.detailed_exitcode && changes { Code::Changes } else { Code::Done })
    }

    async fn one(&self, work: &Work) -> Result<Plan, Failure> {
        let sources = work.deployment.stack().sources().clone();
        let plan = context::watched(&work.progress, work.deployment.plan(Mode::Apply)).await;
        work.progress.clear();
        let plan = plan.map_err(|error| Failure::from(error).with_sources(&sources))?;
        if plan.refusals.is_empty() {
            return Ok(plan);
        }
        if self.json {
            anstream::println!("{:#}", json::plan(&plan));
        }
        let refused = lh::Error::Engine(EngineError::Refused(plan.refusals));
        Err(Failure::from(refused).with_sources(&sources))
    }

    fn keep(&self, work: &Work, plan: Plan) -> Result<(), Failure> {
        let Some(out) = &self.out else { return Ok(()) };
        work.deployment.save(plan).write(Path::new(out))?;
        anstream::eprintln!("The plan is in {}; carry it out with `lhctl apply {0}`.", out.display());
        Ok(())
    }
}

/// The longest managed policy that IAM takes, white space not counted.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const LONGEST_POLICY: usize = 6144;

fn show_policy(policy: &serde_json::Value) {
    anstream::println!("{policy:#}");
    let length = policy.to_string().chars().filter(|c| !c.is_whitespace()).count();
    if length > LONGEST_POLICY {
        anstream::eprintln!(
            "The policy has {length} characters and a managed policy may have {LONGEST_POLICY}: put its statements into two."
        );
    }
}
