//! The order of steps: what each must wait for.

use std::collections::{BTreeMap, BTreeSet};

use lh_kind::{AnyRules, RuleBook};
use lh_model::{Address, Diagnostic};
use petgraph::{algo::toposort, graphmap::DiGraphMap};

use crate::{Act, Plan, Step, StepId};

/// Gives every step what it requires, and sorts steps so that each comes after that.
pub(crate) fn sort(plan: &mut Plan, book: &dyn RuleBook) {
    let hard = hard_edges(&plan.steps, book);
    for step in &mut plan.steps {
        step.requires.extend(hard.get(&step.id).cloned().unwrap_or_default());
    }
    let soft = soft_edges(&plan.steps);
    let strict: Vec<BTreeSet<StepId>> = plan.steps.iter().map(|step| step.requires.clone()).collect();
    for step in &mut plan.steps {
        step.requires.extend(soft.get(&step.id).cloned().unwrap_or_default());
    }
    if topological(&plan.steps).is_none() {
        // Additions before removals is a courtesy; it gives way where it would close a circle.
        for (step, requires) in plan.steps.iter_mut().zip(strict) {
            step.requires = requires;
        }
    }
    match topological(&plan.steps) {
        Some(sorted) => plan.steps = sorted.into_iter().map(|i| plan.steps[i].clone()).collect(),
        None => plan.refusals.push(
            Diagnostic::error("E0611", "the steps of this plan wait for each other in a circle")
                .because("This is a fault of the planner, not of the stack file.")
                .fix("Please report it with the plan's JSON (`lhctl plan --json`)."),
        ),
    }
}

/// What cannot be otherwise: a resource after what it needs, a deletion after the deletion or
/// change of what needed it, a replacement's creation after its deletion.
pub(crate) fn hard_edges(steps: &[Step], book: &dyn RuleBook) -> BTreeMap<StepId, BTreeSet<StepId>> {
    let present: BTreeSet<&StepId> = steps.iter().map(|step| &step.id).collect();
    let mut edges: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
    let mut link = |later: &StepId, earlier: StepId| {
        if present.contains(&earlier) && *later != earlier {
            edges.entry(later.clone()).or_default().insert(earlier);
        }
    };
    for step in steps {
        let address = &step.id.address;
        match step.id.act {
            Act::Delete => {
                let after = book.rules(address.kind()).map(AnyRules::deleted_after).unwrap_or_default();
                for needed in &step.needs {
                    let other = StepId::new(Act::Delete, needed);
                    if after.contains(&needed.kind()) {
                        link(&step.id, other);
                    } else {
                        link(&other, step.id.clone());
                    }
                }
            }
            Act::Create | Act::Update | Act::Await => {
                link(&step.id, StepId::new(Act::Delete, address));
                for needed in &step.needs {
                    for act in [Act::Create, Act::Update, Act::Await, Act::Adopt, Act::Use] {
                        link(&step.id, StepId::new(act, needed));
                    }
                }
            }
            _ => {}
        }
    }
    edges
}

/// Removals come after additions and changes of the same kind, and after changes of what may
/// have used them: a new rule stands before the old one goes.
fn soft_edges(steps: &[Step]) -> BTreeMap<StepId, BTreeSet<StepId>> {
    let created: BTreeSet<&Address> =
        steps.iter().filter(|s| s.id.act == Act::Create).map(|s| &s.id.address).collect();
    let is_removal = |step: &&Step| step.id.act == Act::Delete && !created.contains(&step.id.address);
    let mut edges = BTreeMap::new();
    for removal in steps.iter().filter(is_removal) {
        let before: BTreeSet<StepId> = steps
            .iter()
            .filter(|s| match s.id.act {
                Act::Create => s.id.address.kind() == removal.id.address.kind(),
                Act::Update => true,
                _ => false,
            })
            .map(|s| s.id.clone())
            .collect();
        edges.insert(removal.id.clone(), before);
    }
    edges
}

fn topological(steps: &[Step]) -> Option<Vec<usize>> {
    let index: BTreeMap<&StepId, usize> = steps.iter().enumerate().map(|(i, step)| (&step.id, i)).collect();
    let mut graph = DiGraphMap::<usize, ()>::new();
    for i in (0..steps.len()).rev() {
        graph.add_node(i);
    }
    for (i, step) in steps.iter().enumerate() {
        for required in &step.requires {
            graph.add_edge(*index.get(required)?, i, ());
        }
    }
    toposort(&graph, None).ok()
}
