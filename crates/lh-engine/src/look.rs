//! Looking at AWS: everything at once, batched by kind, in as few rounds as can be.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use lh_kind::{AnyRules, CloudError, ErrorKind, Idempotency, Observe, Probe, Seen, Target};
use lh_model::{Address, Desired, Lookup, Map, Reference, value::resolve_map};
use lh_plan::{Mode, Observed, targets};
use lh_state::{Fold, OpenIntent, State, Verb};

use crate::{Event, Events, Pace, settle::recorded};

/// How often something that should be there and is not shown is looked for again: AWS is
/// eventually consistent, so young and absent is unknown. Milliseconds between looks.
const PATIENCE: [u64; 5] = [500, 1_000, 2_000, 4_000, 8_000];

/// So many of these looks are worth it where repeating a creation would meet what the first made:
/// the last request of a run that was killed may still be on its way, and a look costs less than
/// to rely on the token alone.
const BRIEFLY: usize = 2;

/// Between looks at what AWS throttled or failed to show while it showed the rest, in milliseconds.
const UNHEARD: [u64; 3] = [1_000, 2_000, 4_000];

/// Rounds in which references found in one make more of the next findable; resources hang on
/// each other no deeper than this.
const DEPTH: usize = 4;

/// How a look is made.
pub struct Reach<'a> {
    /// The cloud, to be read only.
    pub cloud: &'a dyn Observe,
    /// How time passes.
    pub pace: &'a dyn Pace,
    /// Who is told.
    pub events: &'a dyn Events,
}

/// A stack to look at.
pub struct Sight<'a> {
    /// What it wants.
    pub desired: &'a Desired,
    /// What is recorded of it, and what is open.
    pub fold: &'a Fold,
    /// What for.
    pub mode: Mode,
}

/// One resource of one of the stacks looked at.
type Place = (usize, Address);

/// What AWS shows of everything that these stacks, of one account and region, want and record.
/// All of them share each call.
///
/// # Errors
/// Only when AWS cannot be asked at all: it accepts no credentials, or gives nothing that is asked
/// for. What is wrong with some of the resources, while others can be read, is told in the answer.
pub async fn look(reach: &Reach<'_>, sights: &[Sight<'_>]) -> Result<Vec<Observed>, CloudError> {
    let mut observed: Vec<Observed> = sights.iter().map(|_| Observed::default()).collect();
    let mut asked: BTreeMap<Place, Target> = BTreeMap::new();
    for round in 0..DEPTH {
        let next: BTreeMap<Place, Target> = all_wanted(sights, &observed)
            .filter(|(place, target)| !is_settled(&observed[place.0], asked.get(place), &place.1, target))
            .collect();
        if next.is_empty() && round > 0 {
            break;
        }
        let questions = if round == 0 { questions(sights) } else { Vec::new() };
        let probes: Vec<Probe> = questions.iter().map(|(probe, _)| probe.clone()).collect();
        reach.events.tell(Event::Looking { targets: next.len() + probes.len() });
        let (resources, answers) =
            futures_util::future::join(see_patiently(reach, &next), reach.cloud.look_up(&probes)).await;
        for ((_, askers), answer) in questions.into_iter().zip(answers) {
            for (stack, lookup) in askers {
                // What is missing is missing at each line that asks for it.
                let answer = answer.clone().map_err(|finding| finding.at(lookup.origin.clone()));
                observed[stack].lookups.insert(lookup.name.clone(), answer);
            }
        }
        take(&mut observed, resources)?;
        asked.extend(next);
    }
    look_again(reach, sights, &mut observed).await?;
    Ok(observed)
}

