//! Where errors become messages and exit codes.

use std::process::ExitCode;

use lh::{Diagnostic, EngineError, Error, ErrorKind, SnapshotError, Sources, StoreError, db::DbError};

use crate::render::{diagnostic, style};

/// How a command ended, by exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Done,
    Error,
    Changes,
    Locked,
    Invalid,
    Refused,
    Interrupted,
    /// The status of what was run on the instance.
    Remote(u8),
}

impl Code {
    /// As the exit status of this process.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Locked => 3,
            Self::Invalid => 4,
            Self::Refused => 5,
            Self::Interrupted => 130,
            Self::Remote(status) => status,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.number())
    }
}

/// A failed command: what to print, and how to exit.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
    fix: Option<String>,
    findings: Vec<Diagnostic>,
    sources: Sources,
}

impl Failure {
    /// A failure with this message and exit code 1.
    pub fn plain(message: impl Into<String>) -> Self {
        let (findings, sources) = (Vec::new(), Sources::new());
        Self { code: Code::Error, message: message.into(), fix: None, findings, sources }
    }

    /// The same, with what to do.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same, with another exit code.
    pub fn code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Findings to be shown where they stand in the file.
    pub fn findings(code: Code, message: String, findings: Vec<Diagnostic>, sources: Sources) -> Self {
        Self { code, message, fix: None, findings, sources }
    }

    /// The same, pointing into these texts.
    pub fn with_sources(mut self, sources: &Sources) -> Self {
        if self.sources.is_empty() {
            self.sources.clone_from(sources);
        }
        self
    }

    /// What happened and what to do, for a report that says both in its own place.
    pub fn words(&self) -> (&str, &str) {
        (&self.message, self.fix.as_deref().unwrap_or_default())
    }

