//! Pipes with names, by which a test and a script wait for each other: whoever opens one waits
//! for the other end.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A pipe with a name. A script says on it how far it is, or waits there for a word. A minute is
/// the safety net of all waiting.
#[derive(Clone, Debug)]
pub struct Fifo(PathBuf);

impl Fifo {
    /// Makes one.
    pub fn new(path: PathBuf) -> Self {
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success(), "{}", path.display());
        Self(path)
    }

    /// What a script redirects to or from.
    pub fn name(&self) -> std::path::Display<'_> {
        self.0.display()
    }

    /// All that is said, once a script said something and nobody has it open any more.
    pub fn hear(&self) -> String {
        let output = Command::new("timeout").args(["60", "cat"]).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "nothing is said on {}, or no end is made", self.name());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Lets a script go on that reads a line here, now or later.
    pub fn tell(&self) -> Child {
        let echo = ["60", "bash", "-c", "echo >\"$0\""];
        Command::new("timeout").args(echo).arg(&self.0).stdin(Stdio::null()).spawn().unwrap()
    }
}
