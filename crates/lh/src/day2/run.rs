//! Runs a script of day 2 and reads the line of JSON that ends its output.

use std::{sync::Arc, time::Duration};

use lh_host::{Script, Shell, ShellError, Stream, day2::BUSY};
use serde::de::DeserializeOwned;

use super::Progress;
use crate::Error;

/// The exit status by which a script says that it refused, and changed nothing.
const REFUSED: i32 = 5;

/// Runs scripts on one host.
#[derive(Clone)]
pub(super) struct Runner {
    pub shell: Arc<dyn Shell>,
}

impl Runner {
    /// Runs `text` and gives what it wrote to standard output; its lines on standard error are
    /// progress, and its last one there the reason when it fails.
    pub async fn output(
        &self,
        title: &str,
        text: String,
        deadline: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<String, Error> {
        let script = Script { title: title.to_owned(), text, deadline };
        let (mut out, mut lines) = (String::new(), Lines::default());
        let mut tell = |stream: Stream, piece: &str| match stream {
            Stream::Out => out.push_str(piece),
            Stream::Err => lines.take(piece, progress),
        };
        let status = self.shell.run(&script, &mut tell).await;
        lines.end(progress);
        match status {
            Ok(0) => Ok(out),
            Ok(status) => {
                let reason =
                    lines.reason.unwrap_or_else(|| format!("it ended with the exit status {status}"));
                let title = title.to_owned();
                if status == BUSY {
                    return Err(Error::Busy { title, reason });
                }
                Err(Error::Script { title, reason, refused: status == REFUSED })
            }
            Err(error) => Err(self.without_status(title, &error)),
        }
    }

    /// [`Runner::output`], of which the last line is JSON.
    pub async fn answer<T: DeserializeOwned>(
        &self,
        title: &str,
        text: String,
        deadline: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<T, Error> {
        let out = self.output(title, text, deadline, progress).await?;
        read(title, out.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default())
    }

    /// Why there is no exit status.
    pub fn without_status(&self, title: &str, error: &ShellError) -> Error {
        match error {
            ShellError::Stopped => Error::Interrupted(title.to_owned()),
            other => {
                let reason = format!("{other} ({})", self.shell.way());
                Error::Script { title: title.to_owned(), reason, refused: false }
            }
        }
    }
}

/// JSON that a script or a query answered with.
pub(super) fn read<T: DeserializeOwned>(title: &str, line: &str) -> Result<T, Error> {
    serde_json::from_str(line).map_err(|error| Error::Script {
        title: title.to_owned(),
        reason: format!("its answer cannot be read: {error}"),
        refused: false,
    })
}

/// Puts pieces together to lines, and keeps what went wrong.
#[derive(Default)]
struct Lines {
    rest: String,
    reason: Option<String>,
}

impl Lines {
    fn take(&mut self, piece: &str, progress: &mut Progress<'_>) {
        self.rest.push_str(piece);
        while let Some((line, rest)) = self.rest.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            self.rest = rest;
            self.line(&line, progress);
        }
    }

    fn end(&mut self, progress: &mut Progress<'_>) {
        let line = std::mem::take(&mut self.rest);
        self.line(&line, progress);
    }

    /// Without the time that the host puts before it. An error ends the run and is told then.
    fn line(&mut self, line: &str, progress: &mut Progress<'_>) {
        let is_time = |word: &str| word.len() == 20 && word.ends_with('Z') && word.contains('T');
        let line = line.split_once(' ').filter(|(word, _)| is_time(word)).map_or(line, |(_, rest)| rest);
        if let Some(reason) = line.strip_prefix("error: ") {
            let reason = reason.strip_prefix("refused: ").unwrap_or(reason);
            self.reason = Some(reason.to_owned());
        } else if !line.trim().is_empty() {
            progress(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host whose scripts end so.
    struct Ends(i32);

    #[async_trait::async_trait]
    impl Shell for Ends {
        fn way(&self) -> String {
            "a test".to_owned()
        }

        async fn run(&self, _: &Script, tell: &mut lh_host::Tell<'_>) -> Result<i32, ShellError> {
            tell(Stream::Err, "2026-01-01T00:00:00Z error: refused: another backup is running\n");
            Ok(self.0)
        }
    }

    #[tokio::test]
    async fn a_lock_that_is_held_is_told_from_a_failure_and_a_refusal() {
        let ends = async |status| {
            let runner = Runner { shell: Arc::new(Ends(status)) };
            runner.output("The backup failed", String::new(), Duration::ZERO, &mut |_| {}).await
        };
        assert!(matches!(ends(1).await, Err(Error::Script { refused: false, .. })));
        assert!(matches!(ends(5).await, Err(Error::Script { refused: true, .. })));
        let busy = ends(BUSY).await.err().map(|error| (error.to_string(), error));
        assert!(
            matches!(&busy, Some((text, Error::Busy { .. })) if text == "The backup failed: another backup is running"),
            "{busy:?}"
        );
    }

    #[test]
    fn lines_are_whole_and_errors_are_kept_for_the_end() {
        let mut told = Vec::new();
        let mut progress = |line: &str| told.push(line.to_owned());
        let mut lines = Lines::default();
        for piece in [
            "2026-01-01T00:00:00Z load",
            "ing\npsql: ERROR\n2026-01-01T00:00:00Z error: it did ",
            "not load\nlast",
        ] {
            lines.take(piece, &mut progress);
        }
        lines.end(&mut progress);
        assert_eq!(told, ["loading", "psql: ERROR", "last"]);
        assert_eq!(lines.reason.as_deref(), Some("it did not load"));
    }
}
