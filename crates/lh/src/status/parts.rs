//! What is to be thought of what was seen, part by part. Asks nothing.

use lh_kind::{PriceBook, RuleBook};
use lh_plan::Estimate;
use lh_state::Held;
use serde_json::{Value, json};

use super::{
    OLD_BACKUP, Part, dumps,
    sight::{Common, Own, records},
};
use crate::{
    host::Drilled,
    verify::{complete, moment, size, span},
};

/// A file system that is this full, in percent, leaves little for a restore or a vacuum.
const FULL: u64 = 85;

/// All parts of one stack.
pub(super) fn all(own: &Own<'_>, common: &Common) -> Vec<Part> {
    vec![
        state(own),
        lock(own),
        instance(own, common),
        spot(own, common),
        volume(own, common),
        database(own),
        disk(own),
        recovery_point(own, common),
        dumps::dump(own, common),
        drill(own),
        alarms(own, common),
        cost(own),
    ]
}

fn id_of(own: &Own<'_>, kind: &str) -> Option<String> {
    records(own.state, kind).next().map(|record| record.id.0.clone())
}

const UNREAD: &str = "the note of the last drill, backups/last-drill.json on the data volume, cannot be read: another drill writes it anew";

const NOT_APPLIED: &str = "not applied yet";

fn state(own: &Own<'_>) -> Part {
    let (serial, count) = (own.state.serial, own.state.resources.len());
    let retained = own.state.resources.values().filter(|record| record.retained).count();
    let kept = if retained > 0 { format!(", {retained} retained") } else { String::new() };
    let facts = json!({ "serial": serial, "resources": count, "retained": retained });
    match count {
        0 => Part::absent("state", NOT_APPLIED),
        _ => Part::fine("state", format!("serial {serial}, {count} resources{kept}"), facts),
    }
}

fn lock(own: &Own<'_>) -> Part {
    match &own.held {
        Ok(None) => Part::fine("lock", "free", json!({ "holder": null })),
        Ok(Some(Held { holder, .. })) => {
            let text = format!("held by {} for `{}` since {}", holder.who, holder.operation, holder.since);
            Part::fine("lock", text, json!({ "holder": holder }))
        }
        Err(error) => Part::unknown("lock", error.to_string()),
    }
}

fn instance(own: &Own<'_>, common: &Common) -> Part {
    let Some(id) = id_of(own, "instance") else { return Part::absent("instance", NOT_APPLIED) };
    let all = match &common.instances {
        Ok(all) => all,
        Err(error) => return Part::unasked("instance", error),
    };
    let Some(seen) = all.iter().find(|one| one.id == id) else {
        return Part::red("instance", format!("{id} is gone"), json!({ "id": id }));
    };
    let since = span(common.now - seen.started);
    let facts = json!({
        "id": id, "type": seen.kind, "state": seen.state, "reason": seen.reason, "zone": seen.zone,
        "started": moment(seen.started),
    });
    let text = format!("{id}, {}, {}, {}", seen.kind, seen.zone, seen.state);
    match seen.state.as_str() {
        "running" => Part::fine("instance", format!("{text} for {since}"), facts),
        "pending" => Part::fine("instance", text, facts),
        _ => {
            let why = seen.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            Part::red("instance", text + &why, facts)
        }
    }
}

fn spot(own: &Own<'_>, common: &Common) -> Part {
    let Some(id) = id_of(own, "instance") else { return Part::absent("spot", NOT_APPLIED) };
    let is_spot = records(own.state, "instance")
        .any(|record| record.inputs.get("spot").is_some_and(|it| !it.is_null()));
    if !is_spot {
        return Part::absent("spot", "on-demand");
    }
    let all = match &common.spot {
        Ok(all) => all,
        Err(error) => return Part::unasked("spot", error),
    };
    let Some(seen) = all.iter().find(|one| one.instance == id) else {
        return Part::red(
            "spot",
            format!("no spot request of {id} is left: EC2 starts it no more"),
            json!({}),
        );
    };
    let text = format!("{}, {}, {}", seen.id, seen.state, seen.status);
    let facts = json!({ "id": seen.id, "state": seen.state, "status": seen.status });
    // Everything else is an interruption, coming or come, or a request that is no more.
    match (seen.state.as_str(), seen.status.as_str()) {
        ("active", "fulfilled") => Part::fine("spot", text, facts),
        _ => Part::red("spot", text, facts),
    }
}

