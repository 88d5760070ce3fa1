//! `lhctl completions SHELL` and `lhctl man`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    args::Cli,
    failure::{Code, Failure},
};

/// Arguments of `completions`.
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> Result<Code, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lhctl", &mut text);
        print(&text)
    }
}

/// Writes the manual page.
pub(crate) fn manual() -> Result<Code, Failure> {
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut text);
    rendered.map_err(|error| Failure::plain(format!("The manual page cannot be written: {error}.")))?;
    print(&text)
}

fn print(text: &[u8]) -> Result<Code, Failure> {
    match std::io::stdout().write_all(text) {
        // A reader that has seen enough closes the pipe.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::plain(format!("Standard output cannot be written: {error}.")))
        }
        _ => Ok(Code::Done),
    }
}
