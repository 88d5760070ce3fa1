//! Plans and applies a stack from a program of your own, in the simulated AWS, and prints what
//! it offers. `cargo run -p embed` takes `stacks/dev.yaml`; another file may be named.
//!
//! Only `lh` is needed. With `Cloud::aws()` in the place of `Cloud::simulated()` the same
//! program works on real AWS, with the credentials of the SDK's standard chain.

use std::{process::ExitCode, sync::Arc};

use lh::{Cloud, Deployment, Error, Event, Events, Mode, Stack};

/// Tells each step as it is done. Events come while the run goes on, from its own task.
struct Progress;

impl Events for Progress {
    fn tell(&self, event: Event) {
        if let Event::Finished { step, .. } = event {
            println!("  done: {step}");
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let file = std::env::args().nth(1).unwrap_or_else(|| "stacks/dev.yaml".to_owned());
    match run(&file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Error::Spec { findings, .. } = error {
                findings.iter().for_each(|finding| eprintln!("  {}", finding.message));
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(file: &str) -> Result<(), Error> {
    let stack = Stack::load(file, &[])?;
    println!("{} in {}", stack.name(), stack.region());
    let deployment = Deployment::new(stack, Cloud::simulated()).telling(Arc::new(Progress));

    let plan = deployment.plan(Mode::Apply).await?;
    let (added, changed, destroyed) = plan.counts();
    println!("{added} to add, {changed} to change, {destroyed} to destroy");

    // The closure decides: here as long as nothing is destroyed.
    let applied = deployment.apply(|plan| plan.counts().2 == 0).await?;
    for output in &applied.outputs {
        println!("{} = {}", output.name, output.value.as_deref().unwrap_or("(sensitive)"));
    }
    for (step, failure) in &applied.outcome.failed {
        eprintln!("{step} failed: {failure}");
    }

    let again = deployment.plan(Mode::Apply).await?;
    println!("a second plan has {} steps", again.steps.len());
    Ok(())
}