fn volume(own: &Own<'_>, common: &Common) -> Part {
    let Some(id) = id_of(own, "volume") else { return Part::absent("volume", NOT_APPLIED) };
    let all = match &common.volumes {
        Ok(all) => all,
        Err(error) => return Part::unasked("volume", error),
    };
    let Some(seen) = all.iter().find(|one| one.id == id) else {
        return Part::red("volume", format!("{id} is gone"), json!({ "id": id }));
    };
    let facts = json!({
        "id": id, "size_gib": seen.size, "state": seen.state, "attached_to": seen.attached_to,
        "modification": seen.modification.as_ref().map(|(state, percent)| json!({ "state": state, "percent": percent })),
    });
    let mut text = format!("{id}, {} GiB, {}", seen.size, seen.state);
    if let Some((state, percent)) = &seen.modification {
        text += &format!(", {state} {percent} %");
    }
    let failed = seen.modification.as_ref().is_some_and(|(state, _)| state == "failed");
    if seen.attached_to != id_of(own, "instance") {
        return Part::red("volume", text + ", not attached to the instance", facts);
    }
    if failed { Part::red("volume", text, facts) } else { Part::fine("volume", text, facts) }
}

fn database(own: &Own<'_>) -> Part {
    if id_of(own, "instance").is_none() {
        return Part::absent("database", NOT_APPLIED);
    }
    let sight = match &own.host {
        Ok(sight) => sight,
        Err(silence) => return Part::unknown("database", silence.reason.clone()),
    };
    let Some(host) = &sight.status else {
        return Part::unknown("database", "the host's scripts are not installed yet");
    };
    let versions = host.versions.as_ref();
    let server = versions.map(|versions| versions.server.clone());
    let extension = versions.and_then(|versions| versions.timescaledb.clone());
    let facts = json!({
        "ready": host.ready, "container": host.container, "server": server, "timescaledb": extension,
        "stages": host.stages, "way": sight.way,
    });
    let known = |version: Option<String>| version.unwrap_or_else(|| "unknown".to_owned());
    let text = format!(
        "container {}, PostgreSQL {}, timescaledb {}",
        host.container,
        known(server),
        known(extension)
    );
    match host.unfinished() {
        _ if host.ready => Part::fine("database", text, facts),
        Some((stage, stands)) => {
            Part::red("database", format!("not ready: {stage} is {stands}; {text}"), facts)
        }
        None => Part::red("database", format!("not ready; {text}"), facts),
    }
}

fn disk(own: &Own<'_>) -> Part {
    if id_of(own, "instance").is_none() {
        return Part::absent("disk", NOT_APPLIED);
    }
    let sight = match &own.host {
        Ok(sight) => sight,
        Err(silence) => return Part::unknown("disk", silence.reason.clone()),
    };
    let Some(disk) = sight.status.as_ref().and_then(|host| host.disk) else {
        return Part::unknown("disk", "the data volume is not mounted");
    };
    // As df counts: what is kept for root is neither used nor left.
    let percent = (disk.used * 100).div_ceil((disk.used + disk.available).max(1));
    let bytes = |bytes: u64| size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let text = format!("{percent} % of {} used, {} left", bytes(disk.size), bytes(disk.available));
    let facts =
        json!({ "size": disk.size, "used": disk.used, "available": disk.available, "percent": percent });
    if percent > FULL { Part::red("disk", text, facts) } else { Part::fine("disk", text, facts) }
}

