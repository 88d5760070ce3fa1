//! `lhctl state list` and `show`: what is recorded of a stack, without asking AWS.

use lh::{Address, State};

use crate::{failure::Failure, render::style};

pub(super) fn list(state: &State, json: bool) {
    if json {
        let rows = state.resources.iter().map(|(address, record)| {
            serde_json::json!({ "address": address, "id": record.id, "managed": record.managed, "retained": record.retained })
        });
        anstream::println!("{:#}", rows.collect::<serde_json::Value>());
        return;
    }
    let width = state.resources.keys().map(|address| address.to_string().len()).max().unwrap_or(0);
    for (address, record) in &state.resources {
        let mark = match (record.managed, record.retained) {
            (false, _) => style::dim(" (used, not managed)"),
            (_, true) => style::dim(" (retained)"),
            _ => String::new(),
        };
        anstream::println!("{:width$}  {}{mark}", address.to_string(), record.id);
    }
    if state.resources.is_empty() {
        anstream::eprintln!("Nothing is recorded of {}.", state.stack);
    }
}

pub(super) fn all(state: &State, place: &str, json: bool) {
    if json {
        anstream::println!("{:#}", serde_json::json!(state));
        return;
    }
    anstream::println!("stack     {}", state.stack);
    anstream::println!("kept in   {place}");
    anstream::println!("lineage   {}", state.lineage);
    anstream::println!("serial    {}", state.serial);
    anstream::println!("account   {}", state.account.as_deref().unwrap_or("not known yet"));
    anstream::println!("region    {}", state.region);
    anstream::println!("resources {}", state.resources.len());
    for (name, pin) in &state.pins {
        anstream::println!("lookup    {name}: {}", serde_json::json!(pin.answer));
    }
}

pub(super) fn one(state: &State, address: &Address, json: bool) -> Result<(), Failure> {
    let Some(record) = state.resources.get(address) else {
        return Err(Failure::plain(format!("The state of {} has no {address}.", state.stack))
            .fix("`lhctl state list` shows every address."));
    };
    if json {
        anstream::println!("{:#}", serde_json::json!(record));
        return Ok(());
    }
    anstream::println!("{}", style::bold(&address.to_string()));
    anstream::println!("  id        {}", record.id);
    anstream::println!("  identity  {}", record.identity);
    for (title, map) in [("inputs", &record.inputs), ("observed", &record.observed)] {
        anstream::println!("  {title}");
        for (key, value) in map {
            anstream::println!("    {key} = {value}");
        }
    }
    Ok(())
}
