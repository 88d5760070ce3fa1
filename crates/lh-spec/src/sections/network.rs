//! `network`: where the server is, and who may reach the database.

use lh_model::Origin;

use super::sources;
use crate::{
    checks::{names, wrong},
    codes,
    reader::{Checked, Section, clip},
    stack::{Network, Placed},
};

pub(crate) fn read(top: &mut Section, region: Option<&Placed<String>>) -> Option<Network> {
    let Some(mut section) = top.section("network", "network: { vpc: default }") else {
        return Some(default(top.origin_of("network")));
    };
    let origin = section.origin();
    let vpc = section.text("vpc", |text| names::id_or_name(text, "vpc-"));
    let subnet = section.text("subnet", |text| names::id_or_name(text, "subnet-"));
    let zone = section.text("zone", |text| zone(text, region));
    let public_ip = section.flag("public_ip");
    let check_egress = section.flag("check_egress");
    let allow_postgres_from = sources::read(&mut section, "allow_postgres_from", 5432);
    let security_groups =
        section.texts("security_groups", |text| names::id_or_name(text, "sg-").map(|()| text.to_owned()));
    section.finish();
    let defaults = default(origin);
    Some(Network {
        vpc: vpc.unwrap_or(defaults.vpc),
        subnet,
        zone,
        public_ip: public_ip.unwrap_or(defaults.public_ip),
        check_egress: check_egress.map_or(defaults.check_egress, |flag| flag.value),
        allow_postgres_from,
        security_groups,
    })
}

fn default(origin: Origin) -> Network {
    Network {
        vpc: Placed { value: "default".to_owned(), origin: origin.clone() },
        subnet: None,
        zone: None,
        public_ip: Placed { value: false, origin },
        check_egress: true,
        allow_postgres_from: Vec::new(),
        security_groups: Vec::new(),
    }
}

fn zone(text: &str, region: Option<&Placed<String>>) -> Checked<()> {
    let Some(region) = region.map(|region| region.value.as_str()) else { return Ok(()) };
    // A local zone, `us-east-1-bos-1a`, has more between the region and the letter.
    let fits = text.strip_prefix(region).is_some_and(|rest| {
        rest.ends_with(|c: char| c.is_ascii_lowercase())
            && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && (rest.len() == 1 || rest.starts_with('-'))
    });
    if fits {
        return Ok(());
    }
    wrong(
        codes::RESOURCE_NAME,
        format!("`{}` is not an availability zone of {region}", clip(text)),
        "A zone is named by its region and a letter",
        format!(
            "Write `zone: {region}a`, or leave it out to let lhctl choose one that offers the instance type."
        ),
    )
}
