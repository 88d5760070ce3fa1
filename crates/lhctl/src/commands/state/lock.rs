//! `lhctl state unlock`: taking the lock from a run that is dead.

use std::path::PathBuf;

use lh::{Held, Liveness};

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `state unlock`.
#[derive(clap::Args)]
pub(super) struct Unlock {
    /// The stack file
    stack: PathBuf,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
}

impl Unlock {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        let Some(held) = work.ask(work.deployment.lock_holder()).await? else {
            crate::say::outln!("The state of {} is not locked.", work.deployment.stack().name());
            return Ok(Code::Done);
        };
        let Held { holder, fencing, liveness } = &held;
        crate::say::outln!(
            "Locked by {} (process {}, `{}`, since {}{}).",
            holder.who,
            holder.pid,
            holder.operation,
            holder.since,
            age(&holder.since)
        );
        if let Liveness::Unknown { milliseconds } = liveness {
            let seconds = milliseconds / 1000;
            crate::say::outln!(
                "It is a lease of {seconds} seconds with the fencing number {fencing}. If its owner is dead, any command takes it over by itself after waiting that long. If its owner lives, it finds itself fenced and changes nothing more."
            );
        }
        if *liveness == Liveness::Alive {
            return Err(Failure::plain("The process that holds the lock is alive on this host, so its lock is not taken from it.")
                .code(Code::Locked)
                .fix(format!("Wait for it to end, or stop it with `kill -INT {}`: it finishes its calls, saves, and gives the lock back.", holder.pid)));
        }
        if !self.auto_approve {
            if !context::can_ask() {
                return Err(Failure::plain("`lhctl state unlock` asks before it takes a lock, and there is no terminal to ask on. Nothing was changed.")
                    .code(Code::Refused)
                    .fix("Add --auto-approve."));
            }
            if !context::ask("Take the lock from it? Only `yes` does it:", "yes") {
                return Err(context::not_done());
            }
        }
        work.ask(work.deployment.unlock(&held)).await?;
        crate::say::outln!("{}", style::good("Unlocked."));
        Ok(Code::Done)
    }
}

/// How long ago `since` was, as far as this host's clock can tell.
fn age(since: &str) -> String {
    let seconds = lh::seconds_since(since);
    match seconds {
        None => String::new(),
        Some(seconds) if seconds < 120 => format!(", {seconds} seconds ago"),
        Some(seconds) => format!(", {} minutes ago", seconds / 60),
    }
}
