//! Resources and what they need, as drawings: for Graphviz, for Markdown, and as a picture. Each
//! arrow goes from what is made first to what needs it.

use std::collections::{BTreeMap, BTreeSet};

use lh::Address;

/// Resources, each with those that it needs.
pub(crate) type Edges = BTreeMap<Address, BTreeSet<Address>>;

/// The height of a box, in pixels, as all below.
const HEIGHT: usize = 34;
/// The gap below a box.
const BELOW: usize = 56;
/// The gap beside a box.
const BESIDE: usize = 24;
/// The width of a character.
const CHARACTER: usize = 8;

/// The drawing for Graphviz. <https://graphviz.org/doc/info/lang.html>
pub(crate) fn dot(name: &str, edges: &Edges) -> String {
    let mut text = format!("digraph {} {{\n  rankdir = LR;\n  node [shape = box];\n", quoted(name));
    for address in edges.keys() {
        text += &format!("  {};\n", quoted(&address.to_string()));
    }
    for (needed, address) in arrows(edges) {
        text += &format!("  {} -> {};\n", quoted(&needed.to_string()), quoted(&address.to_string()));
    }
    text + "}\n"
}

/// The drawing for Markdown. <https://mermaid.js.org/syntax/flowchart.html>
pub(crate) fn mermaid(edges: &Edges) -> String {
    let number: BTreeMap<&Address, usize> = edges.keys().enumerate().map(|(n, a)| (a, n)).collect();
    let mut text = "flowchart LR\n".to_owned();
    for (address, n) in &number {
        text += &format!("  n{n}[\"{}\"]\n", address.to_string().replace('"', "#quot;"));
    }
    for (needed, address) in arrows(edges) {
        text += &format!("  n{} --> n{}\n", number[needed], number[address]);
    }
    text
}

/// A picture: what needs nothing on top, everything else below all that it needs.
pub(crate) fn svg(name: &str, edges: &Edges) -> String {
    let rows = rows(edges);
    let width_of = |address: &Address| address.to_string().chars().count() * CHARACTER + 24;
    let row_width =
        |row: &Vec<&Address>| row.iter().map(|a| width_of(a) + BESIDE).sum::<usize>().saturating_sub(BESIDE);
    let width = rows.iter().map(row_width).max().unwrap_or(0) + 2 * BESIDE;
    let height = rows.len() * (HEIGHT + BELOW) + BESIDE;
    let mut boxes: BTreeMap<&Address, (usize, usize, usize)> = BTreeMap::new();
    for (depth, row) in rows.iter().enumerate() {
        let mut left = (width - row_width(row)) / 2;
        for address in row {
            boxes.insert(address, (left, BESIDE + depth * (HEIGHT + BELOW), width_of(address)));
            left += width_of(address) + BESIDE;
        }
    }
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\">\n<title>{}</title>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#7a8594\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(name)
    );
    for (needed, address) in arrows(edges) {
        let ((x, y, w), (to_x, to_y, to_w)) = (boxes[needed], boxes[address]);
        let (from, to) = ((x + w / 2, y + HEIGHT), (to_x + to_w / 2, to_y));
        let middle = usize::midpoint(from.1, to.1);
        text += &format!(
            "<path d=\"M{} {}C{} {middle} {} {middle} {} {}\" fill=\"none\" stroke=\"#7a8594\" marker-end=\"url(#tip)\"/>\n",
            from.0, from.1, from.0, to.0, to.0, to.1
        );
    }
    for (address, (x, y, w)) in boxes {
        text += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"#f2f6fa\" stroke=\"#35618e\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#1c2430\">{}</text>\n",
            x + w / 2,
            y + HEIGHT / 2 + 5,
            escaped(&address.to_string())
        );
    }
    text + "</svg>\n"
}

/// From what is needed to what needs it. What is needed and is no resource is left out.
fn arrows(edges: &Edges) -> impl Iterator<Item = (&Address, &Address)> {
    edges.iter().flat_map(|(address, needs)| {
        needs.iter().filter(|needed| edges.contains_key(needed)).map(move |needed| (needed, address))
    })
}

/// Resources by how much stands above them. A circle, which no stack has, ends in the last row.
fn rows(edges: &Edges) -> Vec<Vec<&Address>> {
    let mut rows: Vec<Vec<&Address>> = Vec::new();
    let mut placed: BTreeSet<&Address> = BTreeSet::new();
    while placed.len() < edges.len() {
        let free = |(address, needs): &(&Address, &BTreeSet<Address>)| {
            let waits = |needed: &Address| edges.contains_key(needed) && !placed.contains(needed);
            !placed.contains(*address) && !needs.iter().any(waits)
        };
        let mut row: Vec<&Address> = edges.iter().filter(free).map(|(address, _)| address).collect();
        if row.is_empty() {
            row = edges.keys().filter(|address| !placed.contains(*address)).collect();
        }
        placed.extend(&row);
        rows.push(row);
    }
    rows
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(list: &[(&str, &[&str])]) -> Edges {
        let parse = |text: &&str| text.parse().unwrap();
        list.iter().map(|(a, needs)| (parse(a), needs.iter().map(parse).collect())).collect()
    }

    #[test]
    fn what_is_needed_stands_above_what_needs_it_and_a_circle_ends() {
        let all = edges(&[("a.a", &[]), ("b.b", &["a.a"]), ("c.c", &["a.a", "b.b"]), ("d.d", &["x.x"])]);
        let names: Vec<Vec<String>> =
            rows(&all).iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(names, [vec!["a.a", "d.d"], vec!["b.b"], vec!["c.c"]]);
        assert_eq!(rows(&edges(&[("a.a", &["b.b"]), ("b.b", &["a.a"])])).len(), 1);
    }

    #[test]
    fn each_language_has_every_resource_and_every_arrow() {
        let all = edges(&[("a.a", &[]), ("b.b", &["a.a"])]);
        assert_eq!(
            dot("s", &all),
            "digraph \"s\" {\n  rankdir = LR;\n  node [shape = box];\n  \"a.a\";\n  \"b.b\";\n  \"a.a\" -> \"b.b\";\n}\n"
        );
        assert_eq!(mermaid(&all), "flowchart LR\n  n0[\"a.a\"]\n  n1[\"b.b\"]\n  n0 --> n1\n");
        let picture = svg("s", &all);
        assert_eq!((picture.matches("<text").count(), picture.matches("marker-end").count()), (2, 1));
    }
}
