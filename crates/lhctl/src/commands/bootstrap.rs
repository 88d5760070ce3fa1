//! `lhctl bootstrap`: the state bucket and the lock table.

use std::path::PathBuf;

use lh::{BootstrapOutcome, Bootstrapped};

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `bootstrap`.
#[derive(clap::Args)]
pub(crate) struct Bootstrap {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
}

impl Bootstrap {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        let done = context::watched(&work.progress, work.deployment.bootstrap()).await;
        work.progress.clear();
        let done = done?;
        if done.is_empty() {
            crate::say::outln!(
                "{} keeps its state in a local file: there is nothing to make.",
                work.deployment.stack().name()
            );
        } else {
            crate::say::outln!("{}", table(&done));
        }
        Ok(Code::Done)
    }
}

fn table(done: &[Bootstrapped]) -> String {
    let width = |of: fn(&Bootstrapped) -> usize| done.iter().map(of).max().unwrap_or(0);
    let (subjects, whats) = (width(|one| one.subject.len()), width(|one| one.what.len()));
    let mut text = String::new();
    for one in done {
        let outcome = match one.outcome {
            BootstrapOutcome::Created => style::good("+ created"),
            BootstrapOutcome::Mended => style::change("~ set    "),
            BootstrapOutcome::Right => style::dim("= right  "),
        };
        text += &format!("{outcome}  {:subjects$}  {:whats$}  {}\n", one.subject, one.what, one.detail);
    }
    let count = |outcome| done.iter().filter(|one| one.outcome == outcome).count();
    let (created, mended) = (count(BootstrapOutcome::Created), count(BootstrapOutcome::Mended));
    let last = match created + mended {
        0 => "Everything was right already; nothing was changed.".to_owned(),
        _ => format!(
            "Bootstrap complete! {created} created, {mended} set, {} right already.",
            count(BootstrapOutcome::Right)
        ),
    };
    text + &style::good(&last)
}
