//! Settling: what became of the changes that an interrupted run had begun, judged by what AWS
//! shows now. Pure; the run that follows writes it down before anything else.

use lh_kind::{AnyRules, Change, Field, Found, Mutability, Owner, RuleBook, Seen, change::digested};
use lh_model::{Address, Map};
use lh_plan::Observed;
use lh_state::{Event, Fold, OpenIntent, Record, Verb};

/// The properties as state keeps them: long texts as digests.
pub(crate) fn recorded(mut props: Map, rules: Option<&dyn AnyRules>) -> Map {
    for field in rules.map(AnyRules::fields).unwrap_or_default().iter().filter(|field| field.digest) {
        if let Some(value) = props.get_mut(field.name) {
            *value = digested(value);
        }
    }
    props
}

/// What was applied, of properties as state keeps them: those that no apply changes are as AWS
/// shows them, whatever was wanted.
pub(crate) fn applied(mut inputs: Map, facts: &Map, rules: Option<&dyn AnyRules>) -> Map {
    let fixed = |field: &&Field| matches!(field.change, Mutability::AtCreation | Mutability::Apart(_));
    for field in rules.map(AnyRules::fields).unwrap_or_default().iter().filter(fixed) {
        if let (Some(input), Some(fact)) = (inputs.get_mut(field.name), facts.get(field.name)) {
            input.clone_from(fact);
        }
    }
    inputs
}

/// The events that close the intents left open in `fold`, and those that bring what state
/// remembers of AWS up to date. What could not be read stays open.
pub(crate) fn settle(fold: &Fold, observed: &Observed, book: &dyn RuleBook) -> Vec<Event> {
    let closed = fold.open().filter_map(|open| {
        let seen = observed.resources.get(&open.intent.address)?;
        outcome(open, seen, fold, book)
    });
    let is_open = |address: &Address| fold.open().any(|open| open.intent.address == *address);
    let refreshed = fold.state.resources.iter().filter(|(address, _)| !is_open(address));
    let refreshed = refreshed.filter_map(|(address, record)| {
        let found = observed.found(address)?;
        let moved = found.id == record.id && found.facts != record.observed;
        let record = Record { observed: found.facts.clone(), ..record.clone() };
        moved.then(|| Event::Done { address: address.clone(), record: Box::new(record) })
    });
    closed.chain(refreshed).collect()
}

fn outcome(open: &OpenIntent, seen: &Seen, fold: &Fold, book: &dyn RuleBook) -> Option<Event> {
    let intent = &open.intent;
    let address = intent.address.clone();
    let found = match seen {
        Seen::Unreadable(_) => return None,
        Seen::Absent if intent.verb == Verb::Delete => return Some(Event::Gone { address }),
        Seen::Absent => return Some(Event::Void { address, why: "AWS does not show it".to_owned() }),
        Seen::Found(found) => found,
    };
    let took_effect = match intent.verb {
        Verb::Create => is_its_own(open, found),
        Verb::Update => is_as_intended(&intent.props, found, fold, open, book),
        Verb::Delete => false,
    };
    if !took_effect {
        return Some(Event::Void { address, why: "AWS shows no effect of it".to_owned() });
    }
    let record = Record {
        id: found.id.clone(),
        identity: intent.identity.clone(),
        generation: intent.generation,
        managed: true,
        inputs: applied(intent.props.clone(), &found.facts, book.rules(address.kind())),
        observed: found.facts.clone(),
        needs: intent.needs.clone(),
        retained: false,
    };
    Some(Event::Done { address, record: Box::new(record) })
}

fn is_its_own(open: &OpenIntent, found: &Found) -> bool {
    match &found.owner {
        Owner::Stack(identity) if *identity == open.intent.identity => true,
        Owner::Parent => true,
        _ => open.made.as_ref() == Some(&found.id),
    }
}

/// Whether nothing is left to change. Otherwise the plan compares afresh.
fn is_as_intended(props: &Map, found: &Found, fold: &Fold, open: &OpenIntent, book: &dyn RuleBook) -> bool {
    let recorded = fold.state.resources.get(&open.intent.address).map(|record| &record.inputs);
    let Some(rules) = book.rules(open.intent.address.kind()) else { return false };
    // What AWS never shows is taken as it was meant to be.
    let mut have = props.clone();
    have.extend(found.facts.clone());
    matches!(rules.diff(props, &have, recorded), Change::Same(_))
}
