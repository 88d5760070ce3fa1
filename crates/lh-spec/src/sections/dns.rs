//! `dns`: the name under which the server is found.

use lh_model::Diagnostic;

use super::between;
use crate::{
    checks::dns,
    codes,
    reader::Section,
    stack::{Dns, Placed},
};

pub(crate) fn read(top: &mut Section) -> Option<Dns> {
    let mut section = top.section("dns", "dns: { zone: example.com, record: db.example.com }")?;
    let origin = section.origin();
    section.require("zone", "The record is made in a hosted zone that exists", "zone: example.com");
    let zone = section.text("zone", dns::zone);
    section.require("record", "The record is the name that clients use", "record: db.example.com");
    let record = section.text("record", dns::domain);
    let why = "Resolvers keep the answer for this many seconds";
    let ttl = section.whole("ttl", "seconds", between("dns.ttl", 1, 604_800, why));
    if let (Some(zone), Some(record)) = (&zone, &record)
        && !dns::is_zone_id(&zone.value)
        && !dns::holds(&zone.value, &record.value)
    {
        section.report(outside(zone, record));
    }
    section.finish();
    Some(Dns {
        zone: zone?,
        record: record?,
        ttl: ttl.unwrap_or(Placed { value: 60, origin: origin.clone() }),
        origin,
    })
}

fn outside(zone: &Placed<String>, record: &Placed<String>) -> Diagnostic {
    let first = record.value.split('.').next().unwrap_or("db");
    Diagnostic::error(
        codes::RECORD_OUTSIDE,
        format!("`{}` is not in the zone `{}`", record.value, zone.value),
    )
    .at(record.origin.clone())
    .because("A hosted zone holds the names that end in its own")
    .fix(format!("Write `record: {first}.{}`, or name the zone that the record belongs to.", zone.value))
}
