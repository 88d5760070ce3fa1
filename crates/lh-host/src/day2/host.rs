//! Scripts about the host and its server: image, logs, disk, SQL.

use super::sent;
use crate::{Host, install};

/// What of the log to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Since when, as `docker logs --since` takes it: `2h`, `2026-01-31T12:00:00Z`.
    pub since: Option<String>,
    /// How many lines from the end.
    pub lines: u32,
    /// Whether to go on with what comes.
    pub follow: bool,
}

/// Shows the database's log.
#[must_use]
pub fn logs(logs: &Logs) -> String {
    let lines = logs.lines.to_string();
    let values = [
        ("LINES_OF_LOG", lines.as_str()),
        ("SINCE", logs.since.as_deref().unwrap_or_default()),
        ("FOLLOW", if logs.follow { "1" } else { "" }),
    ];
    sent(&values, &[include_str!("../host/day2/logs.sh")])
}

/// Tells what fills the data volume, after growing its file system if `grow`; ends with a
/// [`super::DiskReport`].
#[must_use]
pub fn disk(grow: bool) -> String {
    sent(&[("GROW", if grow { "1" } else { "" })], &[include_str!("../host/day2/disk.sh")])
}

/// Runs SQL in the stack's database. It comes on psql's standard input, and never on a command
/// line. With `plain`, only values, a line a row; else as tables.
#[must_use]
pub fn psql(text: &str, plain: bool) -> String {
    let format = if plain { "-qAt" } else { "" };
    let end = ending("LHCTL_END_OF_SQL", text);
    let call = format!(
        "docker exec -i timescaledb psql -X {format} -v ON_ERROR_STOP=1 -U postgres -d \"$DATABASE\" <<'{end}'\n"
    );
    sent(&[], &[&call, text, "\n", &end, "\n"])
}

/// Brings the host to `host` with a new image, or tells what that would take; ends with an
/// [`super::Upgrade`].
#[must_use]
pub fn upgrade(host: &Host, volume_id: &str, run: bool) -> String {
    let text = install::refresh(host, volume_id);
    let end = ending("LHCTL_END_OF_REFRESH", &text);
    let refresh = format!("refresh() {{\n  bash <<'{end}'\n{text}{end}\n}}\n");
    let values = [("NEW", host.image.as_str()), ("MODE", if run { "run" } else { "plan" })];
    sent(&values, &[&refresh, include_str!("../host/day2/upgrade.sh")])
}

/// A line that ends a here-document of `text`: one that it does not have.
fn ending(base: &str, text: &str) -> String {
    let mut end = base.to_owned();
    while text.lines().any(|line| line == end) {
        end.push('_');
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_cannot_end_its_document() {
        let text = psql("SELECT 1;\nLHCTL_END_OF_SQL\nreboot", false);
        assert!(
            text.contains("<<'LHCTL_END_OF_SQL_'\n") && text.ends_with("reboot\nLHCTL_END_OF_SQL_\n"),
            "{text}"
        );
    }
}
