//! `lhctl plan`: what apply would do, in words, as JSON, Markdown or a page, or kept in a file.

use std::path::{Path, PathBuf};

use lh::{EngineError, Fleet, Plan};

use crate::{
    args::{Global, Part, Stacks},
    context::{self, Work},
    failure::{Code, Failure},
    render::{html, json, markdown, plan as human},
};

/// The longest managed policy that IAM takes, white space not counted.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const LONGEST_POLICY: usize = 6144;

/// Arguments of `plan`.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    stacks: Stacks,
    #[command(flatten)]
    part: Part,
    /// Keep the plan in this file, for `lhctl apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
    /// Write the plan as a page to this file, which needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Exit with 2 if there are changes, 0 if there are none
    #[arg(long)]
    detailed_exitcode: bool,
}

/// What is printed.
#[derive(clap::Args)]
#[group(multiple = false)]
struct Form {
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    /// Print the plan as Markdown, for a pull request
    #[arg(long)]
    markdown: bool,
    /// Print the least-privilege IAM policy under which this plan can be carried out
    #[arg(long)]
    policy: bool,
}

impl PlanArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let files = context::stack_files(&self.stacks.files)?;
        self.check(&files)?;
        let works = context::open_all(&files, global)?;
        let fleet: Fleet<'_> = works.iter().map(|work| &work.deployment).collect();
        let progress = &works[0].progress;
        let plans = context::watched(progress, fleet.plan_within(&self.part.scope())).await;
        progress.clear();
        let (mut made, mut failure) = (Vec::new(), None);
        for (work, plan) in works.iter().zip(plans) {
            match plan {
                Ok(plan) => made.push((work, plan)),
                Err(error) => note(&mut failure, Failure::from(error).with_sources(sources(work))),
            }
        }
        self.print(&made, files.len()).await?;
        if let Some(path) = &self.html {
            let plans: Vec<&Plan> = made.iter().map(|(_, plan)| plan).collect();
            write(path, &html::page(&plans))?;
            crate::say::errln!("The page is in {}.", path.display());
        }
        let mut changes = false;
        for (work, plan) in made {
            changes |= !plan.is_empty();
            match plan.refusals.is_empty() {
                true => self.keep(work, plan)?,
                false => {
                    let refused = lh::Error::Engine(EngineError::Refused(plan.refusals));
                    note(&mut failure, Failure::from(refused).with_sources(sources(work)));
                }
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None if self.detailed_exitcode && changes => Ok(Code::Changes),
            None => Ok(Code::Done),
        }
    }

    /// Options that are of one stack alone.
    fn check(&self, files: &[PathBuf]) -> Result<(), Failure> {
        let only = match (&self.out, self.form.policy, self.part.is_given()) {
            _ if files.len() == 1 => return Ok(()),
            (Some(out), ..) => format!("--out {} keeps one plan", out.display()),
            (None, true, _) => "A policy is of one stack".to_owned(),
            (None, false, true) => "--target and --refresh-only are for one stack".to_owned(),
            (None, false, false) => return Ok(()),
        };
        Err(Failure::plain(format!("{only}, and {} stacks were found.", files.len()))
            .fix("Name one stack file."))
    }

    /// Whether a plan is to be looked at: one that may be carried out, or that lacks nothing but what
    /// could not be read. What else refuses a plan makes its steps misleading, and a policy of a
    /// plan with gaps would have them too.
    fn is_worth_showing(&self, plan: &Plan) -> bool {
        let unread = plan.refusals.iter().all(|refusal| refusal.code == "E0601");
        plan.refusals.is_empty() || unread && !self.form.policy
    }

    async fn print(&self, made: &[(&Work, Plan)], stacks: usize) -> Result<(), Failure> {
        if self.form.json {
            let mut all: Vec<_> = made.iter().map(|(_, plan)| json::plan(plan)).collect();
            let one = (stacks == 1).then(|| all.pop()).flatten();
            if stacks > 1 || one.is_some() {
                crate::say::outln!("{:#}", one.unwrap_or_else(|| serde_json::json!(all)));
            }
            return Ok(());
        }
        for (work, plan) in made.iter().filter(|(_, plan)| self.is_worth_showing(plan)) {
            if self.form.policy {
                show_policy(&work.ask(work.deployment.policy(plan)).await?);
            } else if self.form.markdown {
                crate::say::outln!("{}", markdown::render(plan));
            } else {
                crate::say::outln!("{}", human::render(plan));
            }
        }
        Ok(())
    }

    fn keep(&self, work: &Work, plan: Plan) -> Result<(), Failure> {
        let Some(out) = &self.out else { return Ok(()) };
        work.deployment.save(plan).write(Path::new(out))?;
        crate::say::errln!("The plan is in {}; carry it out with `lhctl apply {0}`.", out.display());
        Ok(())
    }
}

/// Plans and shows it; a plan that is refused is a failure.
pub(crate) async fn show(work: &Work) -> Result<(), Failure> {
    let plan = context::watched(&work.progress, work.deployment.plan(lh::Mode::Apply)).await;
    work.progress.clear();
    let plan = plan.map_err(|error| Failure::from(error).with_sources(sources(work)))?;
    if plan.refusals.is_empty() {
        crate::say::outln!("{}", human::render(&plan));
        return Ok(());
    }
    let refused = lh::Error::Engine(EngineError::Refused(plan.refusals));
    Err(Failure::from(refused).with_sources(sources(work)))
}

fn sources(work: &Work) -> &lh::Sources {
    work.deployment.stack().sources()
}

/// The last failure ends the command; those before it are told when they are met.
fn note(kept: &mut Option<Failure>, failure: Failure) {
    if let Some(earlier) = kept.replace(failure) {
        let _ = earlier.report();
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        Failure::plain(format!("{} cannot be written: {error}.", path.display()))
            .fix("Name a file in a folder that exists and may be written.")
    })
}

fn show_policy(policy: &serde_json::Value) {
    crate::say::outln!("{policy:#}");
    let length = policy.to_string().chars().filter(|c| !c.is_whitespace()).count();
    if length > LONGEST_POLICY {
        crate::say::errln!(
            "The policy has {length} characters and a managed policy may have {LONGEST_POLICY}: put its statements into two."
        );
    }
}