fn recovery_point(own: &Own<'_>, common: &Common) -> Part {
    let points = match &own.points {
        None => return Part::absent("recovery_point", "the stack has no backup plan"),
        Some(Err(error)) => return Part::unasked("recovery_point", error),
        Some(Ok(points)) => points,
    };
    let Some(newest) = complete(points) else {
        return Part::unknown("recovery_point", "none yet; `lhctl verify STACK` says whether one is overdue");
    };
    let age = common.now - newest.at;
    let text = format!("{} ago, {} in the vault", span(age), points.len());
    let facts =
        json!({ "arn": newest.arn, "at": moment(newest.at), "age_seconds": age, "count": points.len() });
    match age > OLD_BACKUP {
        true => Part::red("recovery_point", text, facts),
        false => Part::fine("recovery_point", text, facts),
    }
}

fn drill(own: &Own<'_>) -> Part {
    if id_of(own, "instance").is_none() {
        return Part::absent("drill", NOT_APPLIED);
    }
    let sight = match &own.host {
        Ok(sight) => sight,
        Err(silence) => return Part::unknown("drill", silence.reason.clone()),
    };
    let Some(drill) = &sight.last_drill else {
        return match sight.drilled() {
            Drilled::Unread => Part::red("drill", UNREAD, json!({})),
            _ => Part::absent("drill", "no restore was tried yet"),
        };
    };
    let age = sight.now - drill.at;
    let facts = json!({
        "result": drill.result, "backup": drill.backup, "at": moment(drill.at), "age_seconds": age,
        "seconds": drill.seconds, "reason": drill.reason, "last_passed": drill.last_passed.map(moment),
    });
    let text = format!("{} {} ago, in {} s", drill.result, span(age), drill.seconds);
    match sight.drilled() {
        Drilled::Proven => Part::fine("drill", text, facts),
        Drilled::Old => Part::red("drill", format!("{text}: too long ago"), facts),
        _ => {
            let passed = drill.last_passed.map_or_else(
                || "none is known to have passed".to_owned(),
                |at| format!("the last one that passed was {} ago", span(sight.now - at)),
            );
            Part::red("drill", format!("{text}: {}; {passed}", drill.reason), facts)
        }
    }
}

fn alarms(own: &Own<'_>, common: &Common) -> Part {
    let names: Vec<&String> = records(own.state, "alarm").map(|record| &record.id.0).collect();
    if names.is_empty() {
        return Part::absent("alarms", "the stack has none");
    }
    let all = match &common.alarms {
        Ok(all) => all,
        Err(error) => return Part::unasked("alarms", error),
    };
    let find = |name: &&String| all.iter().find(|alarm| alarm.name == **name);
    let state = |name: &&String| find(name).map_or("gone", |alarm| alarm.state.as_str()).to_owned();
    let facts: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).clone(), json!(state(name)))).collect();
    let bad: Vec<String> = names
        .iter()
        .filter(|name| matches!(state(name).as_str(), "ALARM" | "gone"))
        .map(|name| format!("{name} is {}", state(name)))
        .collect();
    let silent = names.iter().filter(|name| state(name) == "INSUFFICIENT_DATA").count();
    let facts = Value::Object(facts);
    if !bad.is_empty() {
        return Part::red("alarms", bad.join(", "), facts);
    }
    let note = if silent > 0 { format!(", {silent} without data") } else { String::new() };
    Part::fine("alarms", format!("none of {} in ALARM{note}", names.len()), facts)
}

fn cost(own: &Own<'_>) -> Part {
    if own.state.resources.is_empty() {
        return Part::absent("cost", NOT_APPLIED);
    }
    let managed = own.state.resources.iter().filter(|(_, record)| record.managed);
    let book = lh_aws::Registry;
    let prices = PriceBook::of(own.deployment.stack().region());
    let estimate = Estimate::of(managed.map(|(a, r)| (a, &r.inputs)), &book as &dyn RuleBook, &prices);
    let facts = json!({ "monthly": estimate.text(), "unknown": estimate.unknown.len() });
    Part::fine("cost", format!("{} dollars a month, estimated", estimate.text()), facts)
}
