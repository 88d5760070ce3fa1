//! Schedules as EventBridge and AWS Backup write them: `cron(…)` with six fields, `rate(…)`.
//! Follows <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>.

use super::wrong;
use crate::{
    codes,
    reader::{Checked, clip},
};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field of a cron expression.
struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    words: &'static [&'static str],
    /// Letters that mean something in this field: `L`ast, `W`eekday, `#` the n-th.
    special: &'static str,
}

const FIELDS: [Field; 6] = [
    Field { name: "minutes", low: 0, high: 59, words: &[], special: "" },
    Field { name: "hours", low: 0, high: 23, words: &[], special: "" },
    Field { name: "day-of-month", low: 1, high: 31, words: &[], special: "LW" },
    Field { name: "month", low: 1, high: 12, words: &MONTHS, special: "" },
    Field { name: "day-of-week", low: 1, high: 7, words: &DAYS, special: "L#" },
    Field { name: "year", low: 1970, high: 2199, words: &[], special: "" },
];

/// A `cron(…)` or `rate(…)` expression.
pub(crate) fn schedule(text: &str) -> Checked<()> {
    match inside(text, "cron") {
        Some(expression) => cron(text, expression),
        None => match inside(text, "rate") {
            Some(expression) => rate(text, expression),
            None => refuse(
                text,
                "A schedule is `cron(…)` or `rate(…)`, in lower case, with its parentheses",
                "Write `cron(0 5 * * ? *)` for every day at 05:00 UTC, or `rate(1 day)`.",
            ),
        },
    }
}

/// The `cron(…)` expression alone.
pub(crate) fn cron_only(text: &str) -> Checked<()> {
    match inside(text, "cron") {
        Some(expression) => cron(text, expression),
        None => refuse(
            text,
            "The choices are `hourly`, `daily`, `weekly` and a `cron(…)` expression",
            "Write `daily`, or for example `cron(30 3 * * ? *)`.",
        ),
    }
}

fn inside<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')')
}

fn refuse(text: &str, reason: impl Into<String>, fix: impl Into<String>) -> Checked<()> {
    wrong(codes::SCHEDULE, format!("`{}` is not a schedule", clip(text)), reason, fix)
}

fn cron(text: &str, expression: &str) -> Checked<()> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return refuse(
            text,
            format!(
                "AWS's cron has six fields: minutes, hours, day-of-month, month, day-of-week, year; here are {}",
                fields.len()
            ),
            "Write them all, such as `cron(0 5 * * ? *)`; the last one is the year.",
        );
    }
    if (fields[2] == "?") == (fields[4] == "?") {
        return refuse(
            text,
            "Exactly one of day-of-month (the third field) and day-of-week (the fifth) is `?`",
            "Put `?` where the day does not matter: `cron(0 5 * * ? *)` every day, `cron(0 5 ? * MON *)` on Mondays.",
        );
    }
    for (field, written) in FIELDS.iter().zip(&fields) {
        if !field.takes(written) {
            let Field { name, low, high, .. } = field;
            return refuse(
                text,
                format!(
                    "The field {name} is `{written}`, and takes values from {low} to {high}, lists `a,b`, ranges `a-b`, steps `a/b` and `*`"
                ),
                "Correct that field; a schedule for every day at 05:00 UTC is `cron(0 5 * * ? *)`.",
            );
        }
    }
    Ok(())
}

impl Field {
    fn takes(&self, written: &str) -> bool {
        (written == "?" && !self.special.is_empty()) || written.split(',').all(|part| self.takes_part(part))
    }

    fn takes_part(&self, part: &str) -> bool {
        let step = |text: &str| text.parse::<u32>().is_ok_and(|step| step >= 1 && step <= self.high);
        match part.split_once('/') {
            Some((range, by)) => step(by) && self.takes_range(range),
            None => self.takes_range(part) || self.takes_special(part),
        }
    }

    fn takes_range(&self, range: &str) -> bool {
        match range.split_once('-') {
            Some((from, to)) => matches!((self.value(from), self.value(to)), (Some(a), Some(b)) if a <= b),
            None => range == "*" || self.value(range).is_some(),
        }
    }

    fn takes_special(&self, part: &str) -> bool {
        if part == "L" || part == "LW" {
            return part.chars().all(|c| self.special.contains(c));
        }
        let ends_with = |c: char| self.special.contains(c).then(|| part.strip_suffix(c)).flatten();
        if let Some(day) = ends_with('L').or_else(|| ends_with('W')) {
            return self.value(day).is_some();
        }
        match part.split_once('#') {
            Some((day, nth)) => {
                let fits = nth.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth));
                self.special.contains('#') && fits && self.value(day).is_some()
            }
            None => false,
        }
    }

    fn value(&self, text: &str) -> Option<u32> {
        let upper = text.to_ascii_uppercase();
        if let Some(index) = self.words.iter().position(|word| *word == upper) {
            return u32::try_from(index).ok().map(|index| index + self.low);
        }
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        text.parse().ok().filter(|value| digits && (self.low..=self.high).contains(value))
    }
}

fn rate(text: &str, expression: &str) -> Checked<()> {
    let example = "Write `rate(1 day)` or `rate(12 hours)`.";
    let words: Vec<&str> = expression.split_whitespace().collect();
    let [value, unit] = words[..] else {
        return refuse(text, "A rate is a number and a unit", example);
    };
    let value = value.parse::<u32>().ok().filter(|value| *value > 0);
    let Some(value) = value else {
        return refuse(text, "A rate's number is whole and positive", example);
    };
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    if !["minute", "hour", "day"].contains(&singular) {
        return refuse(text, "A rate's unit is minutes, hours or days", example);
    }
    let meant = if value == 1 { singular.to_owned() } else { format!("{singular}s") };
    if meant != unit {
        let reason = "AWS wants the unit in the singular for 1 and in the plural for everything else";
        return refuse(text, reason, format!("Write `rate({value} {meant})`."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_as_aws_documents_them_pass() {
        for text in [
            "cron(0 5 * * ? *)",
            "cron(0/15 8-17 ? * MON-FRI *)",
            "cron(0 0 L * ? *)",
            "cron(0 0 LW * ? *)",
            "cron(0 9 ? * 2#1 *)",
            "cron(5,35 14 * JAN,jul ? 2026-2030)",
            "cron(0 10 15W * ? *)",
            "cron(0 10 ? * 6L *)",
            "rate(1 day)",
            "rate(5 minutes)",
            "cron(*/5 * ? * * *)",
        ] {
            assert!(schedule(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_schedules_are_refused() {
        for text in [
            "",
            "daily",
            "0 5 * * *",
            "cron(0 5 * * *)",
            "cron(0 5 * * * *)",
            "cron(0 5 ? * ? *)",
            "cron(60 5 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 5 0 * ? *)",
            "cron(0 5 * 13 ? *)",
            "cron(0 5 ? * 8 *)",
            "cron(0 5 ? * 2#6 *)",
            "cron(0 5 * * ? 1969)",
            "cron(5-1 5 * * ? *)",
            "cron(0 5 * * ? *",
            "cron(? 5 * * ? *)",
            "cron(0/0 5 * * ? *)",
            "cron(+5 5 * * ? *)",
            "rate(1 days)",
            "rate(2 day)",
            "rate(0 days)",
            "rate(1 week)",
            "rate(day)",
            "Rate(1 day)",
        ] {
            assert!(schedule(text).is_err(), "{text}");
        }
    }
}