/// Keeps what was seen. One operation that fails does not hide what the others show; where nothing
/// at all can be read, though, that is one trouble and not one of each resource.
fn take(observed: &mut [Observed], seen: BTreeMap<Place, Seen>) -> Result<(), CloudError> {
    let mut failure = None;
    for ((stack, address), seen) in seen {
        match &seen {
            Seen::Unreadable(error) if error.kind == ErrorKind::Credentials => return Err(error.clone()),
            Seen::Unreadable(error) if concerns_all(error.kind) => failure = failure.or(Some(error.clone())),
            _ => {}
        }
        observed[stack].resources.insert(address, seen);
    }
    // Absence is no sign of life: what refers to something unknown is absent without a call.
    let is_heard = |one: &Observed| {
        one.lookups.values().any(Result::is_ok)
            || one.resources.values().any(|seen| matches!(seen, Seen::Found(_)))
    };
    let is_deaf = |seen: &Seen| matches!(seen, Seen::Unreadable(error) if concerns_all(error.kind));
    let all_deaf = observed.iter().flat_map(|one| one.resources.values()).all(is_deaf);
    match failure.filter(|_| all_deaf || !observed.iter().any(is_heard)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn all_wanted<'s>(
    sights: &'s [Sight<'_>],
    observed: &'s [Observed],
) -> impl Iterator<Item = (Place, Target)> + 's {
    sights.iter().zip(observed).enumerate().flat_map(|(stack, (sight, known))| {
        let all = wanted(sight.desired, sight.fold, known);
        all.into_iter().map(move |(address, target)| ((stack, address), target))
    })
}

/// A question, and the stacks and lines that ask it.
type Question<'a> = (Probe, Vec<(usize, &'a Lookup)>);

/// All lookups; those of several stacks in the same words as one.
fn questions<'s>(sights: &'s [Sight<'_>]) -> Vec<Question<'s>> {
    let mut all: Vec<Question<'s>> = Vec::new();
    for (stack, sight) in sights.iter().enumerate() {
        for (lookup, probe) in sight.desired.lookups.iter().zip(probes(sight.desired, &sight.fold.state)) {
            let same = |(other, _): &&mut Question<'_>| {
                let (one, other) = (&probe, other);
                other.lookup.name == one.lookup.name
                    && other.lookup.query == one.lookup.query
                    && other.pinned == one.pinned
            };
            match all.iter_mut().find(same) {
                Some((_, askers)) => askers.push((stack, lookup)),
                None => all.push((probe, vec![(stack, lookup)])),
            }
        }
    }
    all
}

/// What is to be looked at: as the planner says, and what an interrupted run has made.
fn wanted(desired: &Desired, fold: &Fold, known: &Observed) -> BTreeMap<Address, Target> {
    let mut all = targets(desired, &fold.state, known);
    for open in fold.open() {
        let intent = &open.intent;
        let target = all.entry(intent.address.clone()).or_insert_with(|| Target {
            address: intent.address.clone(),
            stack: desired.stack.clone(),
            id: None,
            identity: intent.identity.clone(),
            props: intent.props.clone(),
            used: false,
        });
        if intent.verb == Verb::Create {
            // What stood there before, if anything, is gone: the new one is looked for.
            target.id.clone_from(&open.made);
            target.identity = intent.identity.clone();
        }
        if intent.verb != Verb::Delete {
            // What was on its way is what the look is for: a volume that shows its older size is
            // asked for the modification that leads to the new one.
            target.props = intent.props.clone();
        }
    }
    all
}

/// Whether the answer there is stands: found, or asked before in the same words.
fn is_settled(observed: &Observed, asked: Option<&Target>, address: &Address, target: &Target) -> bool {
    let Some(asked) = asked else { return false };
    let found = matches!(observed.resources.get(address), Some(Seen::Found(_) | Seen::Unreadable(_)));
    found || asked.props == target.props
}

fn probes(desired: &Desired, state: &State) -> Vec<Probe> {
    let pinned = |name: &str, query: &Map| {
        // A pin whose question has changed is still offered: the lookup keeps it if it fits.
        state.pins.get(name).map(|pin| (pin.query == *query, pin.answer.clone()))
    };
    desired
        .lookups
        .iter()
        .map(|lookup| {
            let answer = pinned(&lookup.name, &lookup.query);
            let keep = |(same, answer): (bool, Map)| (same || lookup.name == "network").then_some(answer);
            Probe { lookup: lookup.clone(), pinned: answer.and_then(keep) }
        })
        .collect()
}

/// One round, and what passes by itself in it is asked for again.
async fn see_patiently<K: Clone + Ord>(
    reach: &Reach<'_>,
    targets: &BTreeMap<K, Target>,
) -> BTreeMap<K, Seen> {
    let mut seen = see(reach, targets).await;
    for pause in UNHEARD {
        let passes = |key: &K| matches!(seen.get(key), Some(Seen::Unreadable(error)) if error.is_passing());
        let unheard: BTreeMap<K, Target> = targets
            .iter()
            .filter(|(key, _)| passes(key))
            .map(|(key, target)| (key.clone(), target.clone()))
            .collect();
        // Where nothing at all is heard, that is no bad luck of one call, and is told at once.
        if unheard.is_empty() || unheard.len() == seen.len() {
            break;
        }
        reach.pace.pause(Duration::from_millis(pause)).await;
        seen.extend(see(reach, &unheard).await);
    }
    seen
}

