//! Schedules in other words: AWS Backup takes `cron(…)` alone, and the host's timer is systemd's.
//! What is given here has passed the checks in `cron`.
//!
//! AWS: <https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html>. systemd:
//! <https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html#Calendar%20Events>.

use super::{cron, wrong};
use crate::{
    codes,
    reader::{Checked, clip},
};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// As AWS counts them, from 1; in systemd's writing.
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MINUTES_OF_DAY: u32 = 24 * 60;

/// A schedule that AWS Backup can follow.
pub(crate) fn of_backups(text: &str) -> Checked<()> {
    cron::schedule(text)?;
    if as_cron(text).is_some() {
        return Ok(());
    }
    wrong(
        codes::SCHEDULE,
        format!("AWS Backup cannot follow `{}`", clip(text)),
        "It takes cron expressions alone, so that a rate must be a number of hours that divides a day, 1 day or 7 days",
        "Write `rate(1 day)`, `rate(12 hours)`, or a `cron(…)` expression.",
    )
}

/// When dumps are made.
pub(crate) fn of_dumps(text: &str) -> Checked<()> {
    if on_calendar(text).is_some() {
        return Ok(());
    }
    cron::cron_only(text)?;
    wrong(
        codes::SCHEDULE,
        format!("the host's timer cannot follow `{}`", clip(text)),
        "Dumps are made by a systemd timer, which knows no nearest weekday (`W`)",
        "Name the day itself, such as `cron(0 3 15 * ? *)`, or a weekday: `cron(0 3 ? * MON *)`.",
    )
}

/// The `cron(…)` that says the same; none for a rate that no cron expression has.
pub(crate) fn as_cron(schedule: &str) -> Option<String> {
    let Some(rate) = schedule.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) else {
        return Some(schedule.to_owned());
    };
    let (value, unit) = rate.trim().split_once(char::is_whitespace)?;
    let unit = match unit.trim().trim_end_matches('s') {
        "minute" => 1,
        "hour" => 60,
        _ => MINUTES_OF_DAY,
    };
    let minutes = value.parse::<u32>().ok()?.checked_mul(unit)?;
    match minutes {
        60 => Some("cron(0 * * * ? *)".to_owned()),
        MINUTES_OF_DAY => Some("cron(0 5 * * ? *)".to_owned()),
        _ if minutes == 7 * MINUTES_OF_DAY => Some("cron(0 5 ? * SUN *)".to_owned()),
        _ if minutes % 60 == 0 && minutes < MINUTES_OF_DAY && MINUTES_OF_DAY.is_multiple_of(minutes) => {
            Some(format!("cron(0 0/{} * * ? *)", minutes / 60))
        }
        _ => None,
    }
}

/// systemd's words for `hourly`, `daily`, `weekly` or a `cron(…)` in UTC; none for what systemd
/// cannot say, or is no such schedule.
pub(crate) fn on_calendar(schedule: &str) -> Option<String> {
    if ["hourly", "daily", "weekly"].contains(&schedule) {
        return Some(schedule.to_owned());
    }
    cron::cron_only(schedule).ok()?;
    let inside = schedule.strip_prefix("cron(")?.strip_suffix(')')?;
    let fields: Vec<&str> = inside.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields[..] else { return None };
    let (weekdays, nth) = weekdays(weekday)?;
    let day = match (nth, day) {
        (Some(nth), _) => nth,
        (None, "L") => "~01".to_owned(),
        (None, "?") => "-*".to_owned(),
        (None, day) if day.contains(['L', 'W']) => return None,
        (None, day) => format!("-{}", numbers(day, 1)),
    };
    let (month, year) = (numbers(&in_digits(month), 1), numbers(year, 1970));
    let time = format!("{}:{}:00", numbers(hours, 0), numbers(minutes, 0));
    Some(format!("{weekdays}{year}-{month}{day} {time} UTC"))
}

/// Months by their names, as numbers.
fn in_digits(months: &str) -> String {
    let named =
        |(text, (place, name)): (String, (usize, &&str))| text.replace(*name, &(place + 1).to_string());
    MONTHS.iter().enumerate().fold(months.to_ascii_uppercase(), |text, month| named((text, month)))
}

