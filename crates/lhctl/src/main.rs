//! `lhctl`: provision a stateful TimescaleDB server on AWS from one YAML file.
//!
//! This crate holds arguments, rendering and exit codes; what is done is in `lh`.

mod args;
mod commands;
mod context;
mod failure;
mod logs;
mod render;
mod say;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return told(&answer),
    };
    if let Err(failure) = logs::start() {
        return failure.report();
    }
    // One worker beside this thread: it keeps the lock alive while a question waits for its answer.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let text = format!("The async runtime cannot start: {error}.");
            return failure::Failure::plain(text).report();
        }
    };
    let result = runtime.block_on(commands::run(cli));
    // Blocking look-ups that are still under way must not keep a finished command waiting.
    runtime.shutdown_background();
    match (result, say::unwritten()) {
        (Ok(code), None) => code.into(),
        (Ok(_), Some(unwritten)) => unwritten.report(),
        (Err(failure), None) => failure.report(),
        (Err(failure), Some(unwritten)) => {
            unwritten.report();
            failure.report()
        }
    }
}

/// Help and version are answers; what cannot be understood is an error, and not the exit code 2
/// that means changes.
fn told(answer: &clap::Error) -> ExitCode {
    let _ = answer.print();
    if answer.use_stderr() { failure::Code::Error.into() } else { failure::Code::Done.into() }
}