/// One round: all kinds at once, each with all its targets.
pub(crate) async fn see<K: Clone + Ord>(
    reach: &Reach<'_>,
    targets: &BTreeMap<K, Target>,
) -> BTreeMap<K, Seen> {
    let mut by_kind: BTreeMap<&str, (Vec<K>, Vec<Target>)> = BTreeMap::new();
    for (key, target) in targets {
        let (keys, of_kind) = by_kind.entry(target.address.kind()).or_default();
        keys.push(key.clone());
        of_kind.push(target.clone());
    }
    let looks = by_kind.into_iter().map(|(kind, (keys, targets))| async move {
        let seen = reach.cloud.observe(kind, &targets).await;
        keys.into_iter().zip(seen).collect::<Vec<_>>()
    });
    join_all(looks).await.into_iter().flatten().collect()
}

/// Failures that are mostly no property of one resource.
fn concerns_all(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Credentials | ErrorKind::Unreachable | ErrorKind::Throttled)
}

/// Gives AWS time to show what state records or an interrupted run may have made.
async fn look_again(
    reach: &Reach<'_>,
    sights: &[Sight<'_>],
    observed: &mut [Observed],
) -> Result<(), CloudError> {
    for (attempt, pause) in PATIENCE.iter().enumerate() {
        let is_unseen = |(stack, address): &Place| {
            let known = &observed[*stack];
            !matches!(known.resources.get(address), Some(Seen::Found(_) | Seen::Unreadable(_)))
                && attempt < looks(reach, &sights[*stack], known, address)
        };
        let unseen: BTreeMap<Place, Target> =
            all_wanted(sights, observed).filter(|(place, _)| is_unseen(place)).collect();
        if unseen.is_empty() {
            return Ok(());
        }
        for (_, address) in unseen.keys().filter(|_| attempt == 0) {
            reach.events.tell(Event::Unseen { address: address.clone() });
        }
        reach.pace.pause(Duration::from_millis(*pause)).await;
        take(observed, see_patiently(reach, &unseen).await)?;
    }
    Ok(())
}

/// How many further looks it is worth before `address` is believed to be absent: believing too
/// early could make a second one, or leave one behind.
fn looks(reach: &Reach<'_>, sight: &Sight<'_>, known: &Observed, address: &Address) -> usize {
    let all = |may_exist: bool| if may_exist { PATIENCE.len() } else { 0 };
    let Sight { desired, fold, mode } = *sight;
    let open = fold.open().find(|open| open.intent.address == *address);
    match open.map(|open| (open.intent.verb, open)) {
        Some((Verb::Create, OpenIntent { made: Some(_), .. })) => all(true),
        Some((Verb::Create, open)) => {
            let rules = reach.cloud.book().rules(address.kind());
            let create = rules.map_or(Idempotency::TagOnCreation, AnyRules::create);
            // Repeated in the same words, the call meets what the first one made. In other
            // words it would be refused, and given up it would never be met.
            let meets = mode == Mode::Apply && is_wanted_again(open, rules, desired, fold, known);
            match create {
                Idempotency::TagOnCreation => all(true),
                _ if !meets => all(true),
                Idempotency::Token => BRIEFLY,
                Idempotency::NaturalKey | Idempotency::Upsert => 0,
            }
        }
        // A deletion that was begun may well have happened.
        Some((Verb::Delete, _)) => 0,
        Some((Verb::Update, _)) | None => all(fold.state.resources.contains_key(address)),
    }
}

/// Whether the spec still wants what `open` was to create, in the same words.
fn is_wanted_again(
    open: &OpenIntent,
    rules: Option<&dyn AnyRules>,
    desired: &Desired,
    fold: &Fold,
    known: &Observed,
) -> bool {
    let answer = |reference: &Reference| known.value_of(reference, &fold.state);
    let wanted = desired.resources.iter().find(|resource| resource.address == open.intent.address);
    wanted.is_some_and(|resource| recorded(resolve_map(&resource.props, &answer), rules) == open.intent.props)
}
