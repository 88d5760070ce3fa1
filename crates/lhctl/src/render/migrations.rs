//! Migrations as people and programs read them.

use std::time::Duration;

use lh::{
    Diagnostic,
    db::{Migrations, Progress, Standing, State},
};
use serde_json::{Value, json};

use crate::render::style;

/// Where the migrations come from, and how many there are.
pub(crate) fn place(migrations: &Migrations) -> String {
    format!("{} {}", counted(migrations.all.len(), "migration"), migrations.place)
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// Tells what a run does, a line each.
pub(crate) fn progress(progress: Progress) {
    match progress {
        Progress::Waiting { holder, limit } => anstream::eprintln!(
            "Another run of migrations holds the lock ({holder}): waiting for at most {} s.",
            limit.as_secs()
        ),
        Progress::Began { version, description, again: true } => {
            anstream::eprintln!("{version} {description}… (an earlier run had begun it; it can be run again)")
        }
        Progress::Began { version, description, .. } => anstream::eprintln!("{version} {description}…"),
        Progress::Finished { version, elapsed } => {
            anstream::eprintln!("{} {version} [{:.1} s]", style::good("✓"), elapsed.as_secs_f64());
        }
    }
}

/// The last line of a run.
pub(crate) fn summary(ran: usize, newest: Option<i64>) -> String {
    let at = newest.map(|newest| format!(" The database is at {newest}.")).unwrap_or_default();
    style::good(&match ran {
        0 => format!("Nothing to run.{at}"),
        _ => format!("Migrated: {} run.{at}", counted(ran, "migration")),
    })
}

/// Every migration, a line each, and the counts.
pub(crate) fn table(standing: &Standing) -> String {
    let width = standing.rows.iter().map(|row| row.description.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in &standing.rows {
        let state = word(row.state);
        let when = row.installed_on.as_deref().unwrap_or_default();
        let line = format!("{:<15} {:width$}  {state:<12} {when}", row.version, row.description);
        text += &match row.state {
            State::Applied => line.trim_end().to_owned(),
            State::Pending => style::change(line.trim_end()),
            _ => style::error(line.trim_end()),
        };
        text.push('\n');
    }
    let of = |state: State| standing.rows.iter().filter(|row| row.state == state).count();
    let (applied, pending) = (of(State::Applied), of(State::Pending));
    let unfit = standing.rows.len() - applied - pending;
    let unfit = if unfit == 0 { String::new() } else { format!(", {unfit} that do not fit") };
    text + &format!("{applied} applied, {pending} pending{unfit}.")
}

fn word(state: State) -> &'static str {
    match state {
        State::Applied => "applied",
        State::Pending => "pending",
        State::Changed => "changed",
        State::Missing => "missing",
        State::OutOfOrder => "out of order",
        State::Unfinished => "unfinished",
    }
}

/// The same for programs; the layout is in `docs/json.md`.
pub(crate) fn json(standing: &Standing, findings: &[Diagnostic], place: &str) -> Value {
    json!({ "database": place, "migrations": standing.rows, "findings": findings })
}

/// The time since 1970 as the number a migration's name begins with, such as 20250131120000 (UTC).
pub(crate) fn stamp(since_epoch: Duration) -> i64 {
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or_default();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let clock = rest / 3600 * 10_000 + rest / 60 % 60 * 100 + rest % 60;
    ((year * 100 + month) * 100 + day) * 1_000_000 + clock
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, days);
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_dates_and_times() {
        assert_eq!(stamp(Duration::ZERO), 19_700_101_000_000);
        assert_eq!(stamp(Duration::from_secs(1_709_209_496)), 20_240_229_122_456);
        assert_eq!(stamp(Duration::from_secs(1_735_689_599)), 20_241_231_235_959);
    }
}