/// Lists, ranges and steps of a field whose least value is `low`.
fn numbers(field: &str, low: u32) -> String {
    let part = |part: &str| match part.split_once('/') {
        Some(("*", step)) => format!("{low}/{step}"),
        _ => part.replace('-', ".."),
    };
    field.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// The days of the week, each by its name, with a space after them; and for `6L` or `6#3` the days
/// of the month among which that one is.
fn weekdays(field: &str) -> Option<(String, Option<String>)> {
    if ["?", "*"].contains(&field) {
        return Some((String::new(), None));
    }
    if field == "L" {
        return Some(("Sat ".to_owned(), None));
    }
    if let Some(day) = field.strip_suffix('L') {
        return Some((format!("{} ", DAYS[place(day)?]), Some("~07/1".to_owned())));
    }
    if let Some((day, nth)) = field.split_once('#') {
        let last = nth.parse::<u32>().ok()? * 7;
        let days = format!("-{}..{}", last - 6, last.min(31));
        return Some((format!("{} ", DAYS[place(day)?]), Some(days)));
    }
    let mut named = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (place(from)?, place(to)?),
            None if range == "*" => (0, 6),
            None if part.contains('/') => (place(range)?, 6),
            None => (place(range)?, place(range)?),
        };
        named.extend((from..=to).step_by(step.parse().ok()?).map(|day| DAYS[day]));
    }
    Some((format!("{} ", named.join(",")), None))
}

/// The place of a day among [`DAYS`].
fn place(day: &str) -> Option<usize> {
    let by_name = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day));
    by_name.or_else(|| day.parse::<usize>().ok()?.checked_sub(1)).filter(|place| *place < DAYS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_divide_a_day_are_cron_expressions() {
        for (rate, cron) in [
            ("cron(0 5 * * ? *)", "cron(0 5 * * ? *)"),
            ("rate(1 hour)", "cron(0 * * * ? *)"),
            ("rate(120 minutes)", "cron(0 0/2 * * ? *)"),
            ("rate(12 hours)", "cron(0 0/12 * * ? *)"),
            ("rate(24 hours)", "cron(0 5 * * ? *)"),
            ("rate(1 day)", "cron(0 5 * * ? *)"),
            ("rate(7 days)", "cron(0 5 ? * SUN *)"),
        ] {
            assert_eq!(as_cron(rate).as_deref(), Some(cron));
            assert!(of_backups(rate).is_ok());
        }
        for rate in ["rate(5 minutes)", "rate(5 hours)", "rate(2 days)", "rate(90 minutes)"] {
            assert!(of_backups(rate).is_err(), "{rate}");
        }
    }

    #[test]
    fn cron_expressions_in_systemds_words() {
        for (cron, systemd) in [
            ("daily", "daily"),
            ("cron(30 3 * * ? *)", "*-*-* 3:30:00 UTC"),
            ("cron(0/15 8-17 ? * MON-FRI *)", "Mon,Tue,Wed,Thu,Fri *-*-* 8..17:0/15:00 UTC"),
            ("cron(*/5 * ? * 1,7 *)", "Sun,Sat *-*-* *:0/5:00 UTC"),
            ("cron(0 0 L * ? *)", "*-*~01 0:0:00 UTC"),
            ("cron(0 9 ? * 2#1 *)", "Mon *-*-1..7 9:0:00 UTC"),
            ("cron(0 9 ? * SUN#5 *)", "Sun *-*-29..31 9:0:00 UTC"),
            ("cron(0 10 ? * 6L *)", "Fri *-*~07/1 10:0:00 UTC"),
            ("cron(5,35 14 */2 JAN,jul ? 2026-2030)", "2026..2030-1,7-1/2 14:5,35:00 UTC"),
        ] {
            assert_eq!(on_calendar(cron).as_deref(), Some(systemd), "{cron}");
            assert!(of_dumps(cron).is_ok());
        }
        for cron in ["cron(0 10 15W * ? *)", "cron(0 0 LW * ? *)", "monthly", "rate(1 day)"] {
            assert!(of_dumps(cron).is_err(), "{cron}");
        }
    }
}
