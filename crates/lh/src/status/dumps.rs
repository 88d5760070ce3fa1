//! What is to be thought of the newest dump: where it lies, and how old it is. Asks nothing.

use serde_json::json;

use super::{
    OLD_BACKUP, Part,
    sight::{Common, Own},
};
use crate::verify::{moment, size, span};

pub(super) fn dump(own: &Own<'_>, common: &Common) -> Part {
    let on_disk = own.host.as_ref().ok().and_then(|sight| sight.last_backup.clone());
    match &own.dump {
        Some(Err(error)) => Part::unasked("dump", error),
        Some(Ok(Some(dump))) => {
            let age = common.now - dump.at;
            let text = format!("{} ago, {}", span(age), size(dump.bytes));
            let facts = json!({
                "key": dump.key, "at": moment(dump.at), "age_seconds": age, "bytes": dump.bytes, "on_disk": on_disk,
            });
            if age > OLD_BACKUP { Part::red("dump", text, facts) } else { Part::fine("dump", text, facts) }
        }
        bucket => match on_disk {
            // By the host's own clock, which gave it its name.
            Some(name) => {
                let now = own.host.as_ref().map_or(common.now, |sight| sight.now);
                on_the_volume(&name, bucket.is_some(), now)
            }
            None => Part::absent("dump", "none"),
        },
    }
}

/// A dump on the data volume goes with it (the guide's defect 11): where the stack names a bucket
/// and nothing is in it, uploads fail.
fn on_the_volume(name: &str, has_bucket: bool, now: i64) -> Part {
    let age = taken(name).map(|at| now - at);
    let ago = age.map(|age| format!(", {} ago", span(age))).unwrap_or_default();
    let facts = json!({ "on_disk": name, "age_seconds": age });
    let text = format!("{name}{ago}, on the data volume alone");
    match (has_bucket, age) {
        (true, _) => Part::red("dump", format!("{text}: none is in the stack's bucket"), facts),
        (false, Some(age)) if age > OLD_BACKUP => Part::red("dump", format!("{text}: too long ago"), facts),
        _ => Part::fine("dump", text, facts),
    }
}

/// When a dump was taken, in seconds since 1970, by its name `…_YYYYMMDD_HHMMSS.sql.gz`.
fn taken(name: &str) -> Option<i64> {
    let mut words = name.strip_suffix(".sql.gz")?.rsplitn(3, '_');
    let (time, day) = (words.next()?, words.next()?);
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", format!("{day}{time}")).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::{super::Standing, *};

    #[test]
    fn the_age_of_a_dump_is_in_its_name() {
        assert_eq!(taken("light_house_20240125_060708.sql.gz"), Some(1_706_162_828));
        for other in ["lighthouse.sql.gz", "lighthouse_20240125_0607.sql.gz", "x_20241325_060708.sql.gz"] {
            assert_eq!(taken(other), None, "{other}");
        }
    }

    /// Uploads that fail for ever look like none.
    #[test]
    fn guide_defect_11_a_dump_on_the_volume_alone_is_red_beside_a_bucket_and_when_it_is_old() {
        let (name, at) = ("d_20240125_060708.sql.gz", 1_706_162_828);
        let red = |bucket, now| on_the_volume(name, bucket, now).standing == Standing::Red;
        assert_eq!(
            [red(false, at + 60), red(false, at + OLD_BACKUP + 1), red(true, at + 60)],
            [false, true, true]
        );
        assert!(on_the_volume(name, false, at + 7200).text.contains("2 hours ago"));
    }
}
