//! `--set path.to.key=value`: one value laid over the file from the command line. A path that
//! no section knows is found by the sections themselves, which also name the nearest key.

use lh_model::{Diagnostic, Origin};

use crate::{
    Sources, codes,
    findings::Findings,
    layer::merge,
    yaml::{self, Entry, Node, Place, Yaml},
};

/// The name that origins of values from the command line have for a file.
const FILE: &str = "--set";

/// Whether a value comes from the command line.
pub(crate) fn is_from_set(origin: &Origin) -> bool {
    origin.file == FILE
}

/// `root` with each of `set` laid over it, in order. Line N of the source `--set` is argument N.
pub(crate) fn apply(root: Node, set: &[String], sources: &mut Sources, findings: &Findings) -> Node {
    each(set, sources, findings).into_iter().fold(root, merge)
}

/// Each of `set` as a tree of one branch, in order; those with a mistake are reported.
pub(crate) fn each(set: &[String], sources: &mut Sources, findings: &Findings) -> Vec<Node> {
    if !set.is_empty() {
        sources.insert(FILE.to_owned(), set.join("\n"));
    }
    let mut each = Vec::new();
    for (index, argument) in set.iter().enumerate() {
        match layer(argument, index, findings) {
            Ok(over) => each.extend(over),
            Err(finding) => findings.push(*finding),
        }
    }
    each
}

/// The argument as a tree of one branch; `None` when its value was reported.
fn layer(argument: &str, lines: usize, findings: &Findings) -> Result<Option<Node>, Box<Diagnostic>> {
    let start = Place { file: FILE.to_owned(), lines, columns: 0 };
    let wrong = |reason: &str| Err(Box::new(malformed(argument, reason, &start)));
    if argument.contains(['\n', '\r']) {
        return wrong("A --set argument is one line");
    }
    let Some((path, value)) = argument.split_once('=') else {
        return wrong("The `=` between the path and the value is missing");
    };
    let keys = keys(path);
    if keys.iter().any(|(_, key)| key.is_empty()) {
        return wrong("Between the dots of the path there is a key missing");
    }
    if keys.len() > 8 || keys[0].1 == "extends" {
        return wrong("The path names a key of the stack; `extends` belongs to the file");
    }
    let place = Place { columns: path.chars().count() + 1, ..start.clone() };
    let Some(node) = yaml::parse(&place, value, findings) else { return Ok(None) };
    let branch = keys.into_iter().rev().fold(verbatim(node), |node, (column, key)| {
        let origin = start.origin(1, column, key.chars().count());
        let entry = Entry { key: key.to_owned(), origin: origin.clone(), node };
        Node { origin, value: Yaml::Map(vec![entry]) }
    });
    Ok(Some(branch))
}

/// The keys of a path with their columns. Below `tags` the rest is one key: tags' keys may
/// have dots of their own.
pub(crate) fn keys(path: &str) -> Vec<(usize, &str)> {
    if let Some(tag) = path.strip_prefix("tags.") {
        return vec![(1, "tags"), (6, tag)];
    }
    let mut column = 1;
    let mut keys = Vec::new();
    for key in path.split('.') {
        keys.push((column, key));
        column += key.chars().count() + 1;
    }
    keys
}

/// The shell has filled in variables already: a `$` that is left is meant.
fn verbatim(node: Node) -> Node {
    let value = match node.value {
        Yaml::Scalar(scalar) => Yaml::Scalar(yaml::Scalar { verbatim: true, ..scalar }),
        Yaml::List(items) => Yaml::List(items.into_iter().map(verbatim).collect()),
        Yaml::Map(entries) => {
            let each = |entry: Entry| Entry { node: verbatim(entry.node), ..entry };
            Yaml::Map(entries.into_iter().map(each).collect())
        }
        Yaml::Broken => Yaml::Broken,
    };
    Node { value, ..node }
}

fn malformed(argument: &str, reason: &str, start: &Place) -> Diagnostic {
    Diagnostic::error(codes::SET_SYNTAX, format!("`--set {argument}` cannot be read"))
        .at(start.origin(1, 1, argument.chars().count()))
        .because(reason)
        .fix("Write the path of a key, `=` and a value, such as `--set instance.type=t4g.medium`.")
}