    /// Prints it to standard error.
    pub fn report(self) -> ExitCode {
        if !self.findings.is_empty() {
            crate::say::errln!("{}", diagnostic::render(&self.findings, &self.sources));
        }
        crate::say::errln!("{} {}", style::error("error:"), self.message);
        if let Some(fix) = &self.fix {
            crate::say::errln!("  {} {fix}", style::good("fix:"));
        }
        self.code.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Spec { file, findings, sources } => {
                let message = format!("{file} has {}.", count(findings.len()));
                Self::findings(Code::Invalid, message, findings, sources)
            }
            Error::Engine(error) => of_engine(error),
            Error::Database(error) => of_database(error),
            Error::NoLocalDatabase => Self::plain(sentence(&error.to_string())).fix(
                "Start one with `lhctl local database --detach`, or without --detach in another terminal.",
            ),
            Error::Locked { remote, .. } => Self::plain(sentence(&error.to_string()))
                .code(Code::Locked)
                .fix(if remote { LEASED } else { HELD }),
            Error::Amend { reason, fix } => {
                let message = format!("{} Nothing was changed.", sentence(&reason));
                Self::plain(message).code(Code::Refused).fix(fix)
            }
            Error::Host { reason, fix } => Self::plain(reason).fix(fix),
            Error::Script { refused, .. } => {
                let failure = Self::plain(sentence(&error.to_string()));
                if refused { failure.code(Code::Refused) } else { failure }
            }
            Error::Busy { .. } => Self::plain(sentence(&error.to_string())).code(Code::Locked),
            Error::Interrupted(_) => Self::plain(sentence(&error.to_string())).code(Code::Interrupted),
            Error::NoOutput { .. } | Error::SavedPlan { .. } => Self::plain(format!("{error}.")),
            other => Self::plain(other.to_string()),
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 finding".to_owned() } else { format!("{n} findings") }
}

fn of_engine(error: EngineError) -> Failure {
    match error {
        EngineError::Store(error) => of_store(error),
        EngineError::Cloud(error) => {
            let failure = Failure::plain(match error.kind {
                ErrorKind::Credentials => format!("There are no credentials that AWS accepts. {error}"),
                ErrorKind::Unreachable => format!("AWS gave no answer that can be used. {error}"),
                ErrorKind::Throttled => format!("AWS goes on throttling these calls. {error}"),
                _ => error.to_string(),
            });
            match error.advice() {
                Some(advice) => failure.fix(advice),
                None => failure,
            }
        }
        EngineError::Refused(findings) => {
            let code = if findings.iter().any(|f| is_safety(&f.code)) { Code::Refused } else { Code::Error };
            let message = format!("This plan is refused: {}. Nothing was changed.", count(findings.len()));
            Failure::findings(code, message, findings, Sources::new())
        }
        EngineError::Stale(why) => {
            Failure::plain(format!("The saved plan is stale: {why}. Nothing was changed."))
                .code(Code::Refused)
                .fix("Make a new plan with `lhctl plan STACK --out FILE` and look at it before you apply it.")
        }
        EngineError::Unsettled(_) => Failure::plain(format!(
            "{} Nothing was changed.",
            sentence(&error.to_string())
        ))
        .code(Code::Refused)
        .fix("Run `lhctl apply STACK`, or `lhctl recover STACK`, which find that out before anything else."),
        EngineError::Unsound(_) => Failure::plain(format!("{error}. Nothing was changed."))
            .fix("This is a fault of lhctl. Please report it with the output of `lhctl plan --json`."),
    }
}

/// Refusals that keep a resource from being lost, doubled or changed in the wrong place;
/// the others are things that AWS lacks.
fn is_safety(code: &str) -> bool {
    [
        "E0602", "E0603", "E0605", "E0606", "E0608", "E0609", "E0615", "E0620", "E0631", "E0632", "E0633",
        "E0634",
    ]
    .contains(&code)
}

fn of_database(error: DbError) -> Failure {
    let advice = error.advice();
    let failure = match error {
        DbError::Refused(findings) => {
            let unfit = ["E0868", "E0871", "E0872", "E0873", "E0874"];
            let is_unfit = findings.iter().any(|finding| unfit.contains(&finding.code.as_str()));
            let code = if is_unfit { Code::Refused } else { Code::Error };
            let message =
                format!("The migrations are not run: {}. Nothing was changed.", count(findings.len()));
            return Failure::findings(code, message, findings, Sources::new());
        }
        DbError::Migration { version, origin, reason, left } => {
            let finding = Diagnostic::error("E0870", format!("The server refused this: {reason}")).at(origin);
            let message = format!("The migration {version} failed. {left}");
            return Failure::findings(Code::Error, message, vec![finding], Sources::new());
        }
        DbError::Locked { .. } => Failure::plain(sentence(&error.to_string())).code(Code::Locked),
        DbError::File { .. } => Failure::plain(format!("{error}.")),
        _ => Failure::plain(sentence(&error.to_string())),
    };
    match advice {
        Some(advice) => failure.fix(advice),
        None => failure,
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str().trim_end_matches('.') + "."
}

const HELD: &str = "Wait for the other run to end, then run the command again. The lock of a process that died is free at once.";
const LEASED: &str = "Wait for the other run to end, then run the command again. A lock whose owner died is taken over after its lease has run out, 30 seconds; `lhctl state unlock STACK` shows who has it and takes it at once.";

fn of_store(error: StoreError) -> Failure {
    if let StoreError::Remote { place, reason, fix } = error {
        return Failure::plain(format!("{place}: {reason}.")).fix(fix);
    }
    let (code, fix) = match &error {
        StoreError::Locked(_) => (Code::Locked, HELD),
        StoreError::Stopped => (Code::Interrupted, "Nothing was changed."),
        StoreError::Fenced | StoreError::Moved => {
            (Code::Locked, "Run the command again: it reads the new state and goes on from there.")
        }
        StoreError::Unusable { problem: SnapshotError::Newer { .. }, .. } => (Code::Refused, "Update lhctl."),
        StoreError::Unusable { .. } => (
            Code::Refused,
            "Nothing was overwritten. Put a good copy of the file in its place; or move it away and rebuild the state from the ownership tags with `lhctl recover STACK`.",
        ),
        StoreError::Failed { .. } | StoreError::Remote { .. } => {
            (Code::Error, "Check that the folder exists and may be written, and that the disk is not full.")
        }
    };
    let text = error.to_string();
    let starts_with_path = matches!(error, StoreError::Unusable { .. } | StoreError::Failed { .. });
    let message = if starts_with_path { format!("{text}.") } else { sentence(&text) };
    Failure::plain(message).code(code).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_host_is_a_lock_that_is_held() {
        let reason = "another backup is running on this host. Wait until it has ended";
        let failure = Failure::from(Error::Busy { title: "The backup failed".into(), reason: reason.into() });
        assert_eq!(
            (failure.code, failure.words().0),
            (Code::Locked, format!("The backup failed: {reason}.").as_str())
        );
    }
}
