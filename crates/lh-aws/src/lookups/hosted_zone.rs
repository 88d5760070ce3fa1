//! `hosted_zone {zone, record}` → `{id, name}`: the zone that a record is made in, by name or id.
//! Once found it is pinned: looking at the record tells whether the zone is still there.

use aws_sdk_route53::types::HostedZone;
use lh_kind::{CloudError, ErrorKind, Probe};
use lh_model::{Diagnostic, Lookup, Map};

use super::{asked, failed, nearest, texts};
use crate::{clients::Clients, error::Named, kinds::route53::sets::tidy};

/// What it may call.
pub(super) const CALLS: &[&str] = &["route53:ListHostedZonesByName", "route53:GetHostedZone"];

/// Answers it; with a pinned answer to the same question, without any call.
pub(super) async fn answer(clients: &Clients, probe: &Probe) -> Result<Map, Diagnostic> {
    if let Some(answer) = &probe.pinned {
        return Ok(answer.clone());
    }
    let lookup = &probe.lookup;
    let wanted = asked(lookup, "zone").unwrap_or_default();
    if !wanted.contains('.') {
        return by_id(clients, lookup, wanted).await;
    }
    let zones = list(clients, Some(wanted)).await.map_err(|error| failed(lookup, &error))?;
    let named: Vec<&HostedZone> = zones.iter().filter(|zone| tidy(&zone.name) == tidy(wanted)).collect();
    match named.as_slice() {
        [zone] => told(lookup, zone).map_err(|finding| *finding),
        [] => Err(no_zone(clients, lookup, wanted).await),
        several => Err(several_zones(lookup, wanted, several)),
    }
}

async fn by_id(clients: &Clients, lookup: &Lookup, id: &str) -> Result<Map, Diagnostic> {
    match clients.route53.get_hosted_zone().id(id).send().await.named(CALLS[1]) {
        Ok(answer) => match &answer.hosted_zone {
            Some(zone) => told(lookup, zone).map_err(|finding| *finding),
            None => Err(no_zone(clients, lookup, id).await),
        },
        Err(error) if error.kind == ErrorKind::NotFound => Err(no_zone(clients, lookup, id).await),
        Err(error) => Err(failed(lookup, &error)),
    }
}

/// The zones from `name` on, as many as one page has; zones of one name stand together.
async fn list(clients: &Clients, name: Option<&str>) -> Result<Vec<HostedZone>, CloudError> {
    let request = clients.route53.list_hosted_zones_by_name().set_dns_name(name.map(str::to_owned));
    Ok(request.send().await.named(CALLS[0])?.hosted_zones)
}

/// The id as one writes it, without `/hostedzone/`.
fn id_of(zone: &HostedZone) -> &str {
    zone.id.rsplit('/').next().unwrap_or_default()
}

fn told(lookup: &Lookup, zone: &HostedZone) -> Result<Map, Box<Diagnostic>> {
    let name = tidy(&zone.name);
    let record = tidy(asked(lookup, "record").unwrap_or_default());
    if record != name && !record.ends_with(&format!(".{name}")) {
        let message = format!("`{record}` is not in the hosted zone {}", id_of(zone));
        let finding = Diagnostic::error("E0562", message)
            .at(lookup.origin.clone())
            .because(format!("this is the zone of `{name}`, and holds the names that end in that"))
            .fix("Name the zone that the record belongs to, or change `dns.record`.");
        return Err(Box::new(finding));
    }
    Ok(texts([("id", id_of(zone)), ("name", &name)]))
}

async fn no_zone(clients: &Clients, lookup: &Lookup, wanted: &str) -> Diagnostic {
    let there = match list(clients, None).await {
        Ok(zones) => nearest(wanted, zones.iter().map(|zone| tidy(&zone.name))),
        Err(error) => return failed(lookup, &error),
    };
    let reason = there.map_or_else(
        || "this account has no hosted zone".to_owned(),
        |names| format!("this account has the zones {names}"),
    );
    Diagnostic::error("E0560", format!("there is no hosted zone `{wanted}`"))
        .at(lookup.origin.clone())
        .because(reason)
        .fix("Name one of the account's zones in `dns.zone`, by name or id, or remove the section `dns`.")
}

fn several_zones(lookup: &Lookup, wanted: &str, zones: &[&HostedZone]) -> Diagnostic {
    let one = |zone: &&HostedZone| {
        let private = zone.config.as_ref().is_some_and(|config| config.private_zone);
        format!("`{}` ({})", id_of(zone), if private { "private" } else { "public" })
    };
    let list = zones.iter().map(one).collect::<Vec<_>>().join(", ");
    Diagnostic::error("E0561", format!("{} hosted zones are named `{wanted}`", zones.len()))
        .at(lookup.origin.clone())
        .because(format!("they are {list}; a private zone answers inside its VPCs only"))
        .fix("Name the one that is meant by its id in `dns.zone`.")
}
