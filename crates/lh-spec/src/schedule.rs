//! When a schedule of the section `backup` was due: what a backup's age is measured by. All times
//! are seconds since 1970, UTC. Whether a text is a schedule is checked where stack files are read.

use crate::checks::calendar::as_cron;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/// As AWS counts them, from 1.
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How far back is looked: from one 29th of February to the next, past a year that has none.
const FAR: i64 = 9 * 366;

/// The last time at or before `at` that `schedule` was due: `hourly`, `daily`, `weekly`, `rate(…)`
/// as AWS Backup is given it, or `cron(…)`. None for a schedule that was not due for years.
pub fn last_due(schedule: &str, at: i64) -> Option<i64> {
    let text = match schedule {
        "hourly" => "cron(0 * * * ? *)".to_owned(),
        "daily" => "cron(0 0 * * ? *)".to_owned(),
        // As systemd has it: Mondays, at midnight.
        "weekly" => "cron(0 0 ? * MON *)".to_owned(),
        other => as_cron(other)?,
    };
    let inside = text.strip_prefix("cron(")?.strip_suffix(')')?;
    let fields: Vec<&str> = inside.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields[..] else { return None };
    let today = at.div_euclid(DAY);
    let fits = |date: &Date| {
        among(year, date.year, 1970, 2199, &[])
            && among(month, date.month, 1, 12, &MONTHS)
            && date.is_day(day)
            && date.is_weekday(weekday)
    };
    let days = (today - FAR..=today).rev().map(Date::of).filter(fits);
    let times = |date: Date| {
        let hours = (0..24).rev().filter(|hour| among(hours, *hour, 0, 23, &[]));
        let minutes: Vec<i64> = (0..60).rev().filter(|minute| among(minutes, *minute, 0, 59, &[])).collect();
        let of_hour = move |hour| minutes.clone().into_iter().map(move |minute| hour * HOUR + minute * 60);
        hours.flat_map(of_hour).map(|second| date.number * DAY + second).collect::<Vec<_>>()
    };
    days.flat_map(times).find(|time| *time <= at)
}

/// Whether `value` is among a field's lists, ranges and steps.
fn among(field: &str, value: i64, low: i64, high: i64, words: &[&str]) -> bool {
    let number = |text: &str| {
        let by_name = words.iter().position(|word| word.eq_ignore_ascii_case(text));
        by_name.and_then(|place| i64::try_from(place + 1).ok()).or_else(|| text.parse().ok())
    };
    let part = |part: &str| -> Option<bool> {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (low, high),
            None => (number(range)?, if step.is_some() { high } else { number(range)? }),
        };
        let step: i64 = step.map_or(Some(1), |step| step.parse().ok())?;
        Some((from..=to).contains(&value) && (value - from) % step.max(1) == 0)
    };
    field.split(',').any(|text| part(text).unwrap_or_default())
}

/// A day of the calendar.
#[derive(Clone, Copy)]
struct Date {
    /// Days since 1970-01-01.
    number: i64,
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
    fn of(number: i64) -> Self {
        let z = number + 719_468;
        let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        Self { number, year, month, day: of_year - (153 * shifted + 2) / 5 + 1 }
    }

    /// From 1, Sunday.
    fn weekday(self) -> i64 {
        (self.number + 4).rem_euclid(7) + 1
    }

    fn is_last(self) -> bool {
        Self::of(self.number + 1).month != self.month
    }

    fn moved(self, by: i64) -> Self {
        Self::of(self.number + by)
    }

    fn is_workday(self) -> bool {
        (2..=6).contains(&self.weekday())
    }

    /// Whether a field day-of-month means this day.
    fn is_day(&self, field: &str) -> bool {
        field.split(',').any(|part| match (part, part.strip_suffix('W')) {
            ("?", _) => true,
            ("L", _) => self.is_last(),
            // The last day but for a weekend after it.
            ("LW", _) => {
                let rest = (1..=2).map(|by| self.moved(by)).filter(|date| date.month == self.month);
                self.is_workday()
                    && rest.into_iter().all(|date| !date.is_workday())
                    && self.moved(3).month != self.month
            }
            (_, Some(day)) => day.parse().is_ok_and(|day: i64| self.is_nearest_workday(day)),
            (part, None) => among(part, self.day, 1, 31, &[]),
        })
    }

