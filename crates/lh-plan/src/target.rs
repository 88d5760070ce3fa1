//! A plan of a part of the stack: what was asked for, and what that needs.

use std::collections::{BTreeMap, BTreeSet};

use lh_model::{Address, Diagnostic};

use crate::{Step, StepId, draft::Draft, order};

impl Draft<'_> {
    /// The addresses that are planned for, given all `steps` that the whole stack would take;
    /// `None` for all of them. What a target needs comes with it, and what has to be gone or
    /// changed before it can go.
    pub(crate) fn targeted(&self, steps: &[Step]) -> Option<BTreeSet<Address>> {
        if self.targets.is_empty() {
            return None;
        }
        let mut needs: BTreeMap<&Address, BTreeSet<Address>> =
            self.state.resources.iter().map(|(address, record)| (address, record.needs.clone())).collect();
        needs.extend(self.desired.resources.iter().map(|resource| (&resource.address, resource.needs())));
        let mut edges = order::hard_edges(steps, self.book);
        edges.retain(|id, _| steps.iter().any(|step| step.id == *id));
        let mut within = BTreeSet::new();
        let mut left: Vec<Address> = self.targets.to_vec();
        while let Some(address) = left.pop() {
            left.extend(needs.get(&address).into_iter().flatten().cloned());
            left.extend(required(&edges, &address));
            within.insert(address);
            left.retain(|address| !within.contains(address));
        }
        Some(within)
    }

    /// Targets that the stack does not have, each with the nearest that it has.
    pub(crate) fn unknown_targets(&self) -> Vec<Diagnostic> {
        let wanted = self.desired.resources.iter().map(|resource| &resource.address);
        let known: BTreeSet<&Address> = wanted.chain(self.state.resources.keys()).collect();
        let unknown = self.targets.iter().filter(|target| !known.contains(target));
        unknown.map(|target| no_such(target, &known, self)).collect()
    }
}

fn required<'e>(
    edges: &'e BTreeMap<StepId, BTreeSet<StepId>>,
    address: &'e Address,
) -> impl Iterator<Item = Address> + 'e {
    let of_it = edges.iter().filter(move |(step, _)| step.address == *address);
    of_it.flat_map(|(_, earlier)| earlier).map(|step| step.address.clone())
}

fn no_such(target: &Address, known: &BTreeSet<&Address>, draft: &Draft<'_>) -> Diagnostic {
    let text = target.to_string();
    let nearest = known.iter().max_by(|a, b| {
        let likeness = |address: &Address| strsim::jaro_winkler(&text, &address.to_string());
        likeness(a).total_cmp(&likeness(b))
    });
    let fix = match nearest {
        Some(nearest) => format!("Did you mean `{nearest}`? `lhctl plan` shows every address."),
        None => "The stack has no resource at all.".to_owned(),
    };
    let is_kind = draft.book.kinds().contains(&target.kind());
    let reason = if is_kind {
        format!("there are resources of the kind {}, but none of this name", target.kind())
    } else {
        format!("there is no kind {}", target.kind())
    };
    Diagnostic::error("E0612", format!("{} has no resource {target}", draft.desired.stack))
        .because(reason)
        .fix(fix)
}
