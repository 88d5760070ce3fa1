//! Migrations as people and programs read them.

use std::time::Duration;

use lh::{
    Diagnostic,
    db::{Force, Migrations, Progress, Standing, State},
};
use serde_json::{Value, json};

use crate::render::style;

/// Where the migrations come from, and how many there are.
pub(crate) fn place(migrations: &Migrations) -> String {
    format!("{} {}", counted(migrations.all.len(), "migration"), migrations.place)
}

pub(crate) fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// What a run did so far.
#[derive(Default)]
pub(crate) struct Seen {
    force: Force,
    accepted: Vec<i64>,
    done: Vec<i64>,
    /// Those that were run; the last of them may not have ended.
    began: Vec<(i64, String)>,
    again: Vec<i64>,
    is_running: bool,
}

impl Seen {
    /// Nothing yet of a run with these decisions.
    pub fn of(force: &Force) -> Self {
        Self { force: force.clone(), ..Self::default() }
    }

    /// Tells what the run does, a line each, and keeps it in mind.
    pub fn tell(&mut self, progress: Progress) {
        match progress {
            Progress::Waiting { holder, limit } => crate::say::errln!(
                "Another run of migrations holds the lock ({holder}): waiting for at most {} s.",
                limit.as_secs()
            ),
            Progress::Accepted { version, description } => {
                crate::say::errln!("{version} {description}: the file as it is now was noted.");
                self.accepted.push(version);
            }
            Progress::Done { version, description } => {
                crate::say::errln!("{version} {description}: noted as done, as you decided.");
                self.done.push(version);
            }
            Progress::Began { version, description, again } => {
                let why = match again {
                    true if self.force.retry.contains(&version) => " (again, as you decided)",
                    true => " (an earlier run had begun it; it can be run again)",
                    false => "",
                };
                crate::say::errln!("{version} {description}…{why}");
                self.began.push((version, description));
                self.again.extend(again.then_some(version));
                self.is_running = true;
            }
            Progress::Finished { version, elapsed } => {
                crate::say::errln!("{} {version} [{:.1} s]", style::good("✓"), elapsed.as_secs_f64());
                self.is_running = false;
            }
        }
    }

    /// Decisions that met nothing, a line for each option.
    pub fn idle(&self) -> Vec<String> {
        let options = [
            ("--accept", &self.force.accept, &self.accepted),
            ("--done", &self.force.done, &self.done),
            ("--retry", &self.force.retry, &self.again),
        ];
        let idle = |(option, asked, met): (&str, &Vec<i64>, &Vec<i64>)| {
            let left: Vec<i64> = asked.iter().filter(|version| !met.contains(version)).copied().collect();
            (!left.is_empty()).then(|| format!("{option} {}: nothing was there to decide.", list(&left)))
        };
        options.into_iter().filter_map(idle).collect()
    }

    /// The last line of a run that ended well.
    pub fn summary(&self, newest: Option<i64>) -> String {
        let at = newest.map(|newest| format!(" The database is at {newest}.")).unwrap_or_default();
        let again = match self.again.as_slice() {
            [] => String::new(),
            again => format!(" (again: {})", list(again)),
        };
        let ran = match self.began.len() {
            0 => "Nothing to run.".to_owned(),
            ran => format!("Migrated: {} run{again}.", counted(ran, "migration")),
        };
        style::good(&format!("{}{ran}{at}", self.decided()))
    }

    /// What was noted without being run.
    fn decided(&self) -> String {
        let noted = [("Accepted", &self.accepted), ("Noted as done", &self.done)];
        let noted = noted.into_iter().filter(|(_, versions)| !versions.is_empty());
        noted.map(|(what, versions)| format!("{what}: {}. ", list(versions))).collect()
    }

    /// What is known after Ctrl-C, and what to do; `is_outside` knows which run outside a
    /// transaction.
    pub fn interrupted(&self, is_outside: impl Fn(i64) -> bool) -> (String, String) {
        const AGAIN: &str = "Run `lhctl migrate STACK run` again: it goes on from there";
        let decided = self.decided();
        let Some((version, description)) = self.began.last() else {
            let message = format!("Interrupted before a migration was begun. {decided}None was run.");
            return (message, format!("{AGAIN}."));
        };
        let ran =
            |n: usize| if n == 1 { "1 migration was".to_owned() } else { format!("{n} migrations were") };
        if !self.is_running {
            let message = format!("Interrupted. {decided}{} run, wholly.", ran(self.began.len()));
            return (message, format!("{AGAIN}."));
        }
        let before = match self.began.len() - 1 {
            0 => String::new(),
            n => format!(" {} run before it.", ran(n)),
        };
        let message = format!("Interrupted while the migration {version} ({description}) ran. {decided}");
        let holds = "The server ends its statement within seconds and gives the lock back; before PostgreSQL 14 it finishes it first.";
        if is_outside(*version) {
            let message = format!(
                "{message}It runs outside a transaction, and whether it took effect is not known.{before}"
            );
            let fix = format!(
                "{AGAIN} if the statement can be repeated; if it cannot, see in the database whether it took effect, and add --retry {version} or --done {version}. {holds}"
            );
            return (message, fix);
        }
        let message = format!(
            "{message}It is run in one transaction with the note that it was done: wholly or not at all.{before}"
        );
        (message, format!("{AGAIN}. {holds}"))
    }
}

fn list(versions: &[i64]) -> String {
    versions.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
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
            State::Missing if row.finding.is_none() => line.trim_end().to_owned(),
            State::Pending => style::change(line.trim_end()),
            _ => style::error(line.trim_end()),
        };
        text.push('\n');
    }
    let of = |state: State| standing.rows.iter().filter(|row| row.state == state).count();
    let (applied, pending) = (of(State::Applied), of(State::Pending));
    let over = standing.passed_over();
    let some = |n: usize, what: &str| if n == 0 { String::new() } else { format!(", {n} {what}") };
    let unfit = some(standing.rows.len() - applied - pending - over, "that do not fit");
    let over = some(over, "without a file passed over");
    text + &format!("{applied} applied, {pending} pending{unfit}{over}.")
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
