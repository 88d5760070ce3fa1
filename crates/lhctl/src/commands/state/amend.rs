//! `lhctl state rm`, `mv` and `push`: changing the state by hand, with what to know before.

use std::path::{Path, PathBuf};

use lh::{Address, Amended, Amendment};

use crate::{
    args::Global,
    context::{self, Work},
    failure::{Code, Failure},
    render::style,
};

/// The deployment, if there is somebody to ask or nothing to ask for. Ctrl-C ends a wait.
pub(super) fn open(stack: &Path, global: &Global, verb: &str, approved: bool) -> Result<Work, Failure> {
    if !approved && !context::can_ask() {
        return Err(Failure::plain(format!(
            "`lhctl {verb}` asks before it changes the state, and there is no terminal to ask on. Nothing was changed."
        ))
        .code(Code::Refused)
        .fix("Add --auto-approve."));
    }
    let work = context::open(stack, global)?;
    context::watch_interrupts(work.deployment.stop(), work.progress.clone());
    Ok(work)
}

/// Shows what would be recorded otherwise, and what to know before.
pub(super) fn show(amendment: &Amendment) {
    let from =
        amendment.from.map_or_else(|| "a state that cannot be used".to_owned(), |n| format!("serial {n}"));
    let of = amendment.version.as_ref().map(|version| format!(", with the content of version {version}"));
    crate::say::outln!(
        "The state of {} goes from {from} to serial {}{}. AWS is not changed.",
        amendment.stack,
        amendment.to,
        of.unwrap_or_default()
    );
    for one in &amendment.differing {
        let data = if one.holds_data { "  (holds data)" } else { "" };
        let line = match (&one.before, &one.after) {
            (Some(before), None) => style::change(&format!("  - {} = {before}{data}", one.address)),
            (None, Some(after)) => style::good(&format!("  + {} = {after}{data}", one.address)),
            (before, after) => {
                let text =
                    |id: &Option<lh::CloudId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("  ~ {}: {} → {}{data}", one.address, text(before), text(after))
            }
        };
        crate::say::outln!("{line}");
    }
    if amendment.differing.is_empty() {
        crate::say::outln!("  The same resources are recorded.");
    }
    for warning in &amendment.warnings {
        crate::say::errln!("{} {warning}", style::change("note:"));
    }
}

/// Tells what came of it.
pub(super) fn tell(done: Amended, verb: &str) -> Result<(), Failure> {
    match done {
        Amended::Done(serial) => {
            crate::say::outln!("{}", style::good(&format!("{verb} complete! The state has serial {serial}.")))
        }
        Amended::Nothing => crate::say::outln!("The state is like that already; nothing was changed."),
        Amended::NotApproved => {
            return Err(context::not_done());
        }
    }
    Ok(())
}

/// Arguments of `state rm`.
#[derive(clap::Args)]
pub(super) struct Rm {
    /// The stack file
    stack: PathBuf,
    /// The addresses to forget, as in `volume.data`
    #[arg(required = true, value_name = "ADDR")]
    addresses: Vec<Address>,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Forget what holds data without asking for its id; with --auto-approve
    #[arg(long, requires = "auto_approve")]
    forget_data: bool,
}

impl Rm {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = open(&self.stack, global, "state rm", self.auto_approve)?;
        let mut data_refused = false;
        let approve = |amendment: &Amendment| {
            work.progress.clear();
            show(amendment);
            let data = amendment.differing.iter().filter(|one| one.holds_data);
            let data: Vec<String> =
                data.filter_map(|one| one.before.as_ref()).map(ToString::to_string).collect();
            match (data.is_empty(), self.auto_approve) {
                (true, true) => true,
                (false, true) => {
                    data_refused = !self.forget_data;
                    self.forget_data
                }
                (true, false) => context::ask("Forget it? Only `yes` does it:", "yes"),
                (false, false) => data
                    .iter()
                    .all(|id| context::ask(&format!("{id} holds data. To forget it, type its id:"), id)),
            }
        };
        let done = context::watched(&work.progress, work.deployment.forget(&self.addresses, approve)).await?;
        if data_refused {
            return Err(Failure::plain(
                "What holds data is not forgotten with --auto-approve alone. Nothing was changed.",
            )
            .code(Code::Refused)
            .fix("Add --forget-data; or give it up with `lhctl release`, which checks for a backup."));
        }
        tell(done, "Forgetting")?;
        Ok(Code::Done)
    }
}

/// Arguments of `state mv`.
#[derive(clap::Args)]
pub(super) struct Mv {
    /// The stack file
    stack: PathBuf,
    /// The address it is recorded under
    from: Address,
    /// The address to record it under
    to: Address,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
}

impl Mv {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = open(&self.stack, global, "state mv", self.auto_approve)?;
        let approve = |amendment: &Amendment| {
            work.progress.clear();
            show(amendment);
            self.auto_approve || context::ask("Move it? Only `yes` does it:", "yes")
        };
        let done =
            context::watched(&work.progress, work.deployment.rename(&self.from, &self.to, approve)).await?;
        tell(done, "Moving")?;
        Ok(Code::Done)
    }
}

/// Arguments of `state push`.
#[derive(clap::Args)]
pub(super) struct Push {
    /// The stack file
    stack: PathBuf,
    /// A file with the text of a state; `-` for standard input
    file: PathBuf,
    /// Also where the state there is newer, of another lineage, or cannot be used
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
}

impl Push {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let text = match self.file.to_str() {
            Some("-") => std::io::read_to_string(std::io::stdin()),
            _ => std::fs::read_to_string(&self.file),
        };
        let text = text
            .map_err(|error| Failure::plain(format!("{} cannot be read: {error}.", self.file.display())))?;
        let work = open(&self.stack, global, "state push", self.auto_approve)?;
        let approve = |amendment: &Amendment| {
            work.progress.clear();
            show(amendment);
            let name = &amendment.stack;
            self.auto_approve
                || match amendment.warnings.is_empty() {
                    true => context::ask("Make it the state? Only `yes` does it:", "yes"),
                    false => context::ask(
                        &format!("To replace the state all the same, type the stack's name, {name}:"),
                        name,
                    ),
                }
        };
        let done = context::watched(&work.progress, work.deployment.push(&text, self.force, approve)).await?;
        tell(done, "Push")?;
        Ok(Code::Done)
    }
}
