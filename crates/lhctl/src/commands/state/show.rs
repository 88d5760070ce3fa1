//! `lhctl state list` and `show`: what is recorded of a stack, without asking AWS.

use lh::{Address, State};

use crate::{failure::Failure, render::style};

pub(super) fn list(state: &State, json: bool) {
    if json {
        let rows = state.resources.iter().map(|(address, record)| {
            serde_json::json!({ "address": address, "id": record.id, "managed": record.managed, "retained": record.retained })
        });
        crate::say::outln!("{:#}", rows.collect::<serde_json::Value>());
        return;
    }
    let width = state.resources.keys().map(|address| address.to_string().len()).max().unwrap_or(0);
    for (address, record) in &state.resources {
        let mark = match (record.managed, record.retained) {
            (false, _) => style::dim(" (used, not managed)"),
            (_, true) => style::dim(" (retained)"),
            _ => String::new(),
        };
        crate::say::outln!("{:width$}  {}{mark}", address.to_string(), record.id);
    }
    if state.resources.is_empty() {
        crate::say::errln!("Nothing is recorded of {}.", state.stack);
    }
}

pub(super) fn all(state: &State, place: &str, json: bool) {
    if json {
        crate::say::outln!("{:#}", serde_json::json!(state));
        return;
    }
    crate::say::outln!("stack     {}", state.stack);
    crate::say::outln!("kept in   {place}");
    crate::say::outln!("lineage   {}", state.lineage);
    crate::say::outln!("serial    {}", state.serial);
    crate::say::outln!("account   {}", state.account.as_deref().unwrap_or("not known yet"));
    crate::say::outln!("region    {}", state.region);
    crate::say::outln!("resources {}", state.resources.len());
    for (name, pin) in &state.pins {
        crate::say::outln!("lookup    {name}: {}", serde_json::json!(pin.answer));
    }
}

pub(super) fn one(state: &State, address: &Address, json: bool) -> Result<(), Failure> {
    let Some(record) = state.resources.get(address) else {
        return Err(Failure::plain(format!("The state of {} has no {address}.", state.stack))
            .fix("`lhctl state list` shows every address."));
    };
    if json {
        crate::say::outln!("{:#}", serde_json::json!(record));
        return Ok(());
    }
    crate::say::outln!("{}", style::bold(&address.to_string()));
    crate::say::outln!("  id        {}", record.id);
    crate::say::outln!("  identity  {}", record.identity);
    for (title, map) in [("inputs", &record.inputs), ("observed", &record.observed)] {
        crate::say::outln!("  {title}");
        for (key, value) in map {
            crate::say::outln!("    {key} = {value}");
        }
    }
    Ok(())
}
