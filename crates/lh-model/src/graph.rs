//! Order of resources by what they need.

use std::collections::BTreeMap;

use petgraph::{algo::toposort, graphmap::DiGraphMap};

use crate::Address;

/// Resources that need each other in a circle; names one of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} depends on itself through other resources")]
pub struct Cycle(pub Address);

/// `edges` maps each address to what it needs; needs outside the map are ignored.
/// Returns the addresses so that each comes after all it needs; ties by address.
///
/// # Errors
/// [`Cycle`] when no such order exists.
pub fn order(edges: &BTreeMap<Address, Vec<Address>>) -> Result<Vec<Address>, Cycle> {
    let names: Vec<&Address> = edges.keys().collect();
    let index: BTreeMap<&Address, usize> = names.iter().enumerate().map(|(i, a)| (*a, i)).collect();
    let mut graph = DiGraphMap::<usize, ()>::new();
    // Nodes enter in reverse, so that the sort, which emits last-entered first, keeps names ascending.
    for i in (0..names.len()).rev() {
        graph.add_node(i);
    }
    for (address, needs) in edges {
        for need in needs.iter().filter_map(|need| index.get(need)) {
            graph.add_edge(*need, index[address], ());
        }
    }
    match toposort(&graph, None) {
        Ok(sorted) => Ok(sorted.into_iter().map(|i| names[i].clone()).collect()),
        Err(cycle) => Err(Cycle(names[cycle.node_id()].clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> Address {
        Address::new("thing", name)
    }

    #[test]
    fn each_comes_after_all_it_needs() {
        let edges = BTreeMap::from([
            (at("a"), vec![at("c"), at("elsewhere")]),
            (at("b"), vec![]),
            (at("c"), vec![at("b")]),
        ]);
        assert_eq!(order(&edges), Ok(vec![at("b"), at("c"), at("a")]));
    }

    #[test]
    fn a_circle_is_named() {
        let edges = BTreeMap::from([(at("a"), vec![at("b")]), (at("b"), vec![at("a")])]);
        assert!(matches!(order(&edges), Err(Cycle(_))));
    }
}
