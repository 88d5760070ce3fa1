//! `lhctl db logs`: what the database says.

use std::path::PathBuf;

use lh::day2;

use crate::{
    args::Global,
    commands::ssh,
    failure::{Code, Failure},
};

/// Arguments of `db logs`.
#[derive(clap::Args)]
pub(super) struct Logs {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Since when: a time such as 2026-01-31T12:00:00Z, or an age such as 2h
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<String>,
    /// How many lines from the end
    #[arg(long, value_name = "N", default_value_t = 100)]
    lines: u32,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
}

/// A time or an age, as `docker logs --since` takes them.
fn since(text: &str) -> Result<String, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_age = matches!(text.strip_prefix(digits), Some("s" | "m" | "h")) && digits.parse::<u32>().is_ok();
    let day = text.get(..10).unwrap_or_default();
    let is_time = day.split('-').count() == 3
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "-:.TZ+".contains(c));
    if is_age || is_time {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is neither a time such as 2026-01-31T12:00:00Z nor an age such as 90s, 30m or 2h"))
}

impl Logs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (work, host) = super::host(&self.stack, global).await?;
        let logs = day2::Logs { since: self.since.clone(), lines: self.lines, follow: self.follow };
        match host.logs(&logs, &mut ssh::show(work.deployment.stop())).await {
            Ok(0) => Ok(Code::Done),
            Ok(_) => Ok(Code::Error),
            // To stop following is how it ends.
            Err(lh::Error::Interrupted(_)) if self.follow => Ok(Code::Interrupted),
            Err(error) => Err(error.into()),
        }
    }
}