    /// Whether it is the workday nearest to `day` of its month, in that month.
    fn is_nearest_workday(self, day: i64) -> bool {
        let wanted = self.moved(day - self.day);
        let nearest = match wanted.weekday() {
            7 if wanted.day == 1 => wanted.moved(2),
            7 => wanted.moved(-1),
            1 if wanted.is_last() => wanted.moved(-2),
            1 => wanted.moved(1),
            _ => wanted,
        };
        nearest.number == self.number
    }

    /// Whether a field day-of-week means this day.
    fn is_weekday(&self, field: &str) -> bool {
        field.split(',').any(|part| {
            if part == "?" {
                return true;
            }
            if let Some((day, nth)) = part.split_once('#') {
                return among(day, self.weekday(), 1, 7, &DAYS) && nth.parse() == Ok((self.day + 6) / 7);
            }
            match part.strip_suffix('L') {
                Some("") => self.weekday() == 7,
                Some(day) => among(day, self.weekday(), 1, 7, &DAYS) && self.moved(7).month != self.month,
                None => among(part, self.weekday(), 1, 7, &DAYS),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-04, a Wednesday, 10:20 UTC.
    const WEDNESDAY: i64 = 1_772_619_600;

    /// Days, hours and minutes before 2026-03-04 00:00.
    fn before(days: i64, hour: i64, minute: i64) -> Option<i64> {
        Some(WEDNESDAY / DAY * DAY - days * DAY + hour * HOUR + minute * 60)
    }

    #[test]
    fn a_schedule_was_due_last_when_its_fields_say() {
        let date = Date::of(WEDNESDAY / DAY);
        assert_eq!((date.year, date.month, date.day, date.weekday()), (2026, 3, 4, 4));
        for (schedule, due) in [
            ("hourly", before(0, 10, 0)),
            ("daily", before(0, 0, 0)),
            ("weekly", before(2, 0, 0)),
            ("rate(12 hours)", before(0, 0, 0)),
            ("rate(7 days)", before(3, 5, 0)),
            ("cron(0 5 * * ? *)", before(0, 5, 0)),
            ("cron(30 10 * * ? *)", before(1, 10, 30)),
            ("cron(0/15 8-17 ? * MON-FRI *)", before(0, 10, 15)),
            ("cron(0 22 ? * SAT,1 *)", before(3, 22, 0)),
            ("cron(0 0 L * ? *)", before(4, 0, 0)),
            ("cron(0 0 LW * ? *)", before(5, 0, 0)),
            ("cron(0 9 15W 2 ? *)", before(16, 9, 0)),
            ("cron(0 9 1W 3 ? *)", before(2, 9, 0)),
            ("cron(0 9 ? * 2#1 *)", before(2, 9, 0)),
            ("cron(0 10 ? * 6L *)", before(5, 10, 0)),
            ("cron(0 0 29 FEB ? *)", before(734, 0, 0)),
        ] {
            assert_eq!(last_due(schedule, WEDNESDAY), due, "{schedule}");
        }
        assert_eq!(last_due("cron(0 5 * * ? 2020)", WEDNESDAY), before(1889, 5, 0));
        assert_eq!(last_due("cron(0 5 * * ? 2199)", WEDNESDAY), None);
        assert_eq!(last_due("nonsense", WEDNESDAY), None);
    }

    #[test]
    fn it_is_due_at_its_own_second() {
        let due = last_due("daily", WEDNESDAY).unwrap_or_default();
        assert_eq!(last_due("daily", due), Some(due));
        assert_eq!(last_due("daily", due - 1), Some(due - DAY));
    }
}
